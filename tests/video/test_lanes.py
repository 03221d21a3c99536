"""The times of what is copied and converted beside the painted track."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.video.lanes import Copy, Sound

Make = Callable[..., Path]
Times = tuple[int | None, int | None]
"""Of showing, and of decoding."""


def copied(folder: Path, kind: str, given: Sequence[Times], tick: Fraction) -> list[Times]:
    """What the times of a track's packets become."""
    source: Any = SimpleNamespace(type=kind, name="any")
    with av.open(str(folder / "output.mkv"), "w") as output:
        lane, times = Copy(source, output.add_stream("aac")), []
        for pts, dts in given:
            packet = av.Packet(b"content")
            packet.pts, packet.dts, packet.duration, packet.time_base = pts, dts, 10, tick
            times += [(ready.pts, ready.dts) for ready in lane.feed(packet)]
    return times


@pytest.mark.parametrize(
    ("kind", "given", "times"),
    [
        # None is shown before it is decoded.
        ("video", [(0, 0), (5, 10)], [(0, 0), (10, 10)]),
        # Those of the first few may be missing: what is decoded next may be shown earlier.
        ("video", [(100, None), (96, 90)], [(100, 84), (96, 90)]),
        ("audio", [(100, None), (110, 110)], [(100, 100), (110, 110)]),
        # Two lines may appear at once, but none before the last one.
        ("subtitle", [(10, 10), (10, 10), (5, 5)], [(10, 10), (10, 10), (10, 10)]),
    ],
)
def test_times_that_a_muxer_would_refuse_are_put_right(
    tmp_path: Path, kind: str, given: list[Times], times: list[Times]
) -> None:
    assert copied(tmp_path, kind, given, Fraction(1, 1000)) == times


def test_a_step_that_no_mp4_can_count_is_not_taken(tmp_path: Path) -> None:
    """Of less than the half day that is too long by any clock."""
    far = 2**31
    times = copied(tmp_path, "video", [(0, 0), (far, far)], Fraction(1, 90_000))
    assert [dts for _, dts in times] == [0, 1]


def converted(make_media: Make, folder: Path, stamps: Sequence[int]) -> list[int]:
    """When the packets begin, in samples, that become of 1024 samples at each millisecond."""

    def piece(stamp: int) -> Any:
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, stamp, Fraction(1, 1000)
        return SimpleNamespace(decode=lambda: [frame])

    with (
        av.open(make_media("clip.mkv", sounds=[{"codec": "ac3"}])) as source,
        av.open(folder / "output.mp4", "w") as output,
    ):
        lane = Sound(source.streams.audio[0], output, "aac")
        packets = [packet for stamp in stamps for packet in lane.feed(piece(stamp))]
        packets += lane.flush()
    return [packet.pts for packet in packets]


def test_sound_does_not_break_where_its_stamps_wander(make_media: Make, tmp_path: Path) -> None:
    """Whole milliseconds are never right for 1024 samples."""
    times = converted(make_media, tmp_path, [round(number * 1024 / 48) for number in range(20)])
    assert {after - before for before, after in pairwise(times)} == {1024}


def test_sound_never_goes_back(make_media: Make, tmp_path: Path) -> None:
    times = converted(make_media, tmp_path, [0, 21, 43, 64, 0, 21, 1000, 1021])
    assert times == sorted(set(times))
    assert times[-1] > 0.95 * 48_000
