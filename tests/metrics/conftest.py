"""Pictures and motions for the metrics."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.metrics.steadiness import SourceMotion

HEIGHT, WIDTH = 120, 160

Image = NDArray[np.uint8]


@pytest.fixture(scope="session")
def texture() -> Callable[..., Image]:
    """Makes pictures of soft coloured noise."""

    def make(seed: int, width: int = WIDTH) -> Image:
        noise = np.random.default_rng(seed).normal(size=(HEIGHT, width, 3)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), 3)
        return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def motion() -> Callable[..., SourceMotion]:
    """Makes a motion of whole pixels to the right, trusted where it stays inside."""

    def make(right: int = 0) -> SourceMotion:
        flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
        flow[..., 0] = right
        column = np.arange(WIDTH) + right
        trusted = np.broadcast_to((column >= 0) & (column < WIDTH), (HEIGHT, WIDTH)).copy()
        return SourceMotion(flow, trusted)

    return make
