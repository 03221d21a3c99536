"""Pairs taken out of clips: spread, scaled, never across a cut, with the flow that they show."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.jobs import pairs as module
from vidstyle.jobs.pairs import cache_pairs, clip_pairs, measured, successive_frames
from vidstyle.training.clips import ClipPairs, load_held_out, load_pair
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames


@pytest.fixture(autouse=True)
def no_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars that jump look like cuts."""
    monkeypatch.setattr(module, "is_cut", lambda a, b: False)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def clips(make_clip: object, tmp_path: Path) -> Path:
    folder = tmp_path / "clips" / "below"
    folder.mkdir(parents=True)
    make_clip("a.mp4", frames=6, folder=folder)  # type: ignore[operator]
    make_clip("b.mp4", frames=4, folder=folder, sound=False)  # type: ignore[operator]
    (folder / "notes.txt").write_text("no clip")
    return folder.parent


def cache(clips: Path, folder: Path, notes: list[str], side: int = 64) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    cache_pairs(clips, folder, side, lambda *at: seen.append(at), notes.append)
    return seen


def test_every_clip_gives_pairs_that_are_kept(
    clips: Path, make_clip: object, tmp_path: Path, notes: list[str]
) -> None:
    folder = tmp_path / "run" / "pairs"
    make_clip("c.mp4", frames=9, folder=clips, sound=False)  # type: ignore[operator]
    assert cache(clips, folder, notes) == [(0, 3), (1, 3), (2, 3)]
    files = ClipPairs(folder).files
    assert len(files) == 5 + 3, "the last is held out"
    assert min(load_pair(files[0]).first.shape[:2]) == 80
    stamps = [path.stat().st_mtime_ns for path in files]
    assert cache(clips, folder, notes) == [], "made again"
    assert [path.stat().st_mtime_ns for path in files] == stamps
    assert cache(clips, folder, notes, side=32) != [], "the old size was kept"
    for name in ("below/b.mp4", "c.mp4"):
        (clips / name).unlink()
    notes.clear()
    cache(clips, folder, notes)
    assert len(ClipPairs(folder).files) == 5, "a single clip is learnt from"
    assert load_held_out(folder, 64) is None
    assert notes == []


def test_the_middle_of_the_last_clip_is_shown(
    clips: Path, tmp_path: Path, notes: list[str]
) -> None:
    """Of 4 frames the last two, and the last again where there is no more."""
    cache(clips, tmp_path / "pairs", notes)
    held_out = clips / "below" / "b.mp4"
    shown = load_held_out(tmp_path / "pairs", 64)
    frames = successive_frames(probe(held_out), 4)
    assert shown is not None
    assert shown.shape == (4, 3, 64, 64)
    kept = [not torch.equal(*pair) for pair in pairwise(shown)]
    assert kept == [True, False, False]
    whole = [frame.image for frame in read_frames(probe(held_out))]
    assert np.array_equal(frames, [whole[2], *whole[3:] * 3])


def test_a_clip_whose_last_frame_lasts_is_shown_from_its_beginning(make_clip: object) -> None:
    info = probe(make_clip(frames=4, sound=False))  # type: ignore[operator]
    frames = [frame.image for frame in read_frames(info)]
    assert np.array_equal(successive_frames(replace(info, duration=Fraction(99)), 4), frames)


def test_the_last_clip_is_learnt_from_where_no_other_can_be(
    clips: Path, tmp_path: Path, notes: list[str]
) -> None:
    (clips / "below" / "a.mp4").write_bytes(b"junk")
    cache(clips, tmp_path / "pairs", notes)
    assert len(notes) == 1
    assert "a.mp4" in notes[0]
    assert len(ClipPairs(tmp_path / "pairs").files) == 3


def test_clips_that_would_teach_blur_are_named(
    clips: Path, tmp_path: Path, notes: list[str]
) -> None:
    """They are 64x48."""
    with pytest.raises(InputError, match="no clip"):
        cache(clips, tmp_path / "pairs", notes, side=98)
    assert [note.partition(": ")[2] for note in notes] == ["64x48 is too small to learn from"] * 2
    cache(clips, tmp_path / "pairs", notes, side=97)


def test_what_cannot_be_read_is_told_of(clips: Path, tmp_path: Path, notes: list[str]) -> None:
    (clips / "below" / "a0.mp4").write_bytes(b"junk")
    (clips / "below" / "a1.mp4").symlink_to("gone.mp4")
    cache(clips, tmp_path / "pairs", notes)
    assert len(notes) == 2
    assert "a0.mp4" in notes[0]
    assert "b.mp4: is not learnt from" in notes[1]
    assert len(ClipPairs(tmp_path / "pairs").files) == 5
    with pytest.raises(InputError, match="no clips found"):
        cache(tmp_path / "none", tmp_path / "pairs", notes)


def test_a_long_clip_gives_few_pairs_and_a_cut_none(
    make_clip: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAIRS_A_CLIP", 3)
    info = probe(make_clip(frames=13, sound=False))  # type: ignore[operator]
    assert len(list(clip_pairs(info, 40))) == 3
    monkeypatch.setattr(module, "is_cut", lambda a, b: True)
    assert list(clip_pairs(info, 40)) == []


def test_the_flow_leads_from_the_second_frame_back_to_the_first() -> None:
    rng = np.random.default_rng(0)
    scene = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8))
    big = np.array(scene.resize((192, 160), Image.Resampling.BICUBIC))
    pair = measured(big[20:140, 20:170], big[22:142, 24:174])
    middle = pair.flow[30:-30, 30:-30].reshape(-1, 2)
    assert np.median(middle, axis=0) == pytest.approx((4, 2), abs=0.2)
    assert pair.hidden.mean() < 0.1


def test_what_comes_into_view_is_hidden() -> None:
    """A square moves 16 pixels to the right: the strip on its left was behind it."""
    rng = np.random.default_rng(1)
    ground, thing = (
        np.array(
            Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).resize((192, 160))
        )
        for _ in range(2)
    )
    first, second = ground.copy(), ground.copy()
    first[50:110, 60:120] = second[50:110, 76:136] = thing[50:110, 60:120]
    hidden = measured(first, second).hidden
    assert hidden[54:106, 62:74].mean() > 0.5
    assert hidden[:, 150:].mean() < 0.05
