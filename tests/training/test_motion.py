"""Synthetic motion: its flow is exact, so a perfect painter has no stability loss."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vidstyle.training import motion
from vidstyle.training.config import MARGIN
from vidstyle.training.losses import feature_stability_loss, stability_loss
from vidstyle.training.motion import MovedPair, disturb, moved_pair

SIDE = 64
SEEDS = range(40)


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Smooth and grey: only of such is light that changes the same for every channel."""
    monkeypatch.setattr(motion, "disturb", lambda x, rng: x)
    torch.manual_seed(0)
    size = SIDE + 2 * MARGIN
    coarse = 0.1 + 0.7 * torch.rand(4, 1, 9, 9)
    smooth = F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=True)
    return smooth.expand(-1, 3, -1, -1)


def pairs(photos: Tensor) -> list[MovedPair]:
    return [moved_pair(photos, SIDE, np.random.default_rng(seed)) for seed in SEEDS]


def own_paintings(pair: MovedPair) -> Tensor:
    """What the painter that changes nothing paints."""
    return torch.cat([pair.first, pair.second])


def test_the_identity_painter_is_perfectly_steady(photos: Tensor) -> None:
    for pair in pairs(photos):
        assert pair.first.shape == (4, 3, SIDE, SIDE)
        assert pair.second.shape == (2, 3, SIDE, SIDE)
        assert stability_loss(own_paintings(pair), pair) < 2e-3
        assert pair.move(pair.first[:2])[1].mean() > 0.2


def test_whole_pixel_shifts_are_not_resampled(photos: Tensor) -> None:
    grid = motion.shifted_grid(1, SIDE, np.array((5, -7)))
    pair = MovedPair(
        photos[:1, :, :SIDE, :SIDE], torch.zeros(1), grid, torch.zeros(1), torch.ones(1)
    )
    moved, mask = pair.move(pair.first)
    assert torch.allclose(moved[..., :-5, 7:], pair.first[..., 5:, :-7], atol=1e-5)
    assert mask[..., :-5, 7:].min() == 1
    assert mask[..., -4:, :].max() == 0


def test_every_kind_of_motion_is_drawn_and_a_wrong_flow_is_seen(photos: Tensor) -> None:
    still = motion.shifted_grid(2, SIDE, np.array((0, 0)))
    drawn = pairs(photos)
    steps = [(pair.grid - still).reshape(2, -1, 2) for pair in drawn]
    kinds = [
        sum(bool((step == 0).all()) for step in steps),
        sum(bool((step != 0).any() and step.std(1).max() < 1e-5) for step in steps),
        sum(bool(step.std(1).min() > 1e-3) for step in steps),
    ]
    assert min(kinds) >= 5
    assert sum(kinds) == len(drawn)
    for pair in drawn:
        if pair.light.any() or (pair.grid - still).abs().max() < 0.2:
            continue
        turned_back = MovedPair(
            pair.first, pair.second, 2 * still - pair.grid, pair.light, pair.uncovered
        )
        paintings = own_paintings(pair)
        right, wrong = (stability_loss(paintings, p) for p in (pair, turned_back))
        assert wrong > 5 * right + 0.01


def test_a_painting_that_ignores_the_light_is_not_steady(photos: Tensor) -> None:
    lit = [pair for pair in pairs(photos) if pair.light.abs().mean() > 0.02]
    assert len(lit) >= 4
    for pair in lit:
        unlit = torch.cat([pair.first, pair.second - pair.light])
        assert stability_loss(unlit, pair) > 0.01


def test_most_pairs_keep_their_light(photos: Tensor) -> None:
    assert sum(bool(pair.light.any()) for pair in pairs(photos)) < len(SEEDS) / 2


def test_what_passes_in_front_is_cut_from_another_picture(photos: Tensor) -> None:
    """Of four flat pictures, the first and second are moved: each meets the one after the next."""
    flat = torch.tensor([0.2, 0.3, 0.6, 0.7]).view(4, 1, 1, 1).expand_as(photos)
    covered = [pair for pair in pairs(flat) if pair.uncovered.min() == 0]
    assert len(covered) >= 4
    for pair in covered:
        for second, uncovered, level in zip(pair.second, pair.uncovered, (0.6, 0.7), strict=True):
            passing = second[(uncovered == 0).expand_as(second)]
            assert torch.allclose(passing, torch.tensor(level))


@pytest.mark.parametrize(("count", "moved"), [(1, 1), (2, 1), (3, 2)])
def test_half_of_the_pictures_are_moved_and_of_an_odd_number_one_more(
    photos: Tensor, count: int, moved: int
) -> None:
    pair = moved_pair(photos[:count], SIDE, np.random.default_rng(0))
    assert (len(pair.first), len(pair.second)) == (count, moved)


def test_what_passes_in_front_does_not_count(photos: Tensor) -> None:
    covered = [pair for pair in pairs(photos) if pair.uncovered.min() == 0]
    assert len(covered) >= 4
    for pair in covered:
        splashed = own_paintings(pair)
        splashed[4:] += (1 - pair.uncovered).expand_as(splashed[4:])
        assert stability_loss(splashed, pair) < 2e-3


def test_features_move_as_pictures_do_and_their_scale_does_not_matter(photos: Tensor) -> None:
    for pair in pairs(photos):
        if pair.light.any():
            continue
        features = F.avg_pool2d(own_paintings(pair), 4)
        loss = feature_stability_loss(features, pair)
        assert loss < 0.01
        assert torch.allclose(feature_stability_loss(100 * features, pair), loss, rtol=1e-3)
        moved = (pair.grid - motion.shifted_grid(2, SIDE, np.array((0, 0)))).abs().max() > 0.2
        if moved:
            assert feature_stability_loss(features.flip(-1), pair) > 10 * loss


def test_disturbance_is_small_and_there() -> None:
    flat = torch.full((2, 3, 32, 32), 0.5)
    for seed in range(10):
        change = (disturb(flat, np.random.default_rng(seed)) - flat).abs()
        assert 0 < change.mean() < 0.03


def test_noise_is_now_hardly_there_and_now_two_hundredths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "_compress", lambda photo, quality: photo)
    flat = torch.full((1, 3, 32, 32), 0.5)
    sizes = [float(disturb(flat, np.random.default_rng(seed)).std()) for seed in SEEDS]
    assert min(sizes) < 0.002
    assert 0.018 < max(sizes) < 0.021


def test_half_of_the_pictures_are_compressed() -> None:
    """JPEG keeps one colour for each 2x2 pixels; noise alone changes far less."""
    colours = torch.from_numpy(np.random.default_rng(0).uniform(0.2, 0.8, (1, 3, 32, 32))).float()
    changes = [
        (disturb(colours, np.random.default_rng(seed)) - colours).abs().mean() for seed in range(60)
    ]
    assert 15 <= sum(change > 0.05 for change in changes) <= 45
    assert 15 <= sum(change < 0.02 for change in changes) <= 45


def test_what_is_disturbed_stays_the_same_picture() -> None:
    """Its colours in their order, and its rows."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    picture = torch.stack([rows / 32, columns / 32, (rows > 16) * 0.5])[None]
    for seed in range(10):
        change = (disturb(picture, np.random.default_rng(seed)) - picture).abs()
        assert change.mean() < 0.04
