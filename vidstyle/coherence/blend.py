"""Holding a painted clip still: paint stays where the picture moved, until that changes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial
from io import BufferedIOBase

import numpy as np

from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.coherence.change import change
from vidstyle.coherence.memory import MOST_HEIGHT, Memory
from vidstyle.coherence.turns import Turns
from vidstyle.errors import InputError
from vidstyle.motion.camera import without_noise
from vidstyle.motion.cuts import THUMBNAIL, is_cut
from vidstyle.motion.occlusion import hidden
from vidstyle.motion.ops import Array, Estimator, Ops, open_ops, ramp

# How steeply strokes change over from old to new as the input departs, by default and at the most
# consistent: a steep change leaves no place where two of them are averaged.
_STEEP, _GENTLE = 2.0, 1.0
# Share of new paint below which a pixel counts as untouched.
_TOUCHED = 0.02
# Pixels of the half-size frame that make one cell of the broad colours.
_CELL = 16
# Levels of change in the painter's broad colours at which strokes begin to give way, and at which
# they are all gone. What enters a frame changes the colours of all that is in it.
_RECOLOURED, _REPAINTED = 16.0, 32.0
# Mean levels, over some frames, by which the painter paints a place otherwise: from the first on
# strokes give way, from the second on they are all gone. Painters paint more around a thing than
# the thing, and what they painted beside it would stay when it has gone.
_UNLIKE, _REFUTED = 6.0, 20.0
_SUM_BYTES = 4


@dataclass(frozen=True)
class Observation:
    """A frame of the clip, and how it has moved since the last one."""

    half: Array
    """(h, w, 3): the frame at half size."""
    flow: Array | None
    """(h, w, 2): from it to the last, in its pixels; None where a shot begins."""
    hidden: Array | None
    """(h, w): where the last does not show what it shows; None like the flow."""


class Steadier:
    """Holds a painted clip still. Give it the frames of one clip in order; it forgets at hard cuts.

    Paint that was shown is kept as long as it fits, not averaged with what is painted later:
    averages flicker less, but blur.

    `step` is `observe` and `hold` in one. Apart, they may run in a thread each: `observe` needs the
    clip alone and may be ahead of the painter, `hold` follows with what was observed, in order.
    """

    def __init__(
        self,
        height: int,
        width: int,
        consistency: float = DEFAULT_CONSISTENCY,
        device: str | None = None,
    ) -> None:
        """Make ready for the frames of one clip.

        Args:
            height: of the frames, in pixels.
            width: of the frames, in pixels.
            consistency: from 0, frames as painted, to 1; see `DEFAULT_CONSISTENCY`.
            device: where torch computes, and where what comes out lies; None takes OpenCV, and what
                comes out is NumPy's.

        Raises:
            ValueError: `consistency` is out of its range.
            InputError: the frames are too high to be held still.
        """
        if not 0 <= consistency <= 1:
            raise ValueError(f"consistency must be between 0 and 1, not {consistency}")
        if consistency and height > MOST_HEIGHT:
            raise InputError(
                f"frames of {height:,} rows cannot be held still, {MOST_HEIGHT:,} are the most; "
                "--consistency 0 paints each by itself"
            )
        self._share = min(consistency / DEFAULT_CONSISTENCY, 1.0)
        spare = (1 - consistency) / (1 - DEFAULT_CONSISTENCY)
        crossing = _GENTLE + (_STEEP - _GENTLE) * spare
        self._ops, self._flow = open_ops(height, width, device)
        self._memory = Memory((height, width), self._flow.half_size, self._ops)
        self._turns, self._changed = Turns(*self._flow.half_size), self._ops.zeros(1)
        # Not methods: what held on to itself would outlive its clip, and it is large.
        self._motion = self._ops.recorded(partial(_find_motion, self._flow, self._ops))
        self._keeping = self._ops.recorded(partial(_keep, self._memory, crossing, self._ops))
        self._observed: tuple[Array, Array] | None = None
        self._held: Array | None = None

    @property
    def ops(self) -> Ops:
        """What computes: frames may be given as its arrays, and what is held is one of them."""
        return self._ops

    def save(self, file: BufferedIOBase) -> None:
        """Write what it remembers after a `hold`, as the machine holds it.

        It is written as it is: at 848x480 that is 12 MB in 4 ms, a quarter less would take 300 ms.
        """
        total = 0
        for array in self._arrays():
            data = self._ops.host(array).data
            total = zlib.crc32(data, total)
            file.write(data)
        file.write(total.to_bytes(_SUM_BYTES))

    def load(self, file: BufferedIOBase) -> None:
        """Go on from what `save` wrote with frames of this size; every step is then the same.

        Raises ValueError when the file is not what was written.
        """
        self._held = self._ops.zeros(*self._flow.half_size, 3, dtype="uint8")
        total = 0
        for array in self._arrays():
            data = np.empty_like(self._ops.host(array))
            if file.readinto(data.data.cast("B")) != data.nbytes:
                raise ValueError("the memory of the blend is cut short")
            total = zlib.crc32(data.data, total)
            array[...] = self._ops.array(data)
        self._observed = self._held, self._thumbnail(self._held)
        self._turns.advance(float(self._ops.host(self._changed)[0]))
        if file.read() != total.to_bytes(_SUM_BYTES):
            raise ValueError("the memory of the blend is damaged")

    def _arrays(self) -> tuple[Array, ...]:
        assert self._held is not None
        return *self._memory.arrays(), self._changed, self._held

    def step(self, frame: Array, painted: Array) -> Array:
        """The steady form of `painted`, which was painted from `frame`; (H, W, 3) uint8 RGB all."""
        return self.hold(self.observe(frame), painted)

    def observe(self, frame: Array) -> Observation:
        """Look how the next (H, W, 3) frame has moved."""
        half, last = self._halved(self._ops.array(frame)), self._observed
        thumbnail = self._thumbnail(half)
        self._observed = half, thumbnail
        if last is None or is_cut(thumbnail, last[1]):
            return Observation(half, None, None)
        return Observation(half, *self._motion(half, last[0]))

    def hold(self, seen: Observation, painted: Array, changed: float | None = None) -> Array:
        """The steady form of `painted`, which was painted from the frame `seen`.

        `changed` is how much the style itself has changed since the clip began, never falling: for
        every 1, each pixel is painted anew several times, though nothing moves. None is for a style
        that stays what it is.
        """
        painted = self._ops.array(painted)
        if self._share == 0:
            return painted
        outdated: tuple[Array, ...] = ()
        if changed is not None:
            self._changed[...] = changed
            outdated = (self._ops.array(self._turns.advance(changed)),)
        self._held = seen.half
        if seen.flow is None or seen.hidden is None:
            self._memory.begin(painted, seen.half)
            return painted
        (steady,) = self._keeping(seen.half, seen.flow, seen.hidden, painted, *outdated)
        if self._share == 1:
            return steady
        return self._ops.averaged(steady, painted, self._share)

    def _halved(self, picture: Array) -> Array:
        return self._ops.resized(picture, self._flow.half_size, "area")

    def _thumbnail(self, half: Array) -> Array:
        return self._ops.host(self._ops.resized(half, THUMBNAIL, "area"))


def _find_motion(estimator: Estimator, ops: Ops, half: Array, last: Array) -> tuple[Array, Array]:
    flow, back = without_noise(half, last, *estimator.there_and_back(half, last), ops)
    return flow, hidden(half, last, flow, back, ops)


def _keep(
    memory: Memory,
    crossing: float,
    ops: Ops,
    half: Array,
    flow: Array,
    lost: Array,
    painted: Array,
    outdated: Array | None = None,
) -> tuple[Array]:
    """Follow the motion; what is remembered stays where it fits.

    Its broad colours become those of the new paint: light changes, strokes stay. They are shown,
    but not stored, since they would add up in paint that is stored again and again.
    """
    memory.follow(flow, lost)
    kept = memory.recall()
    worn = change(half, kept, ops)
    if outdated is not None:
        worn = ops.maximum(worn, outdated)
    size = half.shape[0], half.shape[1]
    new, old = (ops.resized(picture, size, "area") for picture in (painted, kept.painted))
    difference = ops.difference(new, old)
    broad = ops.resized(_broad(difference, worn, ops), size, "linear")
    worn = ops.maximum(worn, ramp(ops.largest(abs(broad)), _RECOLOURED, _REPAINTED))
    worn = ops.maximum(worn, ramp(memory.unlike(difference - broad), _UNLIKE, _REFUTED))
    worn = ops.maximum(worn, memory.entered())
    fresh = ops.blur(((worn - 0.5) * crossing + 0.5).clip(0, 1), 3)
    soft = worn - fresh
    tint = ops.smooth(ops.weighted(difference, soft))
    steady = ops.mixed(kept.painted, painted, fresh, tint)
    source_tint = ops.smooth(ops.weighted(ops.difference(half, kept.source), soft))
    source = ops.mixed(kept.source, half, fresh, source_tint)
    memory.store(steady, source, fresh, ops.widened(fresh > _TOUCHED, 3))
    return (ops.tinted(steady, ops.weighted(broad, 1 - worn)),)


def _broad(difference: Array, worn: Array, ops: Ops) -> Array:
    """How the broad colours of new paint differ from those of what is kept, a value a cell."""
    height, width = worn.shape
    cells = (max(height // _CELL, 1), max(width // _CELL, 1))
    kept = (1 - worn).clip(1e-3, 1)
    weight = ops.smooth(ops.resized(kept, cells, "area"))[..., None]
    return ops.smooth(ops.resized(ops.weighted(difference, kept), cells, "area")) / weight
