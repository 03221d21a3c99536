"""Fetching a picture along a flow."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array", NDArray[np.uint8], NDArray[np.float32])


def warp(image: Array, flow: NDArray[np.float32]) -> Array:
    """Sample `image` bilinearly at p + flow(p); outside lies the nearest pixel of the border.

    Takes (H, W) or (H, W, C) uint8 or float32 and an (H, W, 2) float32 flow in pixels; returns an
    array like `image`. Whole-pixel offsets copy exactly.
    """
    places = grid(*flow.shape[:2]) + flow
    return cv2.remap(image, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=8)
def grid(height: int, width: int) -> NDArray[np.float32]:
    """The (H, W, 2) float32 x and y of every pixel. Shared: do not write into it."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    places = np.stack((x, y), axis=-1)
    places.setflags(write=False)
    return places
