"""Water lilies in islands on the lake, in perspective."""

from __future__ import annotations

import numpy as np
from brushes import Canvas, Random, colour, ramp
from water import Water

NEAREST, FARTHEST = 364, 246
ISLANDS = [
    (60, 258, 46, 34),
    (250, 262, 52, 34),
    (420, 300, 60, 44),
    (130, 318, 80, 52),
    (620, 266, 60, 44),
    (700, 320, 70, 40),
    (-90, 290, 70, 50),
    (560, 345, 50, 22),
    (-140, 256, 60, 30),
]
"""Middle, spread and number of pads of each island."""


def pad(canvas: Canvas, rng: Random, x: float, y: float, near: float) -> None:
    """A lily pad, lying flat, with its notch and the sky's sheen."""
    rx, turn, tone = rng.uniform(6, 13) * near, rng.uniform(0, 2 * np.pi), rng.uniform(0, 1)
    angle = np.linspace(turn + 0.22, turn + 2 * np.pi - 0.22, 22)
    ring = np.stack([rx * np.cos(angle), 0.34 * rx * np.sin(angle)], axis=1)
    body = np.concatenate([ring, [(0.0, 0.0)]])
    canvas.polygon(body * 1.06, colour("13292b"), (x - 0.5 * near, y + 1.3 * near))
    canvas.polygon(body, ramp(tone, "2c4a34 3f6039 5a7540 7d7c42"), (x, y))
    inner = (x + 0.9 * near, y - 0.25 * near)
    canvas.polygon(body * 0.86, ramp(tone, "44683f 5a7d49 788f51 9b9353"), inner)
    sheen = (x + 0.3 * rx, y - 0.075 * rx)
    canvas.polygon(body * [0.45, 0.4], ramp(tone, "7d9a86 93a996 b3b59b c9b68c"), sheen)


def blossom(canvas: Canvas, rng: Random, x: float, y: float, near: float) -> None:
    """A water lily, white to pink, open to the sky."""
    size, petals = rng.uniform(4.0, 5.6) * near, ramp(rng.uniform(), "f3dfe0 f0b9c4 e58fa6")
    canvas.ellipse(x, y + 0.3 * size, 1.25 * size, 0.5 * size, colour("1b3230"))
    for ring, lift, light in ((1.15, 0.0, 0.82), (0.85, 0.28, 0.95), (0.5, 0.5, 1.08)):
        for angle in np.linspace(0, 2 * np.pi, 9)[:-1] + rng.uniform(0, 1):
            dx, dy = np.cos(angle) * size * ring, np.sin(angle) * size * ring * 0.4
            rgb = petals * np.float32(light * (0.93 + 0.09 * np.cos(angle)))
            at_x, at_y = x + 0.6 * dx, y - size * lift + 0.6 * dy - 0.12 * abs(dx)
            turn = float(np.arctan2(dy - 0.28 * size, dx))
            canvas.ellipse(at_x, at_y, 0.5 * size, 0.26 * size, rgb, turn)
    canvas.ellipse(x, y - 0.58 * size, 0.26 * size, 0.18 * size, colour("f7cf5a"))


def lilies(rng: Random, density: float, water: Water) -> Canvas:
    """Islands of lily pads with blossoms, the far ones first."""
    canvas = Canvas(-230, FARTHEST - 6, 870, NEAREST, density)
    spots = []
    for x, y, spread, count in ISLANDS:
        deep = spread * 0.42 * (0.3 + water.near(float(y)))
        spots += [
            (y + dy * deep, x + dx * spread * 1.7) for dx, dy in rng.normal(0, 0.5, (count, 2))
        ]
    for y, x in sorted(spot for spot in spots if spot[0] > FARTHEST):
        near = float(water.near(y))
        pad(canvas, rng, x, y, near)
        if rng.uniform() < 0.16:
            blossom(canvas, rng, x, y - 0.5, near)
    return canvas
