"""The reel: every clip in its tile, every frame at its time."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.video.reel import Reel


def flat(level: int) -> NDArray[np.uint8]:
    return np.full((32, 48, 3), level, np.uint8)


def filmed(clips: int, times: list[Fraction]) -> tuple[bytes, tuple[float, ...], int, int]:
    reel = Reel(clips, 32, 48)
    for number, time in enumerate(times):
        reel.add(time, [flat(20 + 40 * clip + 3 * number) for clip in range(clips)])
    video = reel.finish()
    return video.data, video.times, video.columns, video.rows


def decoded(data: bytes) -> list[tuple[Fraction, NDArray[np.uint8]]]:
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.codec.canonical_name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        return [
            (f.pts * stream.time_base, f.to_ndarray(format="rgb24")) for f in file.decode(stream)
        ]


def test_every_frame_comes_back_at_its_time() -> None:
    times = [Fraction(n, 30) + Fraction(7, 5) for n in (0, 1, 2, 5, 6)]
    data, told, _, _ = filmed(2, times)
    frames = decoded(data)
    assert [float(time) for time, _ in frames] == pytest.approx(told, abs=1e-4)
    assert told == pytest.approx([0, 1 / 30, 2 / 30, 5 / 30, 6 / 30])


@pytest.mark.parametrize(("clips", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (3, 2, 2), (5, 3, 2)])
def test_every_clip_has_its_tile(clips: int, columns: int, rows: int) -> None:
    data, _, *grid = filmed(clips, [Fraction(0), Fraction(1, 25)])
    assert grid == [columns, rows]
    for number, (_, image) in enumerate(decoded(data)):
        assert image.shape == (32 * rows, 48 * columns, 3)
        for clip in range(clips):
            row, column = divmod(clip, columns)
            tile = image[32 * row : 32 * row + 32, 48 * column : 48 * column + 48]
            assert np.median(tile) == pytest.approx(20 + 40 * clip + 3 * number, abs=3)


def test_the_last_frame_is_shown_as_long_as_the_one_before() -> None:
    data, *_ = filmed(1, [Fraction(0), Fraction(1, 10), Fraction(2, 10)])
    with av.open(io.BytesIO(data)) as file:
        assert file.duration == pytest.approx(0.3 * av.time_base, abs=2000)
