"""A canvas, and the brushes to paint a layer's texture on it: noise, shapes, leaves, light."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from layers import Array, Layer, Numbers, Place, Sway, remap
from numpy.typing import ArrayLike, NDArray

Random = np.random.Generator
Point = tuple[float, float]
Points = NDArray[np.float64]

SUBPIXEL = 4
"""Bits of fraction in the coordinates that OpenCV draws with."""
ROUND: Points = np.stack([f(np.linspace(0, 2 * np.pi, 25)[:-1]) for f in (np.cos, np.sin)], axis=1)
LEAF: Points = np.array([(0, -1), (0.55, -0.45), (0.62, 0.1), (0, 1), (-0.62, 0.1), (-0.55, -0.45)])
"""Outlines of dabs within -1 to 1: a disc, and a leaf that points up and down."""


def colour(code: str) -> Array:
    """(3,) RGB in 0-1 of a hexadecimal code such as "f6d9a8"."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


@cache
def palette(codes: str) -> tuple[Array, Array]:
    """(n,) stops evenly spaced over 0-1 and the (n, 3) colours of a row of n codes."""
    colours = np.stack([colour(code) for code in codes.split()])
    return np.linspace(0, 1, len(colours), dtype=np.float32), colours


def ramp(value: Numbers, codes: str) -> Array:
    """(..., 3): a row of colour codes, evenly spaced over 0-1, blended at `value`."""
    at, colours = palette(codes)
    channels = [np.interp(value, at, colours[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def smoothstep(low: float, high: float, value: Numbers) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    s = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(s * s * (3 - 2 * s), np.float32)


def mix(a: Array, b: Array, share: Numbers) -> Array:
    """a where share is 0, b where it is 1; an (h, w) share spreads over the channels."""
    weight = np.asarray(share, np.float32)
    if weight.ndim == 2:
        weight = weight[..., None]
    return a + (b - a) * weight


def curve(*points: Point, steps: int = 24) -> Points:
    """A Bezier curve of any degree from the first to the last point."""
    hull, s = np.array(points, np.float64)[:, None, :], np.linspace(0, 1, steps)[None, :, None]
    while len(hull) > 1:
        hull = (1 - s) * hull[:-1] + s * hull[1:]
    return np.asarray(hull[0])


def outline(*sides: tuple[Point, ...]) -> Points:
    """A closed shape whose sides are Bezier curves."""
    return np.concatenate([curve(*side) for side in sides])


def edges(points: Points, width: ArrayLike) -> tuple[Points, Points]:
    """Both edges of a line through (n, 2) points, `width` wide: one for all or one for each."""
    ahead = np.gradient(points, axis=0)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    across *= (np.asarray(width) / 2 / (np.hypot(*ahead.T) + 1e-9))[:, None]
    return points + across, points - across


def profile(rng: Random, x: Array, period: float, octaves: int = 5, gain: float = 0.5) -> Array:
    """A rough line over x: about -1 to 1, its broadest swells `period` units long."""
    total, weight = np.zeros_like(x), 1.0
    first, last = np.floor(x.min() / period) - 2, np.ceil(x.max() / period) + 2
    for octave in range(octaves):
        knots = period * np.arange(first, last, 0.5**octave)
        heights = rng.uniform(-1, 1, (1, len(knots))).astype(np.float32)
        smooth = cv2.resize(heights, (8 * len(knots), 1), interpolation=cv2.INTER_CUBIC)[0]
        at = np.linspace(knots[0], knots[-1], len(smooth))
        total += (weight * np.interp(x, at, smooth)).astype(np.float32)
        weight *= gain
    return total


class Canvas:
    """A rectangle of a layer's plane, `density` texels a unit, painted in premultiplied RGBA."""

    def __init__(
        self, left: float, top: float, right: float, bottom: float, density: float
    ) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom
        self.density = density
        self.height = round((bottom - top) * density)
        self.width = round((right - left) * density)
        y, x = np.mgrid[: self.height, : self.width].astype(np.float32)
        self.x, self.y = left + (x + 0.5) / density, top + (y + 0.5) / density
        self.ink = np.zeros((self.height, self.width, 4), np.uint8)

    def fresh(self) -> Canvas:
        """An empty canvas of the same place and size."""
        return Canvas(self.left, self.top, self.right, self.bottom, self.density)

    def cover(self) -> Array:
        """(h, w) alpha, 0-1."""
        return self.ink[..., 3].astype(np.float32) / np.float32(255)

    def noise(
        self,
        rng: Random,
        cell_x: float,
        cell_y: float | None = None,
        octaves: int = 5,
        gain: float = 0.5,
    ) -> Array:
        """(h, w) fractal value noise with mean 0, mostly within -1 to 1; cells are units wide."""
        total, weight = np.zeros((self.height, self.width), np.float32), 1.0
        for octave in range(octaves):
            size_x, size_y = cell_x / 2**octave, (cell_y or cell_x) / 2**octave
            columns = int((self.right - self.left) / size_x) + 4
            rows = int((self.bottom - self.top) / size_y) + 4
            grid = rng.normal(0, 0.6, (rows, columns)).astype(np.float32)
            at_x, at_y = (self.x - self.left) / size_x + 1, (self.y - self.top) / size_y + 1
            total += weight * remap(grid, at_x, at_y, kind=cv2.INTER_CUBIC)
            weight *= gain
        return total

    def part(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        """The rows and columns of a rectangle in units, as far as it lies on the canvas."""
        rows = (np.clip([top, bottom], self.top, self.bottom) - self.top) * self.density
        columns = (np.clip([left, right], self.left, self.right) - self.left) * self.density
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))

    def pick(self, field: Array, points: Points) -> Array:
        """(n,) values of an (h, w) field at (n, 2) points in units."""
        columns = ((points[:, 0] - self.left) * self.density).astype(int)
        rows = ((points[:, 1] - self.top) * self.density).astype(int)
        rows, columns = rows.clip(0, self.height - 1), columns.clip(0, self.width - 1)
        return np.asarray(field[rows, columns])

    def bend(self, field: Array, dx: Array, dy: Array) -> Array:
        """A (h, w) or (h, w, n) field looked up (dx, dy) units away from each texel."""
        to_x = (self.x + dx - self.left) * self.density - 0.5
        to_y = (self.y + dy - self.top) * self.density - 0.5
        return remap(field, to_x, to_y, cv2.BORDER_REFLECT)

    def texels(self, points: Points) -> NDArray[np.int32]:
        """Fixed-point texels of points in units."""
        at = (points - np.array([self.left, self.top])) * self.density - 0.5
        return np.asarray(np.round(at * 2**SUBPIXEL), np.int32)

    def polygon(
        self, points: ArrayLike, rgb: Array, at: Point = (0.0, 0.0), size: float = 1.0
    ) -> None:
        """A filled shape with smooth edges, its points times `size` set down at `at`."""
        ink = [*(np.clip(rgb, 0, 1) * 255).tolist(), 255.0]
        corners = self.texels(np.asarray(points, np.float64) * size + np.array(at))
        cv2.fillPoly(self.ink, [corners], ink, cv2.LINE_AA, SUBPIXEL)

    def dabs(
        self, at: Points, size: Points, turn: Points, rgb: Array, outline: Points = ROUND
    ) -> None:
        """Small shapes over one another: (n, 2) places and sizes, (n) turns, (n, 3) colours."""
        local = outline[None] * size[:, None]
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        x = local[..., 0] * cos - local[..., 1] * sin
        y = local[..., 0] * sin + local[..., 1] * cos
        shapes = self.texels(np.stack([x, y], axis=-1) + at[:, None])
        inks = np.concatenate([np.clip(rgb, 0, 1), np.ones((len(rgb), 1))], axis=1) * 255
        for corners, ink in zip(shapes, inks.tolist(), strict=True):
            cv2.fillConvexPoly(self.ink, corners, ink, cv2.LINE_AA, SUBPIXEL)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, rgb: Array, turn: float = 0.0
    ) -> None:
        """A filled ellipse; `turn` in radians."""
        self.dabs(np.array([[x, y]]), np.array([[rx, ry]]), np.array([turn]), rgb[None])

    def line(self, points: ArrayLike, width: float | Points, rgb: Array) -> None:
        """A line through points whose width may taper from point to point."""
        left, right = edges(np.asarray(points, np.float64), width)
        self.polygon(np.concatenate([left, right[::-1]]), rgb)

    def blade(
        self, root: Point, tip: Point, bend: float, width: float, codes: str, light: float
    ) -> None:
        """A blade of grass, its colours running through the codes from root to tip."""
        knee = ((root[0] + tip[0]) / 2 - bend, (root[1] + tip[1]) / 2 - 0.3 * abs(bend))
        s = np.linspace(0, 1, 9)
        left, right = edges(curve(root, knee, tip, steps=9), width * (1 - s**1.5) + 0.15)
        for i, rgb in zip((0, 2, 4, 6), ramp(s[1::2], codes) * np.float32(light), strict=True):
            self.polygon(np.concatenate([left[i : i + 3], right[i : i + 3][::-1]]), rgb)

    def paste(self, rgb: Array, alpha: Numbers = 1.0) -> None:
        """Lay a whole picture over what is there, where `alpha` lets it."""
        share = np.broadcast_to(np.asarray(alpha, np.float32), self.x.shape)[..., None]
        over = np.concatenate([np.clip(rgb, 0, 1), np.ones_like(share)], axis=-1) * (share * 255)
        self.ink = np.round(over + self.ink * (1 - share)).astype(np.uint8)

    def tint(self, rgb: Array, share: Numbers) -> None:
        """Blend a colour into what is painted; what is clear stays clear."""
        alpha = self.ink[..., 3:].astype(np.float32)
        tinted = mix(self.ink[..., :3].astype(np.float32), rgb * alpha, share)
        self.ink[..., :3] = np.round(np.clip(tinted, 0, 255)).astype(np.uint8)

    def layer(self, place: Place, sway: Sway | None = None, blur: float = 0.42) -> Layer:
        """The finished texture in motion; `blur` (units) keeps it from flickering as it moves."""
        ink = self.ink.astype(np.float32) / np.float32(255)
        soft = np.asarray(cv2.GaussianBlur(ink, (0, 0), blur * self.density), np.float32)
        return Layer(soft, (self.left, self.top), self.density, place, sway)


def glow(canvas: Canvas, x: float, y: float, reach: float, code: str, power: float) -> None:
    """Light in the air around a lamp: it adds to whatever lies behind."""
    part = canvas.part(x - 4 * reach, y - 4 * reach, x + 4 * reach, y + 4 * reach)
    far = np.hypot(canvas.x[part] - x, canvas.y[part] - y)
    light = power * np.exp(-far / reach) * smoothstep(4 * reach, 2 * reach, far)
    ink = canvas.ink[part]
    ink[..., :3] = np.clip(ink[..., :3] + light[..., None] * colour(code) * 255, 0, 255)


def crown(
    canvas: Canvas,
    rng: Random,
    centre: Point,
    radius: Point,
    codes: str,
    leaves: float,
    leaf: float,
    sun: Point = (0.8, -0.6),
    *,
    clump: float = 0.3,
    slim: float = 1.0,
) -> None:
    """Foliage: clumps of leaves in an ellipse, lit from the side of `sun`, the shaded ones first.

    `codes` run from the deepest shade to the brightest light; `slim` above 1 makes upright leaves.
    """
    count, clumps = int(leaves), max(6, round(1.6 / clump**2))
    angle, reach = rng.uniform(0, 2 * np.pi, clumps), np.sqrt(rng.uniform(0, 1, clumps))
    hub = np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None]
    pick = rng.integers(0, clumps, count)
    spread = rng.normal(0, clump * 0.5, (count, 2))
    where = hub[pick] * (1 - clump * 0.5) + spread
    sunward = np.array(sun) / np.hypot(*sun)
    light = 0.36 + 0.3 * (where @ sunward) + 0.24 * (spread @ sunward) / clump
    light = light + rng.normal(0, 0.07, count) + rng.normal(0, 0.06, clumps)[pick]
    order = np.argsort(light + rng.normal(0, 0.12, count) + rng.uniform(0, 0.2, clumps)[pick])
    size = leaf * rng.uniform(0.6, 1.3, (count, 1)) * np.array([0.9 / slim, slim])
    turn = rng.normal(0, 0.9 / slim, count) + 0.5 * where[:, 0] / slim
    rgb = ramp(np.clip(light, 0, 1), codes)
    at = np.array(centre) + where * np.array(radius)
    canvas.dabs(at[order], size[order], turn[order], rgb[order], LEAF)
