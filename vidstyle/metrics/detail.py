"""How much fine detail a picture has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def detail(image: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the luma (Pech-Pacheco et al., ICPR 2000): falls with blur.

    Takes (H, W, 3) uint8 RGB, at least 3x3; returns grey levels squared (0-255 scale).
    """
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())
