"""Plants: far trees, reeds, grass, meadow flowers, willow, birch; and the wind in them."""

from __future__ import annotations

import numpy as np
from brushes import (
    LEAF,
    Canvas,
    Point,
    Points,
    Random,
    colour,
    curve,
    mix,
    profile,
    ramp,
    smoothstep,
)
from layers import Array, Sway

GRASS = "16241f 2b4326 55702f 97a042 dcc66a"
REED = "1b2a20 3d5530 76813f b8a755 ecd28a"
WOODS = "1b2a2d 2a4438 47623c 7d8344 cdaf5c"
WILLOW = "15231b 2b4526 5a742f 9a9c40 d9c163 fae49a"
BIRCH = "14201b 2c4425 5c7130 a2963c e3bf58 fce79a"
PETALS = (
    (-0.35, -0.3, 0.75, 0.6, 0.62),
    (0.4, -0.34, 0.75, 0.6, 0.95),
    (-0.5, 0.05, 0.6, 0.5, 0.3),
    (0.5, 0.02, 0.62, 0.5, 0.72),
    (0.02, 0.16, 0.82, 0.48, 0.38),
)
"""A poppy's petals, the far ones first: place, half width and height, light."""


def wind(root: float, reach: float, *, from_top: bool = False) -> Sway:
    """Stems rooted at height `root` bend sideways, `reach` units at 100 units from the root."""

    def sway(x: Array, y: Array, t: float) -> tuple[Array, Array]:
        far = np.clip((y - root if from_top else root - y) / 100, 0, 2)
        gust = np.sin(0.105 * t + 0.019 * x) + 0.5 * np.sin(0.19 * t - 0.034 * x + 0.01 * y)
        return np.asarray(reach * far**1.6 * gust, np.float32), np.zeros_like(y)

    return sway


def trees(canvas: Canvas, rng: Random, roots: Points, size: Points) -> None:
    """Small far trees, the first one behind: a few leaves each, lit from the right."""
    leaves = 11
    where = rng.normal(0, 0.5, (len(roots), leaves, 2))
    light = 0.34 + 0.3 * where[..., 0] - 0.3 * where[..., 1] + rng.normal(0, 0.07, where.shape[:2])
    light += rng.normal(0, 0.06, (len(roots), 1))
    order = np.argsort(light, axis=1)
    where = np.take_along_axis(where, order[..., None], axis=1) + np.array([0, -0.8])
    light = np.clip(np.take_along_axis(light, order, axis=1).ravel(), 0, 1)
    at = (roots[:, None] + where * size[:, None, None]).reshape(-1, 2)
    dab = np.repeat(size, leaves)[:, None] * rng.uniform(0.3, 0.55, (len(at), 1)) * [1.0, 1.1]
    canvas.dabs(at, dab, np.zeros(len(at)), ramp(light, WOODS), LEAF)


def reeds(
    canvas: Canvas, rng: Random, x: float, spread: float, root: float, tall: float, count: int
) -> None:
    """A clump of reeds with a few bulrushes."""
    for i in range(count):
        base, high = x + rng.normal(0, spread), tall * rng.uniform(0.45, 1.0)
        lean, bend = rng.normal(0.06, 0.16), rng.normal(0, high * 0.12)
        width, light = rng.uniform(1.6, 3.4), rng.uniform(0.65, 1.08)
        if i % 9 == 4:
            left, top = base + 0.4 * high * lean, root - high
            canvas.blade((base, root + 8), (left, top), bend, 0.5 * width, REED, light)
            canvas.ellipse(left, top + 6, 1.9, 8.0, colour("4f3222"), 0.06)
            canvas.ellipse(left + 0.6, top + 5.5, 0.8, 6.6, colour("93683d"), 0.06)
        else:
            tip = (base + 1.3 * high * lean, root - high)
            canvas.blade((base, root + 8), tip, bend, width, REED, light)


def poppy(canvas: Canvas, rng: Random, x: float, y: float, r: float) -> None:
    """A poppy from the side: light shines through its far petals, the near one is in shade."""
    lean, wide = rng.normal(0, 0.25), r * rng.uniform(0.75, 1.1)
    for dx, dy, rx, ry, tone in PETALS:
        rgb = ramp(tone + rng.normal(0, 0.08), "6e1420 a81d1f d4311f ec5430 fb8a4e")
        canvas.ellipse(x + dx * wide, y + dy * r, rx * wide, ry * r, rgb, lean + 0.5 * dx)
        left, top, light = x + (dx + 0.12) * wide, y + (dy - 0.1) * r, rgb * np.float32(1.13)
        canvas.ellipse(left, top, 0.6 * rx * wide, 0.5 * ry * r, light, lean)
    if wide > 0.9 * r:
        canvas.ellipse(x + 0.05 * r, y - 0.12 * r, r * 0.2, r * 0.14, colour("24161c"))


def daisy(canvas: Canvas, rng: Random, x: float, y: float, r: float, codes: str) -> None:
    """A flower of narrow petals about a heart; `codes`: petals and heart."""
    petals, heart = (colour(code) for code in codes.split())
    for angle in np.linspace(0, 2 * np.pi, 12)[:-1] + rng.uniform(0, 1):
        dx, dy = np.cos(angle), 0.7 * np.sin(angle)
        light = petals * np.float32(0.88 + 0.12 * np.cos(angle + 0.6))
        turn = float(np.arctan2(dy, dx))
        canvas.ellipse(x + 0.6 * r * dx, y + 0.6 * r * dy, r * 0.42, r * 0.15, light, turn)
    canvas.ellipse(x, y, r * 0.26, r * 0.2, heart)


def flower(canvas: Canvas, rng: Random, x: float, root: float, tall: float) -> None:
    """A stem with one of four meadow flowers."""
    left, top = x + rng.normal(0, 4), root - tall
    stem = curve((x, root), (x + rng.normal(0, 3), root - tall * 0.6), (left, top), steps=6)
    canvas.line(stem, 0.8, colour("4f6a33"))
    kind, size = rng.uniform(), rng.uniform(0.8, 1.2)
    if kind < 0.58:
        poppy(canvas, rng, left, top, 4.3 * size)
    elif kind < 0.76:
        daisy(canvas, rng, left, top, 4.0 * size, "fbf3e2 e8b23a")
    elif kind < 0.9:
        daisy(canvas, rng, left, top, 3.1 * size, "5f76c4 39407c")
    else:
        daisy(canvas, rng, left, top, 2.6 * size, "f6cf4a d99a2b")


def meadow(canvas: Canvas, rng: Random, ground: Array) -> None:
    """Grass with flowers over the whole canvas, rooted along `ground` (units, per column)."""
    columns = canvas.x[0]
    tufts, patches = profile(rng, columns, 34, 3), profile(rng, columns, 80, 3)
    depth = np.sort(rng.uniform(0, 1, int((canvas.right - canvas.left) * 3.4)))
    for near, x in zip(depth, rng.uniform(canvas.left, canvas.right, len(depth)), strict=True):
        root, tuft, patch = (float(np.interp(x, columns, v)) for v in (ground, tufts, patches))
        root += 34 * near
        tall, lean = rng.uniform(10, 30) * (1 + 0.4 * tuft), rng.normal(0.1, 0.3)
        width, light = rng.uniform(0.8, 1.9), rng.uniform(0.55, 1.08) * (0.8 + 0.25 * near)
        tip = (x + tall * lean, root - tall)
        canvas.blade((x, root + 4), tip, rng.normal(0, 5), width, GRASS, light)
        if rng.uniform() < 0.075 + 0.07 * patch:
            flower(canvas, rng, x + 2, root, tall * rng.uniform(0.9, 1.4))


def twig(
    canvas: Canvas, rng: Random, start: Point, length: float, leaf: float, light: float, codes: str
) -> None:
    """A hanging twig with narrow leaves on all sides."""
    x, y = start
    knee, tip = (x + rng.normal(0, 6), y + length / 2), (x + rng.normal(3, 8), y + length)
    spine = curve(start, knee, tip, steps=max(6, int(length / leaf * 1.5)))
    canvas.line(spine, 0.6, colour("4c4a2c"))
    count = len(spine)
    tone = light + 0.22 * np.linspace(-0.4, 1, count) + rng.normal(0, 0.13, count)
    turn = rng.normal(0, 0.55, count) + rng.choice([-0.25, 0.25], count)
    size = leaf * rng.uniform(0.6, 1.15, (count, 1)) * np.array([0.34, 1.0])
    at = spine + rng.normal(0, 0.35 * leaf, (count, 2))
    canvas.dabs(at, size, turn, ramp(np.clip(tone, 0, 1), codes), LEAF)


def willow(
    canvas: Canvas, rng: Random, x: float, spread: float, longest: float, strands: int
) -> None:
    """A curtain of twigs from above the frame, the far ones in shade."""
    for i in range(strands):
        left = x + rng.normal(0, spread)
        length = longest * rng.uniform(0.35, 1.0) * np.exp(-(((left - x) / (2.4 * spread)) ** 2))
        twig(canvas, rng, (left, canvas.top), length, 4.2, 0.12 + 0.38 * i / strands, WILLOW)


def bark(canvas: Canvas, rng: Random, line: Points, thick: float) -> None:
    """A birch's white trunk along a line from the ground up, lit from the right."""
    trunk = canvas.fresh()
    trunk.line(line, np.linspace(thick * 1.25, thick * 0.72, len(line)), colour("ffffff"))
    middle = np.interp(-canvas.y[:, 0], -line[:, 1], line[:, 0])[:, None]
    side = (canvas.x - middle) / (thick * 0.5)
    rough = canvas.noise(rng, 9, 2.2, octaves=4)
    light = np.clip(0.4 + 0.4 * side - 0.16 * side**2 + 0.12 * rough, 0, 1)
    rgb = ramp(light, "3c3a45 6b626a a8988f dcc7a8 fdeccb")
    scars = smoothstep(0.5, 0.9, canvas.noise(rng, 13, 2.8, octaves=4) + 0.3 * np.abs(side))
    cracks = smoothstep(0.0, 0.4, rough + 0.4 * canvas.noise(rng, 4, 14))
    dark = np.maximum(scars, cracks * smoothstep(250, 372, canvas.y))
    canvas.paste(mix(rgb, colour("29232a"), 0.85 * dark), trunk.cover())


def bough(canvas: Canvas, rng: Random, start: Point, reach: float, light: float) -> None:
    """A birch's bough that bends under its twigs."""
    x, y = start
    line = curve(start, (x + reach * 0.5, y - 22), (x + reach, y + rng.uniform(0, 26)), steps=14)
    canvas.line(line, np.linspace(2.2, 0.4, 14), colour("3d302c"))
    for px, py in np.repeat(line[3:], 4, axis=0):
        spot = (float(px + rng.normal(0, 5)), float(py + rng.normal(0, 4)))
        twig(canvas, rng, spot, rng.uniform(12, 40), 2.5, light + rng.normal(0, 0.08), BIRCH)


def birch(canvas: Canvas, rng: Random, x: float, root: float, thick: float) -> None:
    """A white trunk with hanging boughs behind and before it."""
    top = (x + thick * 0.4, canvas.top - 4)
    for light in (0.12, 0.34):
        for side in (-1, 1) * 4:
            start = (x, rng.uniform(canvas.top - 10, 52))
            bough(canvas, rng, start, side * rng.uniform(25, 105), light)
        if light < 0.3:
            line = curve((x, root), (x - thick * 0.5, root * 0.5), top, steps=40)
            bark(canvas, rng, line, thick)
