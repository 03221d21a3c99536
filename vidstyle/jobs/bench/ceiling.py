"""What the machine can do at best, for stages to be held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from vidstyle.jobs.bench.report import Ceiling
from vidstyle.stylizers.device import has_bfloat16
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network

_SIDE, _SIDE_ON_GPU = 2048, 8192
"""Rows of the matrices: enough to fill the device, quick enough to repeat."""
_COPIED = 128 * 2**20
_REPEATS = 5
_SAMPLE = 64
"""Pixels of a picture's side on which a network's operations are counted."""


def ceiling(device: str, clock: Callable[[], float]) -> Ceiling:
    """Measure what `device` computes and what this thread copies, in seconds of `clock`.

    The quickest of some repeats counts: nothing else is a ceiling.
    """
    half = _product(device, torch.bfloat16, clock) if has_bfloat16(device) else None
    return Ceiling(_product(device, torch.float32, clock), half, _copy(clock))


def operations(style: StyleFile, pixels: int) -> float:
    """Operations that the network of `style` needs for a frame of so many pixels."""
    network = load_network(style)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, _SAMPLE, _SAMPLE))
    return float(counter.get_total_flops()) * pixels / _SAMPLE**2


def _product(device: str, dtype: torch.dtype, clock: Callable[[], float]) -> float:
    """Billion operations a second in a product of two large matrices."""
    side = _SIDE if device == "cpu" else _SIDE_ON_GPU
    a, b = (torch.rand(side, side).to(device, dtype) for _ in range(2))

    def multiply() -> None:
        torch.mm(a, b)
        if device != "cpu":
            torch.accelerator.synchronize(device)

    return 2e-9 * side**3 / _quickest(multiply, clock)


def _copy(clock: Callable[[], float]) -> float:
    """Billion bytes a second, read and written, of a copy that no cache holds."""
    source, target = np.ones(_COPIED, np.uint8), np.zeros(_COPIED, np.uint8)
    return 2e-9 * _COPIED / _quickest(lambda: np.copyto(target, source), clock)


def _quickest(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Seconds of the best of some calls, after one that does not count."""
    work()
    seconds = []
    for _ in range(_REPEATS):
        since = clock()
        work()
        seconds.append(clock() - since)
    return min(seconds)
