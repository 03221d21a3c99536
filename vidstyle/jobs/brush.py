"""Larger strokes than a style has learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from vidstyle.motion.opencv_ops import OpenCvOps
from vidstyle.motion.ops import Array, Ops, Size
from vidstyle.stylizers.engine import Engine


class LargeBrush(Engine):
    """Paints pictures scaled down, and scales up the paintings.

    A network's strokes have a size in pixels, whatever the picture's: in a small picture they are
    large, and painted soon.
    """

    def __init__(self, open_engine: Callable[[int, int], Engine], size: Size, brush: float) -> None:
        """Make ready for pictures of `size`, with strokes `brush` times as large as learnt.

        `open_engine` gives what paints pictures of a height and a width.
        """
        self._size = size
        self._small = max(round(size[0] / brush), 1), max(round(size[1] / brush), 1)
        self._engine = open_engine(*self._small)
        self.name = self._engine.name

    @property
    def pulse(self) -> int:
        """Changes with every piece of work that is done."""
        return self._engine.pulse

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as asked or expected, a sentence each."""
        return self._engine.notes

    def begin(self, batch: Array) -> Callable[[], Array]:
        """See `Engine`."""
        finished = self._engine.begin(_resized(batch, self._small, "area"))
        return lambda: _resized(finished(), self._size, "cubic")

    def choose(self, shares: Sequence[float]) -> None:
        """See `Engine`."""
        self._engine.choose(shares)


def _resized(batch: Array, size: Size, kernel: Literal["area", "cubic"]) -> Array:
    ops = _ops_of(batch)
    return ops.stacked([ops.resized(picture, size, kernel) for picture in batch])


def _ops_of(batch: Array) -> Ops:
    if isinstance(batch, np.ndarray):
        return OpenCvOps()
    from vidstyle.motion.torch_ops import TorchOps

    return TorchOps(str(batch.device))
