"""Clips read by several threads, against the same read by one."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.errors import InputError
from vidstyle.jobs.prefetch import Crew
from vidstyle.video.decode import DamageMet, Losses, _trusted
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
    for name in ("seen_until", "passed", "without_frame"):  # how, and not what, was read
        del facts[name]
    return frames, facts


def assert_alike(path: Path, **part: Any) -> None:
    (ours, our_report), (theirs, their_report) = (taken(path, n, **part) for n in (3, 1))
    assert our_report == their_report
    assert [(f.pts, f.duration) for f in ours] == [(f.pts, f.duration) for f in theirs]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(ours, theirs, strict=True))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads read, each time that a reading begins."""
    looks: list[int] = []

    def look(*args: Any, threads: int) -> Iterator[Any]:
        looks.append(threads)
        return _window(*args, threads=threads)

    monkeypatch.setattr(
        "vidstyle.video.read._window",
        lambda *args, **named: look(*args[:4], threads=named.get("threads") or args[4]),
    )
    return looks


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (320, 240)])
def test_a_sound_clip_needs_no_second_look(
    make_media: Make, looks: list[int], size: tuple[int, int]
) -> None:
    path = make_media(size=size, pts=range(40), options=REORDERED)
    assert_alike(path)
    assert looks == [3, 1]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_pictures_that_were_never_recorded_are_not_looked_for(
    make_media: Make, looks: list[int], name: str
) -> None:
    """A screen recording leaves out what did not change: by its rate it should have more."""
    path = make_media(name, pts=[n for n in range(60) if n % 7 != 3], options=REORDERED)
    report = ReadReport()
    assert len(list(read_frames(probe(path), report=report, threads=3))) == 51
    assert looks == [3]
    list(read_frames(probe(path), threads=3, start=Fraction(1), duration=Fraction(1)))
    assert looks == [3, 3]


def test_pictures_that_an_edit_list_hides_are_not_looked_for(
    make_media: Make, looks: list[int], tmp_path: Path
) -> None:
    """As trimmed clips of phones have them: counted in the header, decoded, and never shown."""
    whole, cut = make_media(pts=range(60), options={"g": "30"}), tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None:
                packet.stream = track
                moved = round(Fraction(1, 2) / packet.time_base)
                packet.pts, packet.dts = packet.pts - moved, packet.dts - moved
                target.mux(packet)
    report = ReadReport()
    frames = list(read_frames(probe(cut), report=report, threads=3))
    assert len(frames) < (report.expected_frames or 0)
    assert looks == [3]


def test_what_is_read_again_is_a_sign_of_life(make_media: Make) -> None:
    """Hours may lie between a clip's beginning and its damage, or the part that is wanted."""
    path = make_media(pts=range(60), options={"crf": "20", "g": "12"})
    report = ReadReport()
    list(read_frames(probe(path), report=report, start=Fraction(1)))
    assert 0 < report.passed <= 25
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    report = ReadReport()
    frames = read_frames(probe(path), report=report, threads=3)
    seen = [(report.frames, report.passed) for _ in frames]
    given = max(frames for frames, passed in seen if not passed)
    assert 0 < given < len(seen)
    assert seen[-1] == (len(seen), given)


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
    with pytest.raises(DamageMet):
        list(_window(probe(path), None, None, ReadReport(), threads=3))


def test_no_frame_is_given_that_damage_may_have_spoilt() -> None:
    """It spoils some that are shown before it: those of up to 16 frames, as far as codecs go."""
    given: list[int] = []
    frames: Any = (SimpleNamespace(number=n, is_corrupt=n == 40) for n in range(60))
    with pytest.raises(DamageMet):
        for frame in _trusted(frames, Losses()):
            given.append(frame.number)
    assert given == list(range(24))


def test_damage_behind_the_last_frame_is_met_too() -> None:
    losses = Losses()

    def frames() -> Iterator[Any]:
        yield SimpleNamespace(is_corrupt=False)
        losses.fail()

    with pytest.raises(DamageMet):
        list(_trusted(frames(), losses))


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
