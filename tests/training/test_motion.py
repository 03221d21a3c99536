"""Synthetic motion: its flow is exact, so a perfect painter has no stability loss."""

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.training import motion
from vidstyle.training.losses import stability_loss
from vidstyle.training.motion import MARGIN, disturb, moved_pair

SIDE = 64


@pytest.fixture
def photos() -> Tensor:
    torch.manual_seed(0)
    coarse = torch.rand(4, 3, 9, 9)
    size = SIDE + 2 * MARGIN
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("seed", range(12))
def test_the_identity_painter_is_perfectly_steady(
    photos: Tensor, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(motion, "disturb", lambda x, rng: x)
    pair = moved_pair(photos, SIDE, np.random.default_rng(seed))
    assert pair.first.shape == (4, 3, SIDE, SIDE)
    assert pair.second.shape == (2, 3, SIDE, SIDE)
    kept, moved, mask = pair.move(pair.first[:2], pair.second)
    assert stability_loss(kept, moved, mask) < 1e-6
    assert mask.mean() > 0.3


def test_every_kind_of_motion_is_drawn_and_a_wrong_flow_would_be_seen(photos: Tensor) -> None:
    pairs = [moved_pair(photos, SIDE, np.random.default_rng(seed)) for seed in range(40)]
    warped = [p for p in pairs if p.grid is not None]
    shifted = [p for p in pairs if p.grid is None and p.shift != (0, 0)]
    still = [p for p in pairs if p.grid is None and p.shift == (0, 0)]
    assert min(len(warped), len(shifted), len(still)) >= 5
    for pair in warped + shifted:
        right = stability_loss(*pair.move(pair.first[:2], pair.second))
        ignored = (pair.first[:2] - pair.second).abs().mean()
        assert right < 0.5 * ignored


def test_disturbance_is_small_and_there() -> None:
    flat = torch.full((2, 3, 32, 32), 0.5)
    for seed in range(10):
        change = (disturb(flat, np.random.default_rng(seed)) - flat).abs()
        assert 0 < change.mean() < 0.03
