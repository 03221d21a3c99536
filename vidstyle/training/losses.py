"""What a painting is asked to be. Style and content are free of scale: 0 is perfect.

Style is what Gatys et al. (2016) measure with Gram matrices, in a form that sees colour: a Gram
matrix is mostly the product of mean activations, beside which the little that yellow differs from
blue goes unnoticed. So means and covariances are compared apart (Li et al. 2017, "Demystifying
neural style transfer", show that both are distances between feature distributions), in units of
each channel's own deviation in the painting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from vidstyle.training.motion import MovedPair

LEAST_DEVIATION: Final = 0.1
"""Of a channel, relative to the layer's: one that hardly responds to the painting must not rule."""

GRID: Final = 4
"""Pixels from one place of the networks' coarsest grid to the next."""
GRID_TILE: Final = 11
"""Grid cells, down and across, over which `grid_loss` averages."""


class FeatureStatistics(NamedTuple):
    """How the channels of one layer are distributed over a picture."""

    mean: Tensor
    """(N, C)."""
    covariance: Tensor
    """(N, C, C)."""


def statistics(features: Tensor) -> FeatureStatistics:
    """Mean and covariance, in fp32, of features (N, C, H, W) over H and W.

    Products of bfloat16 are summed in fp32; fp16 would overflow and is widened first.
    """
    flat = features.flatten(2)
    mean = flat.float().mean(2)
    centred = flat - mean[..., None].to(flat.dtype)
    if flat.dtype == torch.float16:
        centred = centred.float()
    return FeatureStatistics(mean, (centred @ centred.transpose(1, 2)).float() / flat.shape[2])


def style_loss(painted: Sequence[FeatureStatistics], style: Sequence[FeatureStatistics]) -> Tensor:
    """Distance of the painted layers' statistics to the style's, summed over the layers."""
    return torch.stack([_layer_loss(p, s) for p, s in zip(painted, style, strict=True)]).sum()


def _layer_loss(painted: FeatureStatistics, style: FeatureStatistics) -> Tensor:
    """Distance of means plus distance of covariances, each 0 to about 1.

    Both are relative to painting and style alike: over the style's own size alone, a photograph's
    higher contrast would cost a hundred times what no contrast at all costs, and teach pallor.
    """
    variances = (
        painted.covariance.diagonal(dim1=1, dim2=2),
        style.covariance.diagonal(dim1=1, dim2=2),
    )
    floor = LEAST_DEVIATION**2 * variances[1].mean(1, keepdim=True) + 1e-12
    of_means = (painted.mean - style.mean).square() / (variances[0] + variances[1] + floor)
    deviation = variances[1].clamp(min=floor).sqrt()
    units = deviation[:, :, None] * deviation[:, None, :]
    a, b = painted.covariance / units, style.covariance / units
    of_covariances = (a - b).square().sum((1, 2)) / (a.square() + b.square()).sum((1, 2))
    return of_means.mean() + of_covariances.mean()


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Mean square distance of features (N, C, H, W), over the target's mean square."""
    return (features.float() - target.float()).square().mean() / target.float().square().mean()


def total_variation(x: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels of (N, 3, H, W)."""
    down = (x[..., 1:, :] - x[..., :-1, :]).square().mean()
    right = (x[..., 1:] - x[..., :-1]).square().mean()
    return down + right


def grid_loss(painted: Tensor) -> Tensor:
    """Variance over the places of a 4x4 grid of what is painted there on average over 44x44 pixels.

    A network that works at a quarter of the size may paint a texture that is locked to its own
    grid; what a picture shows is not, so its places differ by chance alone.
    """
    cells = F.pixel_unshuffle(painted, GRID)
    places = F.avg_pool2d(cells, min(GRID_TILE, *cells.shape[-2:]))
    count, _, down, across = places.shape
    by_place = places.reshape(count, -1, GRID * GRID, down, across)
    return (by_place - by_place.mean(2, keepdim=True)).square().mean()


def stability_loss(painted: Tensor, pair: MovedPair) -> Tensor:
    """Mean absolute difference of two paintings of the same thing; light may change it.

    The output loss of ReCoNet (Gao et al. 2018): the painting changes as the luminance does.

    Args:
        painted: (N + M, 3, H, W): the paintings of the pair's first and second pictures.
        pair: what was painted.
    """
    count = len(pair.second)
    moved, mask = pair.move(painted[:count])
    target = (moved + pair.light.to(moved.device)).clamp(0, 1)
    return ((painted[-count:] - target).abs() * mask).sum() / (3 * mask.sum()).clamp(min=1)


def feature_stability_loss(features: Tensor, pair: MovedPair) -> Tensor:
    """Mean square difference of the features of the same thing, over their own mean square.

    The feature loss of ReCoNet, made free of scale.

    Args:
        features: (N + M, C, H / k, W / k) of the pair's first and second pictures.
        pair: what they were made from.
    """
    count = len(pair.second)
    moved, mask = pair.move(features[:count])
    error = ((features[-count:] - moved).square() * mask).sum()
    return error / (mask * moved.detach().square()).sum().clamp(min=1e-6)
