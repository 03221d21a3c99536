"""What was shown before, and where each pixel of the next frame lies in it.

Paint is carried by its coordinates, not by its colours: a colour fetched anew in every frame
blurs a little each time, a coordinate does not. The idea is that of advected textures (Max and
Becker 1995; Bousseau et al., SIGGRAPH 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidstyle.coherence.edges import Edges, outside
from vidstyle.motion.ops import Array, Ops, Size
from vidstyle.motion.warp import grid

# Frames that are kept.
_SLOTS = 6
_LEAST_SLOTS = 2
# OpenCV fetches from at most 32767 rows, and all slots lie in one picture.
_MOST_ROWS = 32_000
# Rows that repeat the first and last one of a slot, so that its neighbours do not show through.
_MARGIN = 8
# How much coarser than the frame the displacements are kept.
_COARSE = 4
MOST_HEIGHT = _MOST_ROWS // _LEAST_SLOTS - 2 * _MARGIN
"""Rows of frames that can be remembered."""
# How a pixel of the present frame lies in the frame it was painted in, as a 2x2 matrix row by row.
_UNSHAPED = np.array((1, 0, 0, 1), np.float32)
# Share of a frame in what the painter is known to paint otherwise, so that some seven frames count,
# and most levels that one may claim: what flashes up for a frame is not believed.
_NEWEST, _MOST_UNLIKE = 0.15, 32.0


@dataclass(frozen=True)
class Recollection:
    """What the memory has to say about the coming frame."""

    painted: Array
    """(H, W, 3): the paint shown before, where it would lie now."""
    source: Array
    """(h, w, 3), half size: the input that this paint stands for."""
    distortion: Array
    """(h, w): the largest factor by which this paint has been stretched or squeezed, 1 or more."""
    lost: Array
    """(h, w): nothing is remembered here: it was hidden or outside; two pixels wider."""


class Memory:
    """Some past frames; every pixel knows the one it was painted in and its place there.

    Sizes are (height, width). The displacement from the present frame into each past one is kept as
    a smooth field, so that neighbours which were painted together stay together.
    """

    def __init__(self, size: Size, half_size: Size, ops: Ops) -> None:
        self._size, self._half, self._ops = size, half_size, ops
        self._coarse: Size = (max(size[0] // _COARSE, 2), max(size[1] // _COARSE, 2))
        self._count = max(_LEAST_SLOTS, min(_SLOTS, _MOST_ROWS // (size[0] + 2 * _MARGIN)))
        self._painted = self._stack(size)
        self._source = self._stack(half_size)
        self._fields = ops.zeros(self._count, *self._coarse, 2)
        # A number would be copied to the device anew each time, which no CUDA graph may hold.
        self._unmoved = ops.zeros(*self._coarse, 2)
        self._slots = ops.zeros(*half_size, dtype="uint8")
        self._unshaped = ops.zeros(*self._coarse, 4) + ops.array(_UNSHAPED)
        self._shape = self._unshaped + 0
        self._unlike = ops.zeros(*self._coarse, 3)
        self._lost = ops.zeros(*half_size, dtype="bool")
        self._edges = Edges(half_size, ops)
        # As large as what they scale: NumPy multiplies with two numbers in turn far more slowly.
        self._to_coarse, self._to_half, self._to_full = (
            ops.zeros(*self._coarse, 2) + ops.array(_ratio(new, old))
            for new, old in (
                (self._coarse, half_size),
                (half_size, self._coarse),
                (size, self._coarse),
            )
        )
        self._half_cells, self._full_cells = (
            ops.array(_cells(fine, self._coarse)) for fine in (half_size, size)
        )

    def arrays(self) -> tuple[Array, ...]:
        """All that it remembers, in an order that never changes; writing into them restores it."""
        pictures = self._painted, self._source
        fields = self._fields, self._slots, self._shape, self._lost, self._unlike
        return *pictures, *fields, *self._edges.arrays()

    def begin(self, painted: Array, source: Array) -> None:
        """Keep the first frame of a shot, as `store` does, and nothing of what was before."""
        self._edges.forget()
        everywhere = self._ops.zeros(*self._half) + 1
        self.store(painted, source, everywhere, everywhere > 0)

    def follow(self, flow: Array, hidden: Array) -> None:
        """Move on to the next frame.

        The half-size `flow` (h, w, 2) leads from it to the last; `hidden` (h, w) is True where the
        last does not show what it shows.
        """
        ops = self._ops
        coarse = ops.resized(flow, self._coarse, "area") * self._to_coarse
        places = ops.grid(self._coarse) + coarse
        for field in self._fields:
            field[...] = ops.fetch(field, places, "linear") + coarse
        shape = ops.fetch(self._shape, places, "linear")
        self._shape[...] = ops.products(shape, self._slopes(coarse))
        self._unlike[...] = ops.fetch(self._unlike, places, "linear")
        origin = ops.grid(self._half) + flow
        self._slots[...] = ops.fetch(self._slots, origin, "nearest")
        self._edges.follow(flow, origin)
        self._lost[...] = hidden | outside(origin, self._half)

    def recall(self) -> Recollection:
        """What is remembered of the frame that `follow` moved on to."""
        ops = self._ops
        places = ops.grid(self._half) + self._moved(self._slots, self._half_cells, self._to_half)
        lost = self._lost | outside(places, self._half)
        return Recollection(
            painted=self._fetch_painted(),
            source=ops.fetch(*self._into(self._source, places, self._slots), "linear"),
            distortion=self._distortion(),
            lost=self._ops.widened(lost, 5),
        )

    def entered(self) -> Array:
        """(h, w): 1 where something has come in over an edge, and is not to be kept yet."""
        return self._edges.entered()

    def unlike(self, difference: Array) -> Array:
        """Levels by which the painter has come to paint otherwise than what is kept, (h, w).

        `difference` (h, w, 3) is that of the new painting. What counts is its mean over some
        frames: what flickers evens out.
        """
        ops = self._ops
        now = ops.blur(ops.resized(difference, self._coarse, "area"), 3)
        self._unlike += (now.clip(-_MOST_UNLIKE, _MOST_UNLIKE) - self._unlike) * _NEWEST
        return ops.resized(ops.largest(abs(self._unlike)), self._half, "linear")

    def store(self, painted: Array, source: Array, fresh: Array, touched: Array) -> None:
        """Keep the frame as shown and its (h, w, 3) half-size input.

        `fresh` (h, w) is the share of new paint, `touched` where there is any at all: such pixels
        are fetched from this frame from now on. It takes the slot that fewest pixels lie in, and
        they are fetched from it, too; so most paint is never fetched from what was fetched before.
        """
        ops = self._ops
        slot = ops.rarest(self._slots, self._count)
        for stack, image in ((self._painted, painted), (self._source, source)):
            stack[slot, _MARGIN:-_MARGIN] = image
            stack[slot, :_MARGIN], stack[slot, -_MARGIN:] = image[0], image[-1]
        self._fields[slot] = self._unmoved
        self._slots[...] = ops.where(touched, slot, self._slots)
        self._edges.store(touched)
        new = ops.resized(fresh, self._coarse, "area")
        self._shape += ops.weighted(self._unshaped - self._shape, new)
        self._unlike -= ops.weighted(self._unlike, new)

    def _stack(self, size: Size) -> Array:
        return self._ops.zeros(self._count, size[0] + 2 * _MARGIN, size[1], 3, dtype="uint8")

    def _into(self, stack: Array, places: Array, slots: Array) -> tuple[Array, Array]:
        """All slots of a stack as one picture, and the places in it."""
        rows = stack.shape[1]
        places[..., 1] += self._ops.floats(slots) * rows + _MARGIN
        return stack.reshape(-1, *stack.shape[2:]), places

    def _fetch_painted(self) -> Array:
        slots = self._ops.resized(self._slots, self._size, "nearest")
        places = self._moved(slots, self._full_cells, self._to_full)
        places += self._ops.grid(self._size)
        return self._ops.fetch(*self._into(self._painted, places, slots), "cubic")

    def _moved(self, slots: Array, cells: Array, scale: Array) -> Array:
        """(H, W, 2): from every pixel to its place in its slot, in pixels.

        `slots` (H, W) are the pixels' own, `cells` (H, W, 2) their places in the coarse fields,
        whose steps are `scale` pixels long. Neighbours in one slot move smoothly, however large.
        """
        height, width = self._coarse
        places = cells + 0
        places[..., 1] += self._ops.floats(slots) * height
        return self._ops.fetch((self._fields * scale).reshape(-1, width, 2), places, "linear")

    def _distortion(self) -> Array:
        """Of the singular values of the shape, the one farthest from 1."""
        ops = self._ops
        a, b, c, d = (self._shape[..., k] for k in range(4))
        turn, shear = ops.hypot(a + d, c - b), ops.hypot(a - d, b + c)
        largest, smallest = (turn + shear) / 2, abs(turn - shear) / 2
        worst = ops.maximum(largest, 1 / smallest.clip(0.01))
        return ops.resized(worst, self._half, "linear")

    def _slopes(self, flow: Array) -> Array:
        """(H, W, 4): the Jacobian of p + flow(p), row by row."""
        across, down = self._ops.slopes(flow)
        planes = across[..., 0], down[..., 0], across[..., 1], down[..., 1]
        return self._ops.stacked(planes, -1) + self._unshaped


def _ratio(size: Size, other: Size) -> NDArray[np.float32]:
    """x and y of one (height, width) over those of the other."""
    return np.array((size[1] / other[1], size[0] / other[0]), np.float32)


def _cells(size: Size, coarse: Size) -> NDArray[np.float32]:
    """(h, w, 2): where in a coarse picture the pixels of another lie, and never outside of it."""
    places = (grid(*size) + 0.5) / _ratio(size, coarse) - 0.5
    return np.clip(places, 0, np.array((coarse[1] - 1, coarse[0] - 1), np.float32))
