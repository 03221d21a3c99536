"""How still a clip holds: the error left after undoing the motion of its source.

The motion and the mask of trusted pixels come from the source clip alone, never from the painted
one. The published measures that compare neighbouring frames are forms of one another, so that one
pass over one flow gives them all: Lai's mean square over trusted pixels, times the part of the
pixels that is trusted, is Ruder's, and the root of the mean of that over a clip is e_stab.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.flow import fine_flow, motion_boundary, outside
from vidstyle.motion.occlusion import occlusion
from vidstyle.motion.warp import warp
from vidstyle.types import Picture

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SourceMotion:
    """The motion from one source frame to another: where its pixels went, and where to trust it."""

    flow: Array
    """(H, W, 2) pixels."""
    trusted: Mask
    """(H, W)."""

    @property
    def coverage(self) -> float:
        """Part of the pixels that is trusted, 0-1."""
        return float(self.trusted.mean())


@dataclass(frozen=True)
class PairError:
    """What motion does not explain of the difference of two frames; colours count from 0 to 1."""

    lai: float
    """Lai et al. (ECCV 2018): mean square over the trusted pixels, and over the channels."""
    ruder: float
    """Ruder et al. (IJCV 2018): mean square over all pixels, untrusted ones counting as 0."""
    absolute: float
    """Lei et al. (NeurIPS 2020): mean absolute difference over the trusted pixels."""


def source_motions(first: Picture, second: Picture) -> tuple[SourceMotion, SourceMotion]:
    """The motion from `first` to `second`, and the one back.

    Trusted is, as with Lai et al., what is not hidden in the other frame nor beside a jump of the
    flow; what leaves the picture is not trusted either.
    """
    there, back = fine_flow(first, second), fine_flow(second, first)
    return _motion(there, back), _motion(back, there)


def _motion(flow: Array, back: Array) -> SourceMotion:
    return SourceMotion(flow, ~(occlusion(flow, back) | motion_boundary(flow) | outside(flow)))


def pair_error(first: Picture, second: Picture, motion: SourceMotion) -> PairError | None:
    """Compare `first` with `second` fetched back along `motion` (first to second, bilinear).

    Takes two (H, W, 3) uint8 frames. None where no pixel is trusted: nothing is known then, and 0
    would be praise.
    """
    if not motion.trusted.any():
        return None
    difference = _difference(first, second, motion)
    trusted = difference[motion.trusted]
    masked = difference * motion.trusted[..., None]
    return PairError(
        lai=float(np.square(trusted, dtype=np.float64).mean()),
        ruder=float(np.square(masked, dtype=np.float64).mean()),
        absolute=float(np.abs(trusted).mean(dtype=np.float64)),
    )


def error_map(first: Picture, second: Picture, motion: SourceMotion) -> Array:
    """The square error that `pair_error` averages: (H, W), 0 where it is not trusted."""
    square = np.square(_difference(first, second, motion)).mean(axis=-1)
    return np.where(motion.trusted, square, np.float32(0))


def _difference(first: Picture, second: Picture, motion: SourceMotion) -> Array:
    fetched = warp(second.astype(np.float32), motion.flow)
    return (fetched - first) / np.float32(255)
