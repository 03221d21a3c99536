"""Motion made on stills: its flow is exact, so steadiness can be trained without any video.

After ReReVST (Wang et al. 2020, "Consistent video style transfer via relaxation and
regularization"): the painting of a moved picture should be the moved painting. Added here: whole
pixel shifts, which need no resampling and so do not teach blur, and pairs that do not move at all
but differ by noise and compression, because a static camera shows flicker most.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from vidstyle.training.data import to_tensor

MARGIN = 16
"""Pixels around a crop, so that a shift does not leave it."""


@dataclass(frozen=True)
class MovedPair:
    """Two pictures of one thing, and how the painting of the first moves onto the second's grid."""

    first: Tensor
    """(N, 3, S, S) in [0, 1]."""
    second: Tensor
    """(M, 3, S, S): the first M pictures again; half of N, because painting is what costs."""
    grid: Tensor | None
    """(M, S, S, 2) sampling positions in [-1, 1]; None when nothing but a crop is needed."""
    shift: tuple[int, int]
    """Whole pixels (down, right) that the second's content has moved by, when grid is None."""

    def move(self, painting: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Bring the first's painting onto the second's grid.

        Returns:
            The part of `second` that both show, `painting` moved there, and a mask (N, 1, H, W).
        """
        if self.grid is None:
            moved, kept = _overlap(painting, second, self.shift)
            return kept, moved, torch.ones_like(kept[:, :1])
        moved = _sample(painting, self.grid)
        inside = (self.grid.abs() < 1).all(-1)[:, None].to(painting.dtype)
        return second, moved, inside


def moved_pair(photos: Tensor, side: int, rng: np.random.Generator) -> MovedPair:
    """Make a still, shifted or warped pair of photographs (N, 3, S + 2 MARGIN, S + 2 MARGIN)."""
    kind = rng.choice(3, p=(0.4, 0.3, 0.3))
    first = photos[..., MARGIN : MARGIN + side, MARGIN : MARGIN + side]
    count = (len(photos) + 1) // 2
    if kind == 2:
        grid = smooth_grid(count, side, rng)
        return MovedPair(first, disturb(_sample(first[:count], grid), rng), grid, (0, 0))
    down, right = (0, 0) if kind == 0 else rng.integers(-MARGIN, MARGIN + 1, 2).tolist()
    top, left = MARGIN - down, MARGIN - right
    second = photos[:count, :, top : top + side, left : left + side]
    return MovedPair(first, disturb(second, rng), None, (down, right))


def smooth_grid(count: int, side: int, rng: np.random.Generator) -> Tensor:
    """Make sampling positions (N, S, S, 2): a smooth flow of 6 px on a 4x4 grid, a 10 px shift."""
    coarse = torch.from_numpy(rng.normal(0, 6, (count, 2, 4, 4)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-10, 10, (count, 2, 1, 1)).astype(np.float32))
    flow = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True) + shift
    identity = torch.eye(2, 3).expand(count, 2, 3)
    grid = F.affine_grid(identity, [count, 3, side, side], align_corners=False)
    return grid + flow.permute(0, 2, 3, 1) * (2 / side)


def disturb(photos: Tensor, rng: np.random.Generator) -> Tensor:
    """Add what cameras and codecs add: sensor noise (sigma up to 0.02) and JPEG compression."""
    sigma = rng.uniform(0, 0.02)
    noise = torch.from_numpy(rng.normal(0, sigma, photos.shape).astype(np.float32))
    noisy = (photos + noise).clamp(0, 1)
    if rng.random() < 0.5:
        return noisy
    quality = int(rng.integers(40, 95))
    return torch.stack([_compress(photo, quality) for photo in noisy])


def _sample(x: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _compress(photo: Tensor, quality: int) -> Tensor:
    pixels = (photo * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return to_tensor(Image.open(buffer))


def _overlap(first: Tensor, second: Tensor, shift: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Crop both to what they share, where second(p) shows first(p - shift)."""
    down, right = shift
    height, width = first.shape[-2:]
    rows, columns = (
        slice(max(down, 0), height + min(down, 0)),
        slice(max(right, 0), width + min(right, 0)),
    )
    kept = second[..., rows, columns]
    moved = first[
        ..., rows.start - down : rows.stop - down, columns.start - right : columns.stop - right
    ]
    return moved, kept
