"""Motion made on stills: its flow is exact, so steadiness can be trained without any video.

After ReReVST (Wang et al. 2020, "Consistent video style transfer via relaxation and
regularization"): the painting of a moved picture should be the moved painting. Added here: whole
pixel shifts, which need no resampling and so do not teach blur; pairs that do not move at all but
differ by noise and compression, because a static camera shows flicker most; things that pass in
front; and light that changes, which the painting should follow (ReCoNet, Gao et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from vidstyle.training.config import MARGIN
from vidstyle.training.data import to_tensor

KINDS: Final = {"still": 0.35, "shifted": 0.3, "warped": 0.35}
"""How often each motion comes."""
LIT, COVERED = 0.3, 0.3
"""Shares of the pairs whose light changes, and in which something passes in front."""
LUMINANCE: Final = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class MovedPair:
    """Two pictures of one thing, and how the painting of the first moves onto the second's grid."""

    first: Tensor
    """(N, 3, S, S) in [0, 1]."""
    second: Tensor
    """(M, 3, S, S): the first M pictures again; half of N, because painting is what costs."""
    grid: Tensor
    """(M, S, S, 2): where each pixel of the second lies in the first, in [-1, 1]."""
    light: Tensor
    """(M, 1, S, S): by how much light has changed the luminance."""
    uncovered: Tensor
    """(M, 1, S, S): 0 where something has passed in front, else 1."""

    def move(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Bring what belongs to the first M pictures onto the second's grid.

        Args:
            x: (M, C, S / k, S / k): a painting, or features at a k-th of its size.

        Returns:
            `x` moved, and a mask (M, 1, S / k, S / k) of 1 where both pictures show the same thing.
        """
        inside = (self.grid.abs() < 1).all(-1)[:, None].float() * self.uncovered
        grid, mask = self.grid.to(x.device), inside.to(x.device)
        if x.shape[-1] == grid.shape[1]:
            return _sample(x, grid), mask
        factor = grid.shape[1] // x.shape[-1]
        grid = F.avg_pool2d(grid.permute(0, 3, 1, 2), factor).permute(0, 2, 3, 1)
        return _sample(x, grid), -F.max_pool2d(-mask, factor)


def moved_pair(photos: Tensor, side: int, rng: np.random.Generator) -> MovedPair:
    """Make a pair of the photographs (N, 3, S + 2 MARGIN, S + 2 MARGIN) and their moved selves."""
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    count = (len(photos) + 1) // 2
    first = centre(photos, side)
    if kind == "warped":
        grid = warped_grid(count, side, rng)
        second = _sample(first[:count], grid).clamp(0, 1)
    else:
        most = MARGIN if kind == "shifted" else 0
        shift = rng.integers(-most, most + 1, 2)
        grid = shifted_grid(count, side, shift)
        second = _crop(photos[:count], side, tuple(shift.tolist()))
    second, light = relit(second, rng)
    second, uncovered = covered(second, photos[-count:], rng)
    return MovedPair(first, disturb(second, rng), grid, light, uncovered)


def centre(photos: Tensor, side: int) -> Tensor:
    """Leave out the margin around photographs."""
    return _crop(photos, side, (0, 0))


def shifted_grid(count: int, side: int, shift: np.ndarray) -> Tensor:
    """Sampling positions (N, S, S, 2) that lie `shift` whole pixels (down, right) further."""
    down, right = shift.tolist()
    return _identity(count, side) + torch.tensor((right, down)) * (2 / side)


def warped_grid(count: int, side: int, rng: np.random.Generator) -> Tensor:
    """Sampling positions (N, S, S, 2) of a camera that moves in a scene that moves.

    A turn by up to 8 degrees, a zoom by up to 10 %, a shift of up to 10 px and a smooth flow of
    5 px on a 4x4 grid.
    """
    turn, zoom = np.deg2rad(rng.uniform(-8, 8)), rng.uniform(0.9, 1.1)
    matrix = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    camera = _identity(count, side) @ torch.from_numpy(matrix.T.astype(np.float32))
    coarse = torch.from_numpy(rng.normal(0, 5, (count, 2, 4, 4)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-10, 10, (count, 2, 1, 1)).astype(np.float32))
    flow = F.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=True) + shift
    return camera + flow.permute(0, 2, 3, 1) * (2 / side)


def relit(photos: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Change the exposure of some pairs by up to 15 %; also give the change of luminance."""
    gain = rng.uniform(0.85, 1.15) if rng.random() < LIT else 1.0
    lit = (photos * gain).clamp(0, 1)
    return lit, luminance(lit - photos)


def luminance(pictures: Tensor) -> Tensor:
    """Of (N, 3, H, W), or of a difference of two such: (N, 1, H, W)."""
    return (pictures * torch.tensor(LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True)


def covered(photos: Tensor, others: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Let an ellipse cut from another picture (N, 3, >= S, >= S) hide a part of some pairs."""
    side = photos.shape[-1]
    uncovered = torch.ones_like(photos[:, :1])
    if rng.random() < COVERED:
        rows = torch.arange(side, dtype=torch.float32)[:, None]
        columns = rows.T
        (top, left), (high, wide) = rng.uniform(0, side, 2), rng.uniform(side / 16, side / 4, 2)
        outside = ((rows - top) / high).square() + ((columns - left) / wide).square() > 1
        uncovered = outside.float().expand_as(uncovered)
    return photos * uncovered + others[..., :side, :side] * (1 - uncovered), uncovered


def disturb(photos: Tensor, rng: np.random.Generator) -> Tensor:
    """Add what cameras and codecs add: sensor noise (sigma up to 0.02) and JPEG compression."""
    sigma = rng.uniform(0, 0.02)
    noise = torch.from_numpy(rng.normal(0, sigma, photos.shape).astype(np.float32))
    noisy = (photos + noise).clamp(0, 1)
    if rng.random() < 0.5:
        return noisy
    quality = int(rng.integers(10, 95))
    return torch.stack([_compress(photo, quality) for photo in noisy])


def _identity(count: int, side: int) -> Tensor:
    return F.affine_grid(
        torch.eye(2, 3).expand(count, 2, 3), [count, 3, side, side], align_corners=False
    )


def _crop(photos: Tensor, side: int, shift: tuple[int, int]) -> Tensor:
    top, left = MARGIN + shift[0], MARGIN + shift[1]
    return photos[..., top : top + side, left : left + side]


def _sample(x: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _compress(photo: Tensor, quality: int) -> Tensor:
    pixels = (photo * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return to_tensor(Image.open(buffer))
