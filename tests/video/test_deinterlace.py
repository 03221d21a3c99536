from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.video.info import probe
from vidstyle.video.read import ReadReport, read_frames

Make = Callable[..., Path]
TFF = {"crf": "0", "preset": "ultrafast", "x264-params": "tff=1", "g": "10"}


def scene(moment: int) -> Any:
    """A bright bar that moves by three pixels a field."""
    image = np.full((48, 96, 3), 30, np.uint8)
    image[:, 3 * moment % 80 : 3 * moment % 80 + 16] = 220
    return image


def woven(number: int) -> Any:
    image = scene(2 * number)
    image[1::2] = scene(2 * number + 1)[1::2]
    return image


def combing(image: Any) -> float:
    rows = image[..., 1].astype(float)
    return float(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean())


@pytest.fixture
def interlaced(make_media: Make) -> Path:
    images = [woven(number) for number in range(40)]
    return make_media(size=(96, 48), pts=range(40), images=images, options=TFF)


def test_combs_go_and_every_frame_keeps_its_time(interlaced: Path) -> None:
    info, report = probe(interlaced), ReadReport()
    frames = list(read_frames(info, report=report))
    assert [frame.pts * info.time_base for frame in frames] == [Fraction(n, 25) for n in range(40)]
    assert {frame.duration * info.time_base for frame in frames} == {Fraction(1, 25)}
    assert report.deinterlaced == report.frames == 40
    before = np.mean([combing(woven(number)) for number in range(40)])
    assert np.mean([combing(frame.image) for frame in frames]) < before / 3


def test_a_part_is_the_same_as_in_the_whole(interlaced: Path) -> None:
    """Frames before the part are decoded anyway: they are neighbours to look at."""
    info, report = probe(interlaced), ReadReport()
    whole = list(read_frames(info))
    part = list(read_frames(info, start=Fraction(17, 25), duration=Fraction(9, 25), report=report))
    assert [frame.pts for frame in part] == [frame.pts for frame in whole[17:26]]
    for ours, theirs in zip(part, whole[17:26], strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)


def test_whole_frames_pass_untouched(make_media: Make) -> None:
    images = [scene(number) for number in range(10)]
    report = ReadReport()
    frames = list(read_frames(probe(make_media(size=(96, 48), images=images)), report=report))
    assert report.deinterlaced == 0
    for frame, image in zip(frames, images, strict=True):
        assert np.abs(frame.image.astype(int) - image).max() <= 2


def test_a_change_of_size_loses_no_frame(make_media: Make, tmp_path: Path) -> None:
    images = [woven(number) for number in range(10)]
    options = {"images": images, "options": TFF}
    small = make_media("a.h264", size=(96, 48), **options)
    large = make_media("b.h264", size=(64, 32), images=[i[:32, :64] for i in images], options=TFF)
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    report = ReadReport()
    pts = [frame.pts for frame in read_frames(probe(both), report=report)]
    assert (len(pts), report.deinterlaced, report.resized) == (20, 20, 10)
    assert pts == sorted(set(pts))
