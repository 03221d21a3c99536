"""Telling a hard cut from motion and from a change of light."""

from __future__ import annotations

import cv2
import numpy as np

from vidstyle.motion.flow import fine_flow
from vidstyle.motion.warp import warp
from vidstyle.types import Picture

THUMBNAIL = (36, 64)
"""Height and width of the pictures that are compared; those that have it are taken as they are."""

# On real clips, neighbours within a shot leave at most 0.040 unexplained, cuts at least 0.061.
_UNEXPLAINED = 0.05
# A flash changes every colour but keeps the layout; cuts correlate at most 0.88.
_ALIKE = 0.92
# Where little is shown, as letters on a flat ground, little changes: 0.006 to 0.013 from slide to
# slide and card to card, which correlate at most 0.77. Real neighbours do so by 0.86 at least, but
# for noise: flat ground and fog have up to 3 levels of contrast, slides and titles from 7 on.
_LITTLE, _OTHER, _CONTRAST = 0.004, 0.8, 6.0


def is_cut(a: Picture, b: Picture) -> bool:
    """Whether a hard cut lies between two neighbouring (H, W, 3) uint8 RGB frames of one size.

    A pure function of the two: thumbnails differ even with motion undone, and not by light alone.
    """
    small_a, small_b = (_thumbnail(image) for image in (a, b))
    if not _differ(small_a, small_b):
        return False  # as most neighbours are; no need to look for motion
    return _differ(small_a, warp(small_b, fine_flow(small_a, small_b)))


def _differ(a: Picture, b: Picture) -> bool:
    difference = _difference(a, b)
    if difference > _UNEXPLAINED:
        return _correlation(a, b) < _ALIKE
    return (
        difference > _LITTLE
        and max(_contrast(a), _contrast(b)) >= _CONTRAST
        and _correlation(a, b) < _OTHER
    )


def _contrast(a: Picture) -> float:
    """Levels by which the most varied channel deviates from its mean."""
    return float(a.std(axis=(0, 1)).max())


def _thumbnail(image: Picture) -> Picture:
    return cv2.resize(image, THUMBNAIL[::-1], interpolation=cv2.INTER_AREA)


def _difference(a: Picture, b: Picture) -> float:
    """Mean absolute difference, 0 to 1."""
    return float(cv2.absdiff(a, b).mean()) / 255


def _correlation(a: Picture, b: Picture) -> float:
    """Of the colours about their means, -1 to 1."""
    x, y = (image - image.mean(axis=(0, 1)) for image in (a, b))
    return float((x * y).sum() / max(np.sqrt((x * x).sum() * (y * y).sum()), 1e-9))
