"""Changes that a discriminator is not to mind, so that it learns no small collection by heart.

Zhao et al. (2020), "Differentiable augmentation for data-efficient GAN training": real and made
pictures are changed alike, and the generator learns through the changes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT: Final = 1 / 8
"""Farthest shift, of the side."""
CUT: Final = 1 / 2
"""Side of the square that is cut out, of the picture's."""


def augment(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Change colours, shift and cut a hole into each of (N, 3, S, S) in [0, 1], differentiably."""
    return torch.stack([_cut(_shift(_colour(x, rng), rng), rng) for x in pictures])


def _colour(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Change brightness by up to a quarter, saturation up to twofold, contrast by up to half."""
    x = x + rng.uniform(-0.25, 0.25)
    grey = x.mean(0, keepdim=True)
    x = grey + (x - grey) * rng.uniform(0, 2)
    mean = x.mean()
    return mean + (x - mean) * rng.uniform(0.5, 1.5)


def _shift(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Shift; mid-grey moves in."""
    most = round(SHIFT * x.shape[-1])
    top, left = rng.integers(2 * most + 1, size=2).tolist()
    side = x.shape[-1]
    return F.pad(x, (most, most, most, most), value=0.5)[:, top : top + side, left : left + side]


def _cut(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Cover a square, whose centre lies anywhere, with mid-grey."""
    side, half = x.shape[-1], round(CUT * x.shape[-1] / 2)
    row, column = rng.integers(side, size=2).tolist()
    hole = torch.zeros_like(x[:1], dtype=torch.bool)
    hole[:, max(0, row - half) : row + half, max(0, column - half) : column + half] = True
    return torch.where(hole, 0.5, x)
