"""Losses: zero where they must be, and the closed forms of simple cases."""

import pytest
import torch

from vidstyle.training.losses import (
    content_loss,
    gram,
    stability_loss,
    style_loss,
    total_variation,
)


def test_gram_of_constant_channels_is_their_products() -> None:
    features = torch.tensor([2.0, 3.0]).view(1, 2, 1, 1).expand(1, 2, 5, 7)
    assert torch.allclose(gram(features), torch.tensor([[[4.0, 6.0], [6.0, 9.0]]]))


def test_gram_does_not_overflow_in_half_precision() -> None:
    assert gram(torch.full((1, 1, 8, 8), 18_000.0).half()).isfinite().all()


def test_gram_ignores_where_things_are() -> None:
    features = torch.rand(1, 4, 6, 6)
    assert torch.allclose(gram(features), gram(features.flip(-1).roll(2, -2)), atol=1e-6)


def test_losses_are_zero_at_their_targets_and_one_at_black() -> None:
    features = torch.rand(2, 3, 8, 8) + 0.1
    targets = [gram(features)]
    assert style_loss(targets, targets) == 0
    assert content_loss(features, features) == 0
    assert style_loss([torch.zeros_like(targets[0])], targets).item() == pytest.approx(1)
    assert content_loss(torch.zeros_like(features), features).item() == pytest.approx(1)


def test_losses_do_not_depend_on_the_scale_of_the_network() -> None:
    a, b = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    assert torch.allclose(content_loss(a, b), content_loss(100 * a, 100 * b))
    one, other = style_loss([gram(a)], [gram(b)]), style_loss([gram(100 * a)], [gram(100 * b)])
    assert torch.allclose(one, other)


def test_total_variation_of_a_ramp_is_its_slope_squared() -> None:
    ramp = (0.1 * torch.arange(8.0)).expand(1, 3, 6, 8)
    assert total_variation(ramp).item() == pytest.approx(0.01)


def test_stability_counts_only_inside_the_mask() -> None:
    a, b = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    b[..., 0] = 1.0
    mask = torch.ones(1, 1, 4, 4)
    assert stability_loss(a, b, mask).item() == pytest.approx(0.25)
    mask[..., 0] = 0
    assert stability_loss(a, b, mask) == 0
    assert stability_loss(a, b, torch.zeros_like(mask)) == 0
