"""Likeness: 0 or 1 for equal pictures, and what must and must not change it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.metrics.likeness import (
    feature_distance,
    layout_kept,
    self_similarity_distance,
    ssim,
)

Texture = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def pictures(texture: Texture) -> tuple[Tensor, Tensor]:
    a, b = (torch.from_numpy(texture(k)).permute(2, 0, 1)[None] / 255 for k in (0, 1))
    return a, b


def test_ssim_is_1_for_equal_pictures_and_falls_with_noise(
    pictures: tuple[Tensor, Tensor],
) -> None:
    a, b = pictures
    noise = torch.randn(a.shape, generator=torch.manual_seed(0))
    little, much = ((a + s * noise).clamp(0, 1) for s in (0.02, 0.2))
    assert ssim(a, a) == pytest.approx(1)
    assert 1 > ssim(a, little) > 2 * ssim(a, much)
    assert ssim(a, b) < 0.3


def test_ssim_of_two_greys_is_its_closed_form() -> None:
    """Without structure only the means count: (2 m n + c) / (m² + n² + c)."""
    a, b = torch.full((1, 3, 32, 32), 0.4), torch.full((1, 3, 32, 32), 0.8)
    assert ssim(a, b) == pytest.approx((0.64 + 1e-4) / (0.8 + 1e-4), rel=1e-4)


def test_layout_is_kept_through_new_colours_and_not_by_another_picture(
    pictures: tuple[Tensor, Tensor],
) -> None:
    a, b = pictures
    assert layout_kept(a, a) == pytest.approx(1)
    assert layout_kept(a, 1 - a) == pytest.approx(1)
    other = layout_kept(a, b)
    assert other is not None
    assert abs(other) < 0.3
    assert layout_kept(a, torch.full_like(a, 0.5)) is None


def test_feature_distance_asks_for_direction_alone() -> None:
    x = torch.zeros(1, 2, 4, 4)
    y = x.clone()
    x[:, 0], y[:, 1] = 3, 5
    assert feature_distance([x], [10 * x]) == 0
    assert feature_distance([x], [y]) == pytest.approx(2)
    assert feature_distance([x, x], [x, y]) == pytest.approx(1)


def test_self_similarity_changes_with_layout_and_not_with_the_channels_meaning() -> None:
    features = torch.rand(1, 8, 40, 50, generator=torch.manual_seed(0)) ** 4
    assert self_similarity_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert self_similarity_distance(features, 7 * features.flip(1)) == pytest.approx(0, abs=1e-6)
    assert self_similarity_distance(features, features.flip(3)) > 1e-3
    assert self_similarity_distance(features, torch.ones_like(features)) > 1e-3


def test_self_similarity_is_the_divergence_from_the_contents_to_the_paintings() -> None:
    """Of two places, unlike or alike: the softmax of their cosines is (p, 1 - p), or halves."""
    unlike, alike = torch.eye(2).reshape(1, 2, 1, 2), torch.ones(1, 2, 1, 2)
    p = math.e / (math.e + 1)
    there = p * math.log(p / 0.5) + (1 - p) * math.log((1 - p) / 0.5)
    back = 0.5 * math.log(0.5 / p) + 0.5 * math.log(0.5 / (1 - p))
    assert self_similarity_distance(unlike, alike) == pytest.approx(there, rel=1e-4)
    assert self_similarity_distance(alike, unlike) == pytest.approx(back, rel=1e-4)
