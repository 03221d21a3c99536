"""What a painting is asked to be. Style and content are free of scale: 0 is perfect, 1 is black."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """Gram matrix (N, C, C) in fp32 of features (N, C, H, W), divided by H*W (Gatys et al. 2016).

    Products of bfloat16 are summed in fp32; fp16 would overflow and is widened first.
    """
    flat = features.flatten(2)
    if flat.dtype == torch.float16:
        flat = flat.float()
    return (flat @ flat.transpose(1, 2)).float() / flat.shape[2]


def style_loss(grams: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    """Squared distance of each Gram matrix to the style's, over the style's own square, summed."""
    return torch.stack(
        [
            (g - t).square().sum((1, 2)).mean() / t.square().sum((1, 2)).mean()
            for g, t in zip(grams, targets, strict=True)
        ]
    ).sum()


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Mean square distance of features (N, C, H, W), over the target's mean square."""
    return (features.float() - target.float()).square().mean() / target.float().square().mean()


def total_variation(x: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels of (N, 3, H, W)."""
    down = (x[..., 1:, :] - x[..., :-1, :]).square().mean()
    right = (x[..., 1:] - x[..., :-1]).square().mean()
    return down + right


def stability_loss(painted: Tensor, moved: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of two paintings (N, 3, H, W) of the same thing where mask is 1.

    Args:
        painted: the painting of the moved picture.
        moved: the painting of the still picture, moved along the same flow.
        mask: (N, 1, H, W), 1 where the flow stays inside the picture.
    """
    return ((painted - moved).abs() * mask).sum() / (3 * mask.sum()).clamp(min=1)
