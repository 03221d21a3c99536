from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import ResourceError
from vidstyle.types import EncodeOptions
from vidstyle.video.info import probe
from vidstyle.video.mux import MuxSummary, mux
from vidstyle.video.read import read_frames
from vidstyle.video.stamp import read_stamp
from vidstyle.video.write import check_encoding, encode_track

Make = Callable[..., Path]
EXACT = EncodeOptions(crf=0, preset="ultrafast", pixel_format="yuv444p")


def through(source: Path, stamp: dict[str, Any]) -> tuple[Path, MuxSummary]:
    info, track, output = probe(source), source.with_name("t.nut"), source.with_name("o.part")
    last = encode_track(read_frames(info), track, info, EXACT).last_duration
    return output, mux([track], info, output, container="gif", stamp=stamp, last_duration=last)


def test_pictures_times_and_stamp_go_into_a_gif(make_media: Make) -> None:
    pts = [50, 54, 59, 61, 90]
    options = {"pts": pts, "time_base": Fraction(1, 100), "rate": Fraction(25), "last_duration": 17}
    source = make_media(**options)
    stamp = {"style": "monet", "long": "x" * 600}
    output, summary = through(source, stamp)
    info = probe(output)
    assert info.container == "gif"
    after = list(read_frames(info))
    assert [frame.pts * info.time_base * 100 for frame in after] == [0, 4, 9, 11, 40]
    assert info.duration == Fraction(57, 100)
    for ours, theirs in zip(after, read_frames(probe(source)), strict=True):
        assert np.abs(ours.image.astype(int) - theirs.image).mean() < 4  # 256 colours
    assert read_stamp(output) == stamp
    assert [note[:18] for note in summary.notes] == ["a gif has 256 colo"]


def test_what_a_gif_cannot_hold_is_said(make_media: Make) -> None:
    pts = [0, 1001, 2002, 2003, 2004, 30_000]
    source = make_media(pts=pts, time_base=Fraction(1, 30_000), rate=Fraction(30), sounds=[{}])
    output, summary = through(source, {})
    info = probe(output)
    times = [frame.pts * info.time_base * 100 for frame in read_frames(info)]
    assert times == [0, 3, 7, 100]  # whole hundredths, two at least from frame to frame
    assert summary.notes[1].startswith("2 frames moved to whole hundredths")
    assert summary.notes[2].startswith("2 frames left out: a gif shows at most 50 a second")
    assert "1 track of sound" in summary.notes[3]


def test_of_two_that_are_too_close_the_one_that_stands_is_shown(make_media: Make) -> None:
    """And the last one of all: it may stand for ever."""
    levels = (0, 80, 160, 200, 240)
    images = [np.full((48, 64, 3), level, np.uint8) for level in levels]
    source = make_media(
        pts=[0, 60, 61, 360, 361], images=images, time_base=Fraction(1, 120), rate=Fraction(120)
    )
    output, summary = through(source, {})
    info = probe(output)
    frames = [(f.pts * info.time_base, round(f.image.mean())) for f in read_frames(info)]
    times, seen = zip(*frames, strict=True)
    assert times == (0, Fraction(1, 2), 3)
    assert seen == pytest.approx((0, 160, 240), abs=3)
    assert any("2 frames left out" in note for note in summary.notes)
    with av.open(str(output)) as file:
        last = [packet.duration for packet in file.demux(video=0) if packet.size][-1]
    assert last >= 2


@pytest.mark.parametrize(("rate", "shown"), [(24, 24), (50, 50), (60, 50), (120, 50)])
def test_a_second_is_a_second_in_viewers_too(make_media: Make, rate: int, shown: int) -> None:
    """They take a tenth of a second for steps of less than two hundredths."""
    source = make_media(
        pts=range(rate), time_base=Fraction(1, rate), rate=Fraction(rate), last_duration=1
    )
    output, _ = through(source, {})
    info = probe(output)
    frames = list(read_frames(info))
    times = [frame.pts * info.time_base * 100 for frame in frames]
    assert min(np.diff(times)) >= 2
    assert abs(len(frames) - shown) <= 1
    assert 98 <= times[-1] + 100 / rate <= 101


@pytest.mark.parametrize(
    ("shape", "size"), [(Fraction(16, 9), (114, 48)), (Fraction(1, 2), (64, 96))]
)
def test_pixels_become_square(
    make_media: Make, tmp_path: Path, shape: Fraction, size: tuple[int, int]
) -> None:
    source = make_media(pts=range(2), sample_aspect_ratio=shape)
    info, track = probe(source), source.with_name("t.nut")
    gif, _ = through(source, {})
    assert (probe(gif).width, probe(gif).height) == size
    mux([track], info, tmp_path / "%d.png", container="png", stamp={})
    with Image.open(tmp_path / "1.png") as picture:
        assert picture.size == size


def test_a_single_frame_repeats_for_ever(make_media: Make) -> None:
    output, _ = through(make_media(pts=range(1)), {})
    assert len(list(read_frames(probe(output)))) == 1
    assert b"NETSCAPE2.0" in through(make_media(pts=range(2)), {})[0].read_bytes()


def test_any_codec_may_come_before_a_gif(make_media: Make) -> None:
    assert check_encoding(probe(make_media()), EncodeOptions(codec="ffv1"), "gif")


def test_a_full_disk(make_media: Make, tmp_path: Path) -> None:
    info, track = probe(make_media()), tmp_path / "t.nut"
    encode_track(read_frames(info), track, info, EXACT)
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(ResourceError, match="disk is full"):
        mux([track], info, Path("/dev/full"), container="gif", stamp={})


def test_a_gif_is_a_gif_for_others_too(make_media: Make) -> None:
    output, _ = through(make_media(), {"style": "monet"})
    content = output.read_bytes()
    assert (content[:6], content[-1:]) == (b"GIF89a", b"\x3b")
    with av.open(str(output)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 10
