"""How still a clip holds: the error left after undoing the motion of its source.

The motion and the mask of trusted pixels come from the source clip alone, never from the painted
one, and the frames are those before encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.flow import fine_flow, motion_boundary, occlusion
from vidstyle.motion.warp import warp

Image = NDArray[np.uint8]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Steadiness:
    """What is left of a clip's differences from frame to frame; colours count from 0 to 1."""

    warp_error: float
    """E_warp of Lai et al. (ECCV 2018): mean square over the trusted pixels, mean over pairs."""
    square_error: float
    """Ruder et al. (IJCV 2018): mean square over all pixels, untrusted ones counting as 0."""
    coverage: float
    """Part of the pixels that is trusted, 0-1."""

    @property
    def e_stab(self) -> float:
        """Huang et al. (CVPR 2017), ReCoNet: the root of `square_error`."""
        return sqrt(self.square_error)


@dataclass(frozen=True)
class SourceMotion:
    """The motion from one source frame to the next: flow in pixels and where to trust it."""

    flow: Flow
    trusted: Mask


def source_motion(first: Image, second: Image) -> SourceMotion:
    """Flow from `first` to `second` and the mask of Lai et al.: no occlusions, no motion edges."""
    forward, backward = fine_flow(first, second), fine_flow(second, first)
    return SourceMotion(forward, ~(occlusion(forward, backward) | motion_boundary(forward)))


def square_error(first: Image, second: Image, motion: SourceMotion) -> float:
    """Sum over trusted pixels of (W(second) - first)², W being a bilinear backward warp.

    Takes two (H, W, 3) uint8 frames; the sum is over pixels of the mean over channels, of colours
    scaled to 0-1.
    """
    returned = warp(second.astype(np.float32), motion.flow, "linear")
    difference = (returned - first)[motion.trusted] / 255
    return float(np.square(difference, dtype=np.float64).sum() / first.shape[-1])


def steadiness(frames: Sequence[Image], motions: Sequence[SourceMotion | None]) -> Steadiness:
    """Measure a clip of N frames against the N - 1 motions of its source (Lai et al.'s form).

    A pair whose motion is None lies across a cut and is left out. Raises ValueError when the
    numbers do not fit or no pair is left.
    """
    if len(frames) != len(motions) + 1:
        raise ValueError(f"{len(frames)} frames need {len(frames) - 1} motions, got {len(motions)}")
    pairs = [
        (*pair, motion)
        for pair, motion in zip(pairwise(frames), motions, strict=True)
        if motion is not None
    ]
    if not pairs:
        raise ValueError("steadiness needs two neighbouring frames of one shot")
    errors = np.array([square_error(*pair) for pair in pairs])
    trusted = np.array([motion.trusted.sum() for _, _, motion in pairs])
    pixels = pairs[0][2].trusted.size
    return Steadiness(
        warp_error=float((errors / np.maximum(trusted, 1)).mean()),
        square_error=float(errors.mean() / pixels),
        coverage=float(trusted.mean() / pixels),
    )
