"""Losses: zero where they must be, and the closed forms of simple cases."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidstyle.training.losses import (
    FeatureStatistics,
    content_loss,
    feature_stability_loss,
    grid_loss,
    stability_loss,
    statistics,
    style_loss,
    total_variation,
)
from vidstyle.training.motion import MovedPair, shifted_grid


def test_statistics_of_two_values_are_theirs() -> None:
    """One channel is 1 or 3, the other is -2 where the first is 1 and 2 elsewhere."""
    first = torch.tensor([1.0, 3.0]).repeat(1, 1, 4, 3)
    features = torch.cat([first, 2 * (first - 2)], dim=1)
    found = statistics(features)
    assert torch.allclose(found.mean, torch.tensor([[2.0, 0.0]]))
    assert torch.allclose(found.covariance, torch.tensor([[[1.0, 2.0], [2.0, 4.0]]]))


def test_statistics_do_not_overflow_in_half_precision() -> None:
    features = torch.randn(1, 2, 8, 8).mul(18_000).clamp(-60_000, 60_000).half()
    assert all(part.isfinite().all() for part in statistics(features))


def test_statistics_ignore_where_things_are() -> None:
    features = torch.rand(1, 4, 6, 6)
    for a, b in zip(statistics(features), statistics(features.flip(-1).roll(2, -2)), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_flat_and_far_too_contrasty_paintings_cost_about_the_same() -> None:
    style = [statistics(torch.randn(1, 3, 32, 32))]
    mean = style[0].mean
    flat = [FeatureStatistics(mean, torch.zeros_like(style[0].covariance))]
    harsh = [FeatureStatistics(mean, 1000 * style[0].covariance)]
    assert style_loss(flat, style).item() == pytest.approx(1, rel=1e-4)
    assert style_loss(harsh, style).item() == pytest.approx(1, rel=0.01)


def test_a_shift_of_the_mean_costs_its_square_in_deviations() -> None:
    style = [statistics(torch.randn(1, 3, 32, 32))]
    deviation = style[0].covariance.diagonal(dim1=1, dim2=2).sqrt()
    losses = [
        style_loss([FeatureStatistics(style[0].mean + k * deviation, style[0].covariance)], style)
        for k in (1, 2)
    ]
    assert losses[0].item() == pytest.approx(0.5, rel=0.02)
    assert losses[1].item() == pytest.approx(2.0, rel=0.02)


def test_a_faint_channel_counts_as_much_as_a_strong_one() -> None:
    """Colour is faint beside brightness: what the plain Gram matrix would overlook."""
    features = torch.randn(1, 2, 32, 32) * torch.tensor([10.0, 2.0]).view(1, 2, 1, 1)
    style, losses = [statistics(features)], []
    for channel in range(2):
        lost = features.clone()
        lost[:, channel] = 0
        losses.append(style_loss([statistics(lost)], style).item())
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_a_shift_is_measured_by_the_paintings_contrast_as_well() -> None:
    """10 deviations of the style are one of both, where the painting's variance is 99 times its."""
    style = statistics(torch.randn(1, 3, 32, 32, generator=torch.manual_seed(0)))
    deviation = style.covariance.diagonal(dim1=1, dim2=2).sqrt()
    there, away = (
        style_loss([FeatureStatistics(mean, 99 * style.covariance)], [style])
        for mean in (style.mean, style.mean + 10 * deviation)
    )
    assert (away - there).item() == pytest.approx(1, rel=0.01)


def test_a_channel_that_hardly_responds_to_the_style_does_not_rule() -> None:
    noise = torch.randn(2, 2, 64, 64, generator=torch.manual_seed(0))
    style = noise[:1] * torch.tensor([1, 1e-4]).view(1, 2, 1, 1)
    painted = style.clone()
    painted[:, 1] += 0.01 * noise[1:, 1]
    assert style_loss([statistics(painted)], [statistics(style)]) < 0.05


def test_losses_are_zero_at_their_targets() -> None:
    features = torch.rand(2, 3, 8, 8) + 0.1
    style = [statistics(features)]
    assert style_loss(style, style) == 0
    assert content_loss(features, features) == 0
    assert content_loss(torch.zeros_like(features), features).item() == pytest.approx(1)


def test_losses_do_not_depend_on_the_scale_of_the_network() -> None:
    a, b = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    assert torch.allclose(content_loss(a, b), content_loss(100 * a, 100 * b))
    one = style_loss([statistics(a)], [statistics(b)])
    other = style_loss([statistics(100 * a)], [statistics(100 * b)])
    assert torch.allclose(one, other, rtol=1e-4)


def test_total_variation_of_a_ramp_is_its_slope_squared() -> None:
    ramp = (0.1 * torch.arange(8.0)).expand(1, 3, 6, 8)
    assert total_variation(ramp).item() == pytest.approx(0.01)


def still_pair(uncovered: torch.Tensor) -> MovedPair:
    size = uncovered.shape[-1]
    grid = shifted_grid(1, size, np.zeros(2, int))
    picture = torch.zeros(1, 3, size, size)
    return MovedPair(picture, picture, grid, torch.zeros(1, 1, size, size), uncovered)


def test_stability_counts_only_inside_the_mask() -> None:
    a, b = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    b[..., 0] = 1.0
    mask = torch.ones(1, 1, 4, 4)
    assert stability_loss(torch.cat([a, b]), still_pair(mask)).item() == pytest.approx(0.25)
    mask[..., 0] = 0
    assert stability_loss(torch.cat([a, b]), still_pair(mask)) == 0
    assert stability_loss(torch.cat([a, b]), still_pair(torch.zeros_like(mask))) == 0


def test_white_need_not_become_lighter() -> None:
    pair = still_pair(torch.ones(1, 1, 8, 8))
    lit = replace(pair, light=torch.full_like(pair.light, 0.1))
    assert stability_loss(torch.ones(2, 3, 8, 8), lit) == 0
    assert stability_loss(torch.full((2, 3, 8, 8), 0.5), lit).item() == pytest.approx(0.1)


def test_features_that_should_hold_still_gain_nothing_by_being_large() -> None:
    """Both are drawn towards each other, as hard; their size is only a unit."""
    features = torch.rand(2, 3, 8, 8, generator=torch.manual_seed(0)).requires_grad_()
    feature_stability_loss(features, still_pair(torch.ones(1, 1, 8, 8))).backward()
    assert features.grad is not None
    assert features.grad.any()
    assert torch.allclose(features.grad[0], -features.grad[1], atol=1e-6)


def test_a_texture_on_the_networks_grid_costs_and_the_same_off_it_does_not() -> None:
    columns = torch.arange(88)
    locked, free = ((columns % period == 0).float().expand(1, 3, 88, 88) for period in (4, 5))
    assert grid_loss(locked).item() == pytest.approx(3 / 16)
    assert grid_loss(free) < 0.05 * grid_loss(locked)
    assert grid_loss(torch.full((1, 3, 88, 88), 0.3)) < 1e-12


def test_the_grid_shows_in_pictures_smaller_than_what_is_averaged() -> None:
    columns = (torch.arange(16) % 4 == 0).float().expand(1, 3, 16, 16)
    assert grid_loss(columns).item() == pytest.approx(3 / 16)
