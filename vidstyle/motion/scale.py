"""Pictures of other sizes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def scaled(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The (h, w, 3) picture with (height, width) pixels: areas averaged down, bicubic up."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height), interpolation=kernel)
