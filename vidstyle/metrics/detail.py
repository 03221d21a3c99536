"""How much fine detail a picture has: what a clip loses when steadiness is bought with blur."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vidstyle.types import Picture


def detail(image: Picture) -> float:
    """Variance of the Laplacian of the luma (Pech-Pacheco et al., ICPR 2000): falls with blur.

    Takes (H, W, 3) uint8 RGB, at least 3x3; returns grey levels squared (0-255 scale).
    """
    grey = _luma(image)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def high_band(image: Picture) -> float:
    """Energy of the luma at a quarter of a cycle a pixel and above: the finer half of the spectrum.

    Takes (H, W, 3) uint8 RGB; returns grey levels squared (0-255 scale): a wave of amplitude a
    counts a²/2. A Hann window keeps the picture's borders from counting as detail.
    """
    grey = _luma(image)
    window, band = _hann(*grey.shape), _upper_half(*grey.shape)
    spectrum = np.fft.rfft2((grey - grey.mean()) * window)
    power = np.square(np.abs(spectrum)) * band
    return float(power.sum() / (grey.size * np.square(window).sum()))


def _luma(image: Picture) -> NDArray[np.float32]:
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


@lru_cache(maxsize=4)
def _hann(height: int, width: int) -> NDArray[np.float64]:
    return np.outer(np.hanning(height), np.hanning(width))


@lru_cache(maxsize=4)
def _upper_half(height: int, width: int) -> NDArray[np.float64]:
    """What each bin of `rfft2` counts: 0 below the band; bins that stand for two count twice."""
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    twice = np.where((x == 0) | (x == 0.5), 1.0, 2.0)
    return np.where(np.hypot(x, y) >= 0.25, twice, 0.0)
