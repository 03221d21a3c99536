"""Whose turn it is to be painted anew while the style itself changes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# How often each pixel is painted anew while one style becomes another: seldom enough to hold still,
# often enough that no patch stands out beside its neighbours.
_ROUNDS = 12
# Pixels of the half-size frame between two patches that take turns.
_PATCH = 24
_SEED = 0


class Turns:
    """Kept paint gives way to a changing style patch by patch: all at once would flash."""

    def __init__(self, height: int, width: int) -> None:
        """For a half-size frame."""
        cells = (height // _PATCH + 2, width // _PATCH + 2)
        lots = np.random.default_rng(_SEED).random(cells, np.float32)
        self._lot = cv2.resize(lots, (width, height), interpolation=cv2.INTER_LINEAR)
        self.changed = np.zeros(1)
        """How much of the style had changed at the last frame, as an array that can be saved."""

    def advance(self, changed: float) -> Plane | None:
        """Go on to a frame: (h, w), 1 where it must be painted anew; None where nowhere.

        Args:
            changed: how much of the style has changed by now, 1 for a whole one; it never falls.
        """
        before = float(self.changed[0])
        self.changed[0] = changed
        if changed == before:
            return None
        turns = [np.floor(_ROUNDS * share + self._lot) for share in (before, changed)]
        return (turns[1] > turns[0]).astype(np.float32)
