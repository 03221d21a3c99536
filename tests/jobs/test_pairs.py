"""Pairs taken out of clips: spread, scaled, never across a cut, with the flow that they show."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.jobs import pairs as module
from vidstyle.jobs.pairs import cache_pairs, clip_pairs, measured
from vidstyle.training.clips import ClipPairs, load_pair
from vidstyle.video.info import probe


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


def cache(clips: Path, folder: Path, notes: list[str], crop: int = 64) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    cache_pairs(clips, folder, crop, lambda *at: seen.append(at), notes.append)
    return seen


def test_every_clip_gives_pairs_that_are_kept(
    clips: Path, tmp_path: Path, notes: list[str]
) -> None:
    folder = tmp_path / "run" / "pairs"
    assert cache(clips, folder, notes) == [(0, 2), (1, 2)]
    files = ClipPairs(folder).files
    assert len(files) == 5 + 3
    assert min(load_pair(files[0]).first.shape[:2]) == 80
    stamps = [path.stat().st_mtime_ns for path in files]
    assert cache(clips, folder, notes) == [], "made again"
    assert [path.stat().st_mtime_ns for path in files] == stamps
    assert cache(clips, folder, notes, crop=32) != [], "the old size was kept"
    (clips / "below" / "b.mp4").unlink()
    cache(clips, folder, notes)
    assert len(ClipPairs(folder).files) == 5
    assert notes == []


def test_what_cannot_be_read_is_told_of(clips: Path, tmp_path: Path, notes: list[str]) -> None:
    (clips / "broken.mp4").write_bytes(b"junk")
    cache(clips, tmp_path / "pairs", notes)
    assert len(notes) == 1
    assert "broken.mp4" in notes[0]
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
