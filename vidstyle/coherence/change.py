"""How much of a frame has to be painted anew."""

from __future__ import annotations

from vidstyle.coherence.memory import Recollection
from vidstyle.motion.ops import Array, Ops, ramp

# Grey levels of change at which paint begins to give way, and at which it is all gone.
_DEPARTED, _GONE = 3.0, 6.0
# The same for the factor by which paint is stretched or squeezed.
_STRETCHED, _TORN = 1.25, 2.0


def change(frame: Array, memory: Recollection, ops: Ops) -> Array:
    """Where the remembered paint no longer fits: 0 it does, 1 it must go.

    `frame` is the (h, w, 3) half-size input; returns (h, w). Paint goes where the input differs
    from the one it was painted from, where it would be stretched, and where there is none. Being
    compared with the frame it was painted from, not with the last one, it gives way to slow changes
    as well.
    """
    departed = ramp(_departure(frame, memory.source, ops), _DEPARTED, _GONE)
    worn = ops.maximum(departed, ramp(memory.distortion, _STRETCHED, _TORN))
    return ops.blur(ops.where(memory.lost, 1, worn), 5)


def _departure(frame: Array, remembered: Array, ops: Ops) -> Array:
    """Grey levels by which frame and memory leave each other's range around each pixel.

    A range, because the motion is known to about a pixel only; as in the neighbourhood clamping of
    temporal anti-aliasing (Karis, SIGGRAPH 2014). Each other's, because a thin thing that has gone
    left its surroundings in the range of the memory.
    """
    now, then = ops.blur(frame, 3), ops.blur(remembered, 3)
    return ops.floats(ops.maximum(_beyond(now, then, ops), _beyond(then, now, ops)))


def _beyond(picture: Array, other: Array, ops: Ops) -> Array:
    """Levels by which each pixel leaves the range of the other picture around it."""
    least, most = ops.range_around(other)
    return ops.largest(ops.maximum(ops.excess(picture, most), ops.excess(least, picture)))
