"""Frames of clips as training sees them: moved by their flow, lit as they are, hidden where not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.errors import InputError
from vidstyle.training import clips
from vidstyle.training.clips import ClipPairs, FramePair, MovedBatches, load_pair, save_pair
from vidstyle.training.config import MARGIN
from vidstyle.training.data import PhotoBatches, find_photos
from vidstyle.training.losses import stability_loss
from vidstyle.training.motion import MovedPair, centre

SIDE = 32
RIGHT, DOWN = 3, -2


@pytest.fixture
def pair() -> FramePair:
    """A smooth grey scene that moves by whole pixels."""
    rows, columns = np.mgrid[:60, :80]
    scene = 128 + 50 * np.sin(rows / 5) + 50 * np.cos(columns / 7)
    big = np.repeat(scene[..., None], 3, axis=2).astype(np.uint8)
    first, second = big[6:46, 6:66], big[6 + DOWN : 46 + DOWN, 6 + RIGHT : 66 + RIGHT]
    flow = np.broadcast_to(np.float32((RIGHT, DOWN)), (40, 60, 2))
    return FramePair(first, second, flow, np.zeros((40, 60), bool))


def drawn(pair: FramePair, folder: Path, seeds: int = 6) -> list[MovedPair]:
    folder.mkdir(exist_ok=True)
    save_pair(folder / "0.npz", pair)
    pairs = ClipPairs(folder)
    photos = torch.rand(2, 3, SIDE, SIDE)
    return [pairs.draw(2, photos, np.random.default_rng(seed)) for seed in range(seeds)]


def own_paintings(pair: MovedPair) -> torch.Tensor:
    return torch.cat([pair.first, pair.second])


def test_a_pair_survives_its_file(pair: FramePair, tmp_path: Path) -> None:
    save_pair(tmp_path / "0.npz", pair)
    again = load_pair(tmp_path / "0.npz")
    for name in ("first", "second", "flow", "hidden"):
        assert np.array_equal(getattr(again, name), getattr(pair, name))
    assert [path.name for path in tmp_path.iterdir()] == ["0.npz"]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:200]])
def test_a_broken_file_says_so(pair: FramePair, tmp_path: Path, damage: object) -> None:
    save_pair(tmp_path / "0.npz", pair)
    (tmp_path / "0.npz").write_bytes(damage((tmp_path / "0.npz").read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"0\.npz"):
        load_pair(tmp_path / "0.npz")
    with pytest.raises(InputError, match="no pairs"):
        ClipPairs(tmp_path / "none")


def test_the_identity_painter_is_steady_and_a_wrong_flow_is_not(
    pair: FramePair, tmp_path: Path
) -> None:
    """Crops are mirrored at random: their flow has to be, too."""
    for found in drawn(pair, tmp_path / "right"):
        assert (found.first.shape, found.second.shape) == ((4, 3, SIDE, SIDE), (2, 3, SIDE, SIDE))
        assert stability_loss(own_paintings(found), found) < 2e-3
        assert found.move(found.first[:2])[1].mean() > 0.7
    back = replace(pair, flow=-pair.flow)
    for found in drawn(back, tmp_path / "wrong"):
        unlit = replace(found, light=torch.zeros_like(found.light))
        assert stability_loss(own_paintings(unlit), unlit) > 0.05


def test_light_is_what_neighbours_share_and_noise_is_not(pair: FramePair, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(20, 10, pair.second.shape)
    noisy = replace(pair, second=(pair.second + noise).clip(0, 255).astype(np.uint8))
    for found in drawn(noisy, tmp_path / "lit"):
        assert found.light.mean() * 255 == pytest.approx(20, abs=2)
        inner = found.light[..., 10:-10, 10:-10]
        assert inner.std() * 255 < 2


def test_what_came_into_view_does_not_count(pair: FramePair, tmp_path: Path) -> None:
    hidden = np.zeros((40, 60), bool)
    hidden[15:25, 20:40] = True
    second = np.where(hidden[..., None], 255, pair.second).astype(np.uint8)
    covered = drawn(replace(pair, second=second, hidden=hidden), tmp_path / "hidden")
    assert all(stability_loss(own_paintings(found), found) < 2e-3 for found in covered)
    seen = drawn(replace(pair, second=second), tmp_path / "seen")
    assert any(stability_loss(own_paintings(found), found) > 0.02 for found in seen)


def test_some_steps_see_clips_and_the_same_ones_each_time(
    pair: FramePair, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pairs"
    drawn(pair, folder)
    batches = PhotoBatches(find_photos(photos), 2, SIDE + 2 * MARGIN, seed=5)
    alone = MovedBatches(batches, SIDE, None)
    mixed = MovedBatches(batches, SIDE, ClipPairs(folder))
    steps = range(30)
    from_clips = [not torch.equal(mixed[k].first[0], alone[k].first[0]) for k in steps]
    assert 6 <= sum(from_clips) <= 18
    assert all(torch.equal(mixed[k].second, mixed[k].second) for k in steps)
    assert all(torch.equal(mixed[k].first[1:], alone[k].first[1:]) for k in steps)


@pytest.mark.parametrize(("beside", "first", "second"), [(False, 3, 2), (True, 6, 3)])
def test_frames_take_the_places_of_half_of_the_photographs_or_come_before_all(
    pair: FramePair,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    beside: bool,
    first: int,
    second: int,
) -> None:
    monkeypatch.setattr(clips, "CLIP_SHARE", 1)
    drawn(pair, tmp_path / "pairs", seeds=0)
    batches = PhotoBatches(find_photos(photos), 3, SIDE + 2 * MARGIN, seed=5)
    made = MovedBatches(batches, SIDE, ClipPairs(tmp_path / "pairs"), beside=beside)[0]
    assert (len(made.first), len(made.second)) == (first, second)
    kept = first - second
    assert torch.equal(made.first[second:], centre(batches[0], SIDE)[-kept:])
