"""Whether a clip moves with its source, or buys steadiness by standing still."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vidstyle.metrics.steadiness import Mask, SourceMotion
from vidstyle.motion.warp import warp
from vidstyle.types import Picture

LEAST_MOTION: Final = 0.5
"""Pixels a frame from which on something moves."""
_LEAST_SHARE = 0.005
_STILL = 0.1


def moving(motion: SourceMotion) -> Mask | None:
    """The trusted pixels that move; None where they are under half a percent of the picture."""
    mask = motion.trusted & (np.hypot(*np.moveaxis(motion.flow, -1, 0)) >= LEAST_MOTION)
    return mask if mask.mean() >= _LEAST_SHARE else None


def followed(first: Picture, second: Picture, motion: SourceMotion, mask: Mask) -> float | None:
    """How much better the source's motion explains a pair than standing still does, -1 to 1.

    (S - M) / (S + M) over the pixels of `mask`: S is the square difference of the two frames as
    they are, M that with the motion undone. 1 moves with the source, -1 is a frozen picture, or
    paint that sticks to the screen; None where nothing differs at all.
    """
    still = _square(second[mask].astype(np.float32) - first[mask])
    undone = warp(second.astype(np.float32), motion.flow)
    moved = _square(undone[mask] - first[mask])
    return (still - moved) / (still + moved) if still + moved else None


def stands_still(
    first: Picture, second: Picture, source: tuple[Picture, Picture], mask: Mask
) -> bool:
    """Whether a clip changes less than a tenth as much as its source where that moves."""
    own, its = (
        float(np.abs(b[mask].astype(np.float32) - a[mask]).mean())
        for a, b in ((first, second), source)
    )
    return own < _STILL * its


def _square(difference: NDArray[np.float32]) -> float:
    return float(np.square(difference, dtype=np.float64).mean())
