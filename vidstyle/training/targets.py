"""What a painting asks of those that are to look like it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from vidstyle.errors import InputError
from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual
from vidstyle.stylizers.registry import shipped_file
from vidstyle.training.data import load_picture, scale_short_side, to_tensor
from vidstyle.training.losses import FeatureStatistics, statistics

PERCEPTUAL: Final = "perceptual.safetensors"
"""The shipped perceptual network; `weights/distil.py` makes it."""
LEAST_CONTRAST: Final = 8
"""Levels of 255 between the darkest and the brightest pixel of a painting."""


def perceptual_network(path: Path | None) -> PerceptualNetwork:
    """Load the perceptual network that judges a training."""
    return load_perceptual(perceptual_path(path))


def perceptual_path(path: Path | None) -> Path:
    """Where it is: the shipped one where none is named."""
    return path or shipped_file(PERCEPTUAL)


@torch.no_grad()
def style_targets(
    perceptual: PerceptualNetwork, paintings: Iterable[Tensor]
) -> list[FeatureStatistics]:
    """Feature statistics by layers of a painting (1, 3, H, W), or of several on average.

    What differs from painting to painting is left out: a picture is asked to look like one of
    them, not like all side by side.
    """
    seen = [[statistics(layer) for layer in perceptual(painting)] for painting in paintings]
    return [average(layers) for layers in zip(*seen, strict=True)]


def average(layers: Iterable[FeatureStatistics]) -> FeatureStatistics:
    """Mean statistics of one layer over all paintings."""
    means, covariances = zip(*layers, strict=True)
    return FeatureStatistics(torch.stack(means).mean(0), torch.stack(covariances).mean(0))


def load_painting(path: Path, short_side: int) -> Tensor:
    """Read a painting (1, 3, H, W); enlarged more than twice, it would teach blur.

    Raises:
        InputError: the file is no picture, a too small one, or a blank one.
    """
    picture = load_picture(path)
    if 2 * min(picture.size) < short_side:
        raise InputError(
            f"{path}: {picture.width}x{picture.height} is too small a painting (enlarged, it would "
            f"teach blur); its short side must be at least {short_side // 2} pixels, better "
            f"{short_side}, or lower --style-size"
        )
    if np.ptp(np.asarray(picture), axis=(0, 1)).max() < LEAST_CONTRAST:
        raise InputError(f"{path}: is of one flat colour; there is nothing to learn from it")
    return to_tensor(scale_short_side(picture, short_side))[None]
