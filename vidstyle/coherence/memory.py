"""What was shown before, and where each pixel of the next frame lies in it.

Paint is carried by its coordinates, not by its colours: a colour fetched anew in every frame
blurs a little each time, a coordinate does not. The idea is that of advected textures (Max and
Becker 1995; Bousseau et al., SIGGRAPH 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.flow import resize_flow
from vidstyle.motion.warp import grid

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]
Shape = NDArray[np.float32]
Size = tuple[int, int]

# Frames that are kept.
_SLOTS = 6
# OpenCV fetches from at most 32767 rows, and all slots lie in one picture.
_MOST_ROWS = 32_000
# Rows that repeat the first and last one of a slot, so that its neighbours do not show through.
_MARGIN = 8
# How much coarser than the frame the displacements are kept.
_COARSE = 4
# How a pixel of the present frame lies in the frame it was painted in, as a 2x2 matrix row by row.
_UNSHAPED = np.array((1, 0, 0, 1), np.float32)
_LOST_RIM = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class Recollection:
    """What the memory has to say about the coming frame."""

    painted: Image
    """(H, W, 3): the paint shown before, where it would lie now."""
    source: Image
    """(h, w, 3), half size: the input that this paint stands for."""
    distortion: Plane
    """(h, w): the largest factor by which this paint has been stretched or squeezed, 1 or more."""
    lost: Mask
    """(h, w): nothing is remembered here: it was hidden or outside; two pixels wider."""


class Memory:
    """Some past frames; every pixel knows the one it was painted in and its place there.

    Sizes are (height, width). The displacement from the present frame into each past one is kept as
    a smooth field, so that neighbours which were painted together stay together.
    """

    def __init__(self, size: Size, half_size: Size) -> None:
        self._size, self._half = size, half_size
        self._coarse: Size = (max(size[0] // _COARSE, 2), max(size[1] // _COARSE, 2))
        self._count = max(2, min(_SLOTS, _MOST_ROWS // (size[0] + 2 * _MARGIN)))
        self._painted = self._stack(size)
        self._source = self._stack(half_size)
        self._fields = np.zeros((self._count, *self._coarse, 2), np.float32)
        self._slots = np.zeros(half_size, np.uint8)
        self._shape = np.tile(_UNSHAPED, (*self._coarse, 1))
        self._lost = np.zeros(half_size, np.bool_)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """All that it remembers, in an order that never changes; writing into them restores it."""
        return self._painted, self._source, self._fields, self._slots, self._shape, self._lost

    def follow(self, flow: Flow, hidden: Mask) -> None:
        """Move on to the next frame.

        The half-size `flow` (h, w, 2) leads from it to the last; `hidden` (h, w) is True where the
        last does not show what it shows.
        """
        coarse = resize_flow(flow, *self._coarse)
        places = grid(*self._coarse) + coarse
        for field in self._fields:
            np.add(coarse, _fetch(field, places, cv2.INTER_LINEAR), out=field)
        self._shape = _compose(_fetch(self._shape, places, cv2.INTER_LINEAR), _slopes(coarse))
        origin = grid(*self._half) + flow
        self._slots = _fetch(self._slots, origin, cv2.INTER_NEAREST)
        self._lost = hidden | _outside(origin, self._half)

    def recall(self) -> Recollection:
        """What is remembered of the frame that `follow` moved on to."""
        displacement = self._displacement()
        places = grid(*self._half) + displacement
        lost = (self._lost | _outside(places, self._half)).astype(np.uint8)
        return Recollection(
            painted=self._fetch_painted(displacement),
            source=self._fetch_source(places),
            distortion=self._distortion(),
            lost=cv2.dilate(lost, _LOST_RIM) > 0,
        )

    def store(self, painted: Image, source: Image, fresh: Plane, touched: Mask) -> None:
        """Keep the frame as shown and its (h, w, 3) half-size input.

        `fresh` (h, w) is the share of new paint, `touched` where there is any at all: such pixels
        are fetched from this frame from now on. It takes the slot that fewest pixels lie in, and
        they are fetched from it, too; so most paint is never fetched from what was fetched before.
        """
        slot = int(np.bincount(self._slots.ravel(), minlength=self._count).argmin())
        for stack, image in ((self._painted, painted), (self._source, source)):
            rows = stack[slot]
            rows[_MARGIN:-_MARGIN] = image
            rows[:_MARGIN], rows[-_MARGIN:] = image[0], image[-1]
        self._fields[slot] = 0
        self._slots[touched] = slot
        new = cv2.resize(fresh, self._coarse[::-1], interpolation=cv2.INTER_AREA)[..., None]
        self._shape += new * (_UNSHAPED - self._shape)

    def _stack(self, size: Size) -> Image:
        return np.zeros((self._count, size[0] + 2 * _MARGIN, size[1], 3), np.uint8)

    def _into(self, stack: Image, places: Flow) -> tuple[Image, Flow]:
        """All slots of a half-size stack as one picture, and the places in it."""
        rows = stack.shape[1]
        places[..., 1] += self._slots * np.float32(rows) + np.float32(_MARGIN)
        return stack.reshape(-1, *stack.shape[2:]), places

    def _fetch_source(self, places: Flow) -> Image:
        stack, places = self._into(self._source, places)
        return _fetch(stack, places, cv2.INTER_LINEAR)

    def _fetch_painted(self, displacement: Flow) -> Image:
        """The painted picture; the few pixels that share one of half size move as one."""
        scale = _ratio(self._size, self._half)
        stack, steps = self._into(self._painted, displacement * scale)
        steps = cv2.resize(steps, self._size[::-1], interpolation=cv2.INTER_NEAREST)
        return _fetch(stack, cv2.add(steps, grid(*self._size)), cv2.INTER_CUBIC)

    def _displacement(self) -> Flow:
        """(h, w, 2): from every pixel to its place in its slot, in half-size pixels."""
        height, width = self._coarse
        scale = _ratio(self._half, self._coarse)
        places: Flow = (grid(*self._half) + 0.5) / scale - 0.5
        np.clip(places, 0, np.array((width - 1, height - 1), np.float32), out=places)
        places[..., 1] += self._slots * np.float32(height)
        displacement: Flow = _fetch(self._fields.reshape(-1, width, 2), places, cv2.INTER_LINEAR)
        return displacement * scale

    def _distortion(self) -> Plane:
        """Of the singular values of the shape, the one farthest from 1."""
        a, b, c, d = np.moveaxis(self._shape, -1, 0)
        turn, shear = np.hypot(a + d, c - b), np.hypot(a - d, b + c)
        largest, smallest = (turn + shear) / 2, np.abs(turn - shear) / 2
        worst = np.maximum(largest, 1 / np.maximum(smallest, 0.01))
        return cv2.resize(worst, self._half[::-1], interpolation=cv2.INTER_LINEAR)


def _slopes(flow: Flow) -> Shape:
    """(H, W, 4): the Jacobian of p + flow(p), row by row."""
    across, down = (cv2.Sobel(flow, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    slopes = np.stack((across[..., 0], down[..., 0], across[..., 1], down[..., 1]), axis=-1)
    return slopes + _UNSHAPED


def _compose(first: Shape, then: Shape) -> Shape:
    """The product of two fields of 2x2 matrices."""
    size = first.shape[:2]
    return (first.reshape(*size, 2, 2) @ then.reshape(*size, 2, 2)).reshape(*size, 4)


def _fetch(image: NDArray[Any], places: Flow, kernel: int) -> NDArray[Any]:
    return cv2.remap(image, places, None, kernel, borderMode=cv2.BORDER_REPLICATE)


def _ratio(size: Size, other: Size) -> NDArray[np.float32]:
    """x and y of one (height, width) over those of the other."""
    return np.array((size[1] / other[1], size[0] / other[0]), np.float32)


def _outside(places: Flow, size: Size) -> Mask:
    """Which places lie off a picture of `size`."""
    x, y = places[..., 0], places[..., 1]
    return (x < -0.5) | (y < -0.5) | (x > size[1] - 0.5) | (y > size[0] - 0.5)
