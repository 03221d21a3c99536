"""Whose turn it is to be painted anew while the style itself changes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.opencv_ops import OpenCvOps

Plane = NDArray[np.float32]

# How often each pixel is painted anew while one style becomes another: seldom enough to hold still,
# often enough that no patch stands out beside its neighbours.
_ROUNDS = 12
ROUND: Final = 1 / _ROUNDS
"""Change of a style in which each pixel is painted anew once."""
# Pixels of the half-size frame between two patches that take turns.
_PATCH = 24
_SEED = 0


class Turns:
    """Kept paint gives way to a changing style patch by patch: all at once would flash."""

    def __init__(self, height: int, width: int) -> None:
        """For a half-size frame."""
        cells = (height // _PATCH + 2, width // _PATCH + 2)
        lots = np.random.default_rng(_SEED).random(cells, np.float32)
        self._lot: Plane = OpenCvOps().resized(lots, (height, width), "linear")
        self._taken = np.full((height, width), -1.0, np.float32)

    def advance(self, changed: float) -> Plane:
        """Go on to a frame: (h, w), 1 where it must be painted anew.

        Args:
            changed: how much of the style has changed by now, 1 for a whole one; it never falls.
        """
        turn = np.floor(_ROUNDS * np.float32(changed) + self._lot)
        due, self._taken = turn > self._taken, turn
        return due.astype(np.float32)
