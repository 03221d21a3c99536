"""How much of a frame has to be painted anew."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.coherence.memory import Recollection
from vidstyle.motion.flow import largest

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

_NEIGHBOURS = np.ones((3, 3), np.uint8)
_SOFT = (5, 5)
# Grey levels of change at which paint begins to give way, and at which it is all gone.
_DEPARTED, _GONE = 6.0, 12.0
# The same for the factor by which paint is stretched or squeezed.
_STRETCHED, _TORN = 1.25, 2.0


def change(frame: Image, memory: Recollection) -> Plane:
    """Where the remembered paint no longer fits: 0 it does, 1 it must go.

    `frame` is the (h, w, 3) half-size input; returns (h, w). Paint goes where the input differs
    from the one it was painted from, where it would be stretched, and where there is none. Being
    compared with the frame it was painted from, not with the last one, it gives way to slow changes
    as well.
    """
    departed = _ramp(_departure(frame, memory.source), _DEPARTED, _GONE)
    worn = np.maximum(departed, _ramp(memory.distortion, _STRETCHED, _TORN))
    worn[memory.lost] = 1
    return cv2.blur(worn, _SOFT)


def _departure(frame: Image, remembered: Image) -> Plane:
    """Grey levels by which each pixel leaves the range of what is remembered around it.

    A range, because the motion is known to about a pixel only; as in the neighbourhood clamping of
    temporal anti-aliasing (Karis, SIGGRAPH 2014).
    """
    now, then = cv2.blur(frame, (3, 3)), cv2.blur(remembered, (3, 3))
    above = cv2.subtract(now, cv2.dilate(then, _NEIGHBOURS))
    below = cv2.subtract(cv2.erode(then, _NEIGHBOURS), now)
    return largest(cv2.max(above, below)).astype(np.float32)


def _ramp(value: Plane, begin: float, end: float) -> Plane:
    """0 up to `begin`, 1 from `end`."""
    return np.clip((value - begin) / (end - begin), 0, 1)
