"""Holding a painted clip still: paint stays where the picture moved, until that changes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.coherence.change import change
from vidstyle.coherence.memory import Memory
from vidstyle.coherence.turns import Turns
from vidstyle.motion.cuts import is_cut
from vidstyle.motion.flow import FlowEstimator

Image = NDArray[np.uint8]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

# How steeply strokes change over from old to new as the input departs, by default and at the most
# consistent: a steep change leaves no place where two of them are averaged.
_STEEP, _GENTLE = 2.0, 1.0
# Share of new paint below which a pixel counts as untouched.
_TOUCHED = 0.02
# Pixels of the half-size frame that make one cell of the broad colours.
_CELL = 16
# Levels by which the broad colours may follow: more is a change of what is there, not of light.
_MOST_TINT = 24.0
_SUM_BYTES = 4


@dataclass(frozen=True)
class Observation:
    """A frame of the clip, and how it has moved since the last one."""

    half: Image
    """(h, w, 3): the frame at half size."""
    flow: Flow | None
    """(h, w, 2): from it to the last, in its pixels; None where a shot begins."""
    hidden: Mask | None
    """(h, w): where the last does not show what it shows; None like the flow."""


class Steadier:
    """Holds a painted clip still. Give it the frames of one clip in order; it forgets at hard cuts.

    Paint that was shown is kept as long as it fits, not averaged with what is painted later:
    averages flicker less, but blur.

    `step` is `observe` and `hold` in one. Apart, they may run in a thread each: `observe` needs the
    clip alone and may be ahead of the painter, `hold` follows with what was observed, in order.
    """

    def __init__(self, height: int, width: int, consistency: float = DEFAULT_CONSISTENCY) -> None:
        """`consistency` goes from 0, frames as painted, to 1; see `DEFAULT_CONSISTENCY`.

        Raises ValueError when it is out of that range.
        """
        if not 0 <= consistency <= 1:
            raise ValueError(f"consistency must be between 0 and 1, not {consistency}")
        self._share = min(consistency / DEFAULT_CONSISTENCY, 1.0)
        spare = (1 - consistency) / (1 - DEFAULT_CONSISTENCY)
        self._crossing = _GENTLE + (_STEEP - _GENTLE) * spare
        self._flow = FlowEstimator(height, width)
        self._memory = Memory((height, width), self._flow.half_size)
        self._turns = Turns(*self._flow.half_size)
        self._observed: Image | None = None
        self._held: Image | None = None

    def reset(self) -> None:
        """Forget what was painted: the next frame comes out as it goes in."""
        self._observed = self._held = None

    def save(self, file: BufferedIOBase) -> None:
        """Write what it remembers after a `hold`, as the machine holds it.

        It is written as it is: at 848x480 that is 12 MB in 4 ms, a quarter less would take 300 ms.
        """
        total = 0
        for array in self._arrays():
            total = zlib.crc32(array.data, total)
            file.write(array.data)
        file.write(total.to_bytes(_SUM_BYTES))

    def load(self, file: BufferedIOBase) -> None:
        """Go on from what `save` wrote with frames of this size; every step is then the same.

        Raises ValueError when the file is not what was written.
        """
        self._observed = self._held = np.zeros((*self._flow.half_size, 3), np.uint8)
        total = 0
        for array in self._arrays():
            if file.readinto(array.data.cast("B")) != array.nbytes:
                raise ValueError("the memory of the blend is cut short")
            total = zlib.crc32(array.data, total)
        if file.read() != total.to_bytes(_SUM_BYTES):
            raise ValueError("the memory of the blend is damaged")

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        assert self._held is not None
        return *self._memory.arrays(), self._turns.changed, self._held

    def step(self, frame: Image, painted: Image) -> Image:
        """The steady form of `painted`, which was painted from `frame`; (H, W, 3) uint8 RGB all."""
        return self.hold(self.observe(frame), painted)

    def observe(self, frame: Image) -> Observation:
        """Look how the next (H, W, 3) frame has moved."""
        half, last = self._flow.halve(frame), self._observed
        self._observed = half
        if last is None or is_cut(half, last):
            return Observation(half, None, None)
        flow = self._flow.between_halves(half, last)
        return Observation(half, flow, self._flow.hidden_halves(half, last, flow))

    def hold(self, seen: Observation, painted: Image, changed: float = 0.0) -> Image:
        """The steady form of `painted`, which was painted from the frame `seen`.

        `changed` is how much the style itself has changed since the clip began, never falling: for
        every 1, each pixel is painted anew several times, though nothing moves.
        """
        if self._share == 0:
            return painted
        self._held = seen.half
        if seen.flow is None or seen.hidden is None:
            self._turns.advance(changed)
            everywhere = np.ones(seen.half.shape[:2], np.float32)
            self._memory.store(painted, seen.half, everywhere, everywhere > 0)
            return painted
        self._memory.follow(seen.flow, seen.hidden)
        outdated = self._turns.advance(changed)
        steady = self._keep(seen.half, painted, outdated)
        if self._share == 1:
            return steady
        return cv2.addWeighted(steady, self._share, painted, 1 - self._share, 0)

    def _keep(self, half: Image, painted: Image, outdated: Plane | None) -> Image:
        memory = self._memory.recall()
        worn = change(half, memory)
        if outdated is not None:
            worn = np.maximum(worn, outdated)
        fresh = cv2.blur(np.clip((worn - 0.5) * self._crossing + 0.5, 0, 1), (3, 3))
        soft = (worn - fresh)[..., None]
        new, old = self._flow.halve(painted), self._flow.halve(memory.painted)
        tint = _smooth(_difference(new, old) * soft) + _broad_tint(new, old, worn)
        steady = _mix(memory.painted, painted, fresh, tint)
        source_tint = _smooth(_difference(half, memory.source) * soft)
        source = _mix(memory.source, half, fresh, source_tint)
        self._memory.store(steady, source, fresh, _touched(fresh))
        return steady


def _mix(old: Image, new: Image, fresh: Plane, tint: NDArray[np.float32]) -> Image:
    """old + fresh * (new - old) + tint; `fresh` and `tint` may be smaller pictures."""
    height, width = old.shape[:2]
    weight = cv2.resize(fresh, (width, height), interpolation=cv2.INTER_LINEAR)
    levels = np.rint(tint).astype(np.int16)
    shift = cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.add(cv2.blendLinear(old, new, 1 - weight, weight), shift, dtype=cv2.CV_8U)


def _broad_tint(new: Image, old: Image, worn: Plane) -> NDArray[np.float32]:
    """What brings kept paint to the broad colours of the new: light changes, strokes stay."""
    height, width = worn.shape
    cells = (max(width // _CELL, 1), max(height // _CELL, 1))
    kept = np.clip(1 - worn, 1e-3, 1)[..., None]
    weighted, weight = (
        _smooth(cv2.resize(p, cells, interpolation=cv2.INTER_AREA))
        for p in (_difference(new, old) * kept, kept)
    )
    tint = np.clip(weighted / weight[..., None], -_MOST_TINT, _MOST_TINT)
    return cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR) * kept


def _difference(new: Image, old: Image) -> NDArray[np.float32]:
    return cv2.subtract(new, old, dtype=cv2.CV_32F)


def _smooth(image: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.GaussianBlur(image, (5, 5), 0)


def _touched(fresh: Plane) -> NDArray[np.bool_]:
    """Where new paint has come in, and the rim that scaling gives it."""
    mask = (fresh > _TOUCHED).astype(np.uint8)
    return cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
