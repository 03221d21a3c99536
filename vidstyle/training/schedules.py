"""How learning rates, the temporal loss and averages of weights go with the steps."""

from __future__ import annotations

import math
from typing import Final

WARM_UP: Final = 100
"""Steps over which the learning rate rises; Adam's first estimates are poor."""
UNASKED, FULLY_ASKED = 0.1, 0.4
"""Shares of the training before steadiness is asked for, and after which it has all its weight:
asked for from the start, it is had by painting nothing."""
LONGEST_MEMORY: Final = 0.999
"""Of averaged weights."""


def warm_up_then_cosine(step: int, steps: int) -> float:
    """Share of the rate: linear rise over `WARM_UP` steps, then half a cosine down to 2 %."""
    rise = min(1.0, (step + 1) / WARM_UP)
    fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    return rise * fall


def constant_then_linear(step: int, steps: int) -> float:
    """Share of the rate: all for half of the steps, then down to 0 in a line (Zhu et al. 2017)."""
    return min(1.0, 2 * (1 - step / steps))


def stability_share(step: int, steps: int) -> float:
    """Share of the temporal loss's weight that counts at a step: 0 at first, then grows to 1."""
    grown = (step / steps - UNASKED) / (FULLY_ASKED - UNASKED)
    return min(1.0, max(0.0, grown))


def average_decay(step: int) -> float:
    """How much of an average of weights stays at a step: early ones, all random, go quickly."""
    return min(LONGEST_MEMORY, (1 + step) / (10 + step))
