"""Clips read by several threads, against the same read by one."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.errors import InputError
from vidstyle.jobs.prefetch import Crew
from vidstyle.video.decode import Doubt
from vidstyle.video.info import probe
from vidstyle.video.read import ReadReport, _window, read_frames

Make = Callable[..., Path]
REORDERED = {"crf": "20", "g": "12", "bf": "3"}


def taken(path: Path, threads: int, **part: Any) -> tuple[list[Any], dict[str, Any]]:
    report = ReadReport()
    try:
        frames = list(read_frames(probe(path), report=report, threads=threads, **part))
    except InputError as error:
        return [], {"error": str(error)}
    facts = asdict(report)
    del facts["seen_until"]  # several threads read on while the last frames are taken
    return frames, facts


def assert_alike(path: Path, **part: Any) -> None:
    (ours, our_report), (theirs, their_report) = (taken(path, n, **part) for n in (3, 1))
    assert our_report == their_report
    assert [(f.pts, f.duration) for f in ours] == [(f.pts, f.duration) for f in theirs]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (320, 240)])
def test_a_sound_clip_needs_no_second_look(
    make_media: Make, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    path = make_media(size=size, pts=range(40), options=REORDERED)
    assert_alike(path)
    looks = []
    monkeypatch.setattr(
        "vidstyle.video.read._window",
        lambda *args, **named: (looks.append(1), _window(*args, **named))[1],
    )
    assert len(taken(path, 3)[0]) == 40
    assert len(looks) == 1


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_a_part_of_a_clip(make_media: Make, name: str) -> None:
    path = make_media(name, pts=range(60), options={"crf": "20", "g": "12"})
    assert_alike(path, start=Fraction(1), duration=Fraction(1, 2))
    assert_alike(path, start=Fraction(60))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
@pytest.mark.parametrize("seed", range(12))
def test_damage_costs_no_more_than_it_costs_one_thread(
    make_media: Make, name: str, seed: int
) -> None:
    path = make_media(name, pts=range(60), options={"crf": "20", "g": "12"})
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for start in rng.integers(len(content) // 5, len(content), 1 + seed % 3):
        content[start : start + 40] = rng.bytes(40)
    path.write_bytes(content if seed % 4 else content[: len(content) * 4 // 5])
    try:
        probe(path)
    except InputError:
        pytest.skip("damaged beyond reading")
    assert_alike(path)


def test_damage_is_met_with_doubt(make_media: Make) -> None:
    path = make_media(pts=range(60), options={"crf": "20", "g": "12"})
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(Doubt):
        list(_window(probe(path), None, None, ReadReport(), threads=3))


def test_the_decoder_may_have_a_thread_of_its_own(make_media: Make) -> None:
    path = make_media(pts=range(40), options=REORDERED)
    report = ReadReport()
    with Crew() as crew:

        def ahead(decoded: Iterator[Any]) -> Iterator[Any]:
            return crew.ahead(decoded, 2)

        frames = list(read_frames(probe(path), report=report, threads=2, beside=ahead))
    alone = list(read_frames(probe(path)))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(frames, alone, strict=True))
    assert report.frames == 40
    assert not report.is_partial
