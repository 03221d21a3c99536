"""Painted layers that move by formula, so that every frame's optical flow is known exactly.

Lengths are in units: one unit is one pixel of the 640x360 clip, whatever size it is rendered at.
Times are frame numbers. A layer is a texture; `place` sets it on the screen at a given time and
`sway` bends it (water, reeds). Nothing a layer shows ever changes its colour: all change is motion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]] | float
Matrix = NDArray[np.float64]
Place = Callable[[float], Matrix]
Sway = Callable[[Array, Array, float], tuple[Array, Array]]

WIDTH, HEIGHT = 640, 360
OWN_SHARE = 0.5
"""A layer that gives less than this share of a pixel's light does not own it."""


def shift(
    x: float = 0.0,
    y: float = 0.0,
    *,
    scale: float = 1.0,
    shear: float = 0.0,
    turn: float = 0.0,
    about: tuple[float, float] = (0.0, 0.0),
) -> Matrix:
    """The (2, 3) affine map p -> about + R(turn) S (p - about) + (x, y).

    `shear` moves a point sideways by that many units for each unit it lies below `about`: what a
    camera that travels sideways does to a level plane whose horizon passes through `about`.
    """
    cos, sin = np.cos(turn), np.sin(turn)
    linear = scale * np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    centre = np.array(about)
    return np.column_stack([linear, centre - linear @ centre + (x, y)])


def apply(matrix: Matrix, x: Array, y: Array) -> tuple[Array, Array]:
    """Both coordinates of the points (x, y) after an affine map."""
    (a, b, c), (d, e, f) = matrix.astype(np.float32)
    return a * x + b * y + c, d * x + e * y + f


def invert(matrix: Matrix) -> Matrix:
    """The affine map that undoes another."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def remap(
    picture: Array,
    x: Numbers,
    y: Numbers,
    border: int = cv2.BORDER_CONSTANT,
    kind: int = cv2.INTER_LINEAR,
) -> Array:
    """A picture looked up between its texels, at columns x and rows y."""
    to_x, to_y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    found = cv2.remap(picture, to_x, to_y, kind, borderMode=border)
    return np.asarray(found, np.float32)


@dataclass(frozen=True)
class Layer:
    """A texture and its motion."""

    texture: Array
    """(h, w, 4) RGB times alpha, and alpha; display values around 0-1."""
    corner: tuple[float, float]
    """Units, in the layer's own plane, of the texture's top left corner."""
    density: float
    """Texels a unit."""
    place: Place
    """Frame number -> (2, 3) affine map from the layer's plane to the screen."""
    sway: Sway | None = None
    """(x, y, frame number) -> offsets of the texture lookup; gentle, so that it can be undone."""

    def lookup(self, x: Array, y: Array, t: float) -> tuple[Array, Array]:
        """Where in its own plane the layer is looked up for the screen points (x, y) at time t."""
        x, y = apply(invert(self.place(t)), x, y)
        if self.sway is None:
            return x, y
        dx, dy = self.sway(x, y, t)
        return x + dx, y + dy

    def locate(self, x: Array, y: Array, t: float) -> tuple[Array, Array]:
        """The inverse of `lookup`: where on the screen a point of the layer is at time t."""
        at_x, at_y = x, y
        if self.sway is not None:
            for _ in range(8):  # a fixed point: each round shrinks the error by the sway's slope
                dx, dy = self.sway(at_x, at_y, t)
                at_x, at_y = x - dx, y - dy
        return apply(self.place(t), at_x, at_y)

    def reduced(self, density: float) -> Layer:
        """The same layer with at most so many texels a unit."""
        if density >= self.density:
            return self
        height, width = (round(n * density / self.density) for n in self.texture.shape[:2])
        texture = cv2.resize(self.texture, (width, height), interpolation=cv2.INTER_AREA)
        return replace(self, texture=np.asarray(texture, np.float32), density=density)

    def window(self, t: float, margin: float = 16.0) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, in units on the screen, outside of which nothing shows."""
        height, width = self.texture.shape[:2]
        left, top = self.corner
        xs = np.array([left, left + width / self.density] * 2, dtype=np.float32)
        ys = np.repeat(np.array([top, top + height / self.density], dtype=np.float32), 2)
        on_x, on_y = apply(self.place(t), xs, ys)
        margin = margin if self.sway else 1.0
        return (
            float(on_x.min()) - margin,
            float(on_y.min()) - margin,
            float(on_x.max()) + margin,
            float(on_y.max()) + margin,
        )


@dataclass(frozen=True)
class Screen:
    """The pixels that a scene is seen on: `size` pixels a unit."""

    size: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return round(HEIGHT * self.size), round(WIDTH * self.size)

    def points(self, rows: slice, columns: slice) -> tuple[Array, Array]:
        """Units of the pixel centres of a part of the screen."""
        y, x = np.mgrid[rows, columns].astype(np.float32)
        return (x + 0.5) / np.float32(self.size), (y + 0.5) / np.float32(self.size)

    def view(self, layer: Layer, t: float) -> tuple[slice, slice, Array] | None:
        """The part of the screen a layer reaches and its RGBA there; None when out of sight."""
        rows, columns = self._part(layer.window(t))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        x, y = layer.lookup(*self.points(rows, columns), t)
        to_x, to_y = (
            (v - c) * layer.density - 0.5 for v, c in zip((x, y), layer.corner, strict=True)
        )
        return rows, columns, remap(layer.texture, to_x, to_y)

    def _part(self, window: tuple[float, float, float, float]) -> tuple[slice, slice]:
        left, top, right, bottom = (int(v * self.size) for v in window)
        height, width = self.shape
        return slice(max(top, 0), min(bottom + 1, height)), slice(
            max(left, 0), min(right + 1, width)
        )

    def compose(self, layers: Sequence[Layer], t: float) -> Array:
        """(H, W, 3): the layers over one another, the first one farthest away."""
        picture = np.zeros((*self.shape, 3), np.float32)
        for layer in layers:
            if (seen := self.view(layer, t)) is not None:
                rows, columns, rgba = seen
                picture[rows, columns] *= 1 - rgba[..., 3:]
                picture[rows, columns] += rgba[..., :3]
        return picture

    def shares(self, layers: Sequence[Layer], t: float) -> Array:
        """(layers, H, W): how much of each pixel's light comes from each layer, 0-1."""
        shares = np.zeros((len(layers), *self.shape), np.float32)
        free = np.ones(self.shape, np.float32)
        for share, layer in zip(shares[::-1], layers[::-1], strict=True):
            if (seen := self.view(layer, t)) is not None:
                rows, columns, rgba = seen
                share[rows, columns] = free[rows, columns] * rgba[..., 3]
                free[rows, columns] *= 1 - rgba[..., 3]
        return shares

    def flow(self, layers: Sequence[Layer], t: int, to: int) -> tuple[Array, NDArray[np.bool_]]:
        """(H, W, 2) pixels from each pixel of frame t to the same point in frame `to`; a bool mask.

        A pixel belongs to the layer that gives most of its light. The mask is True where that
        layer is hidden in frame `to`, where the point leaves the frame, and where no layer gives
        as much as half.
        """
        before, after = self.shares(layers, t), self.shares(layers, to)
        owner = before.argmax(0)
        x, y = self.points(slice(0, self.shape[0]), slice(0, self.shape[1]))
        to_x, to_y = x.copy(), y.copy()
        share = np.zeros(self.shape, np.float32)
        for index, layer in enumerate(layers):
            mine = owner == index
            to_x[mine], to_y[mine] = layer.locate(*layer.lookup(x[mine], y[mine], t), to)
            on_x, on_y = to_x * self.size - 0.5, to_y * self.size - 0.5
            share[mine] = remap(after[index], on_x, on_y)[mine]
        flow = np.stack([to_x - x, to_y - y], axis=-1) * np.float32(self.size)
        outside = (to_x < 0) | (to_x >= WIDTH) | (to_y < 0) | (to_y >= HEIGHT)
        return flow, outside | (share < OWN_SHARE) | (before.max(0) < OWN_SHARE)
