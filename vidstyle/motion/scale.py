"""Pictures of other sizes."""

from __future__ import annotations

import cv2

from vidstyle.types import Picture


def scaled(image: Picture, height: int, width: int) -> Picture:
    """The (h, w, 3) picture with (height, width) pixels: areas averaged down, bicubic up."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height), interpolation=kernel)
