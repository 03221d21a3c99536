"""Which frame of a clip is shown when another clip shows one of its own: time alone, exactly.

Times are seconds as `Fraction`, in rising order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

# A step in time may differ by this share of the other clip's and still count as the same step.
UNEVEN = Fraction(1, 3)
# Time stamps are rounded to the tick of their container, but by less than this share of a frame.
_ROUNDING = Fraction(1, 4)


def interval(times: Sequence[Fraction]) -> Fraction:
    """Seconds from one frame to the next, on average; 0 for a single frame."""
    return (times[-1] - times[0]) / max(len(times) - 1, 1)


def slack(times: Sequence[Fraction], tick: Fraction) -> Fraction:
    """How much later than a moment a frame may begin and still count as begun: rounding alone.

    That is a `tick`, the seconds by which time stamps may be off, but less than a frame's quarter.
    """
    return min(tick, _ROUNDING * interval(times))


def shown_at(
    times: Sequence[Fraction], moments: Sequence[Fraction], tick: Fraction = Fraction(0)
) -> list[int]:
    """The frame that is shown at each moment: the last one that has begun, up to `slack`.

    Takes when each frame begins, and moments from `times[0]` on. Returns an index into `times` for
    each moment, never falling.
    """
    late = slack(times, tick)
    return [bisect_right(times, moment + late) - 1 for moment in moments]


def stride(usual: Fraction, others: Sequence[Fraction]) -> int:
    """Of how many frames of a clip one is to be taken, so that the slowest other clip keeps step.

    Takes the frame intervals of the clip and of the others. With the result, some steps of every
    other clip are within `UNEVEN` of a step of this one.
    """
    return max([1, *(ceil(other / usual - UNEVEN) for other in others)])
