"""The jetty of the second scene, with its mooring posts, its lantern and a cat."""

from __future__ import annotations

import numpy as np
from brushes import Canvas, Random, colour, curve, glow, mix, outline, ramp, smoothstep
from buildings import block
from layers import Array

DECK = [(452, 322), (800, 306), (800, 380), (398, 380)]
CAT = outline(
    ((-9, 0), (-9, -16), (-3, -27)),
    ((-3, -27), (2, -28), (5, -24)),
    ((5, -24), (14, -12), (10, 0)),
)
TAIL = curve((8, -2), (26, 1), (27, -10), (22, -12))


def deck(canvas: Canvas, rng: Random) -> None:
    """Planks that run away from the viewer, warm where the lantern shines."""
    canvas.polygon(DECK, colour("39415a"))
    plank = (canvas.x - 700) / (canvas.y - 260) * 3.3
    gaps = smoothstep(0.44, 0.5, np.abs(plank % 1 - 0.5))
    grain = canvas.noise(rng, 30, 1.4, octaves=4)
    light = 0.42 + 0.16 * grain - 0.5 * gaps + 0.12 * np.sin(np.floor(plank) * 7.3)
    cold = ramp(np.clip(light, 0, 1), "131a30 2b3550 4c5a78 7d8ca4")
    warm = ramp(np.clip(light, 0, 1), "3a2416 8a5a30 d99a52 ffd691")
    lamp = np.exp(-np.hypot((canvas.x - 560) / 1.6, canvas.y - 330) / 42)
    canvas.paste(mix(cold, warm, lamp), canvas.cover())


def post(canvas: Canvas, rng: Random, x: float, root: float, tall: float) -> None:
    """A weathered round post with a rope about it."""
    for side in np.linspace(-0.9, 0.9, 11):
        for y in np.arange(root, root - tall, -8.0):
            wood = 0.42 + 0.42 * side + rng.normal(0, 0.1)
            rgb = ramp(wood, "0c1424 1f2a42 465774 7f92a8 b5c0c2")
            block(canvas, x + 5 * side, y, 1.2, min(9.0, y - root + tall), rgb)
    canvas.ellipse(x, root - tall, 5.4, 1.9, colour("8fa0b4"))
    canvas.ellipse(x - 0.4, root - tall + 0.2, 4.3, 1.3, colour("6d7e96"))
    for y in root - tall + np.array([14, 16.4, 18.8]):
        rope = curve((x - 5.4, y - 1), (x, y + 1.6), (x + 5.4, y - 0.6), steps=8)
        canvas.line(rope, 2.0, colour("7c7461"))
        canvas.line(rope[3:] - np.array([0, 0.3]), 0.8, colour("b8ad90"))


def lantern(canvas: Canvas, x: float, y: float) -> None:
    """A lit ship's lantern on a post."""
    iron = colour("3a2f2c")
    block(canvas, x, y, 8.2, 11, colour("ffdf8e"), slim=1.12)
    canvas.ellipse(x, y - 5.5, 2.0, 3.8, colour("fffbe6"))
    for side in (-4.2, 0.0, 4.2):
        block(canvas, x + side, y, 0.7, 11, iron)
    block(canvas, x, y - 11, 11.6, 6, iron, slim=0.05)
    block(canvas, x, y + 2, 10, 2, iron)
    glow(canvas, x, y - 5, 26, "ffb45a", 0.62)


def sitting_cat(canvas: Canvas, x: float, y: float, rgb: Array) -> None:
    """A cat that looks out to sea."""
    canvas.line(TAIL + np.array([x, y]), 3.0, rgb)
    canvas.polygon(CAT, rgb, at=(x, y))
    canvas.ellipse(x - 2, y - 30, 6.2, 5.4, rgb)
    for ear in (-1, 1):
        corners = [(1.2 * ear - 2, -34), (4.4 * ear - 2, -39.5), (5.9 * ear - 2, -32)]
        canvas.polygon(corners, rgb, at=(x, y))


def jetty(rng: Random, density: float) -> Canvas:
    """A wooden jetty at the right."""
    canvas = Canvas(380, 120, 800, 380, density)
    deck(canvas, rng)
    for x, root, tall in ((466, 345, 62), (560, 336, 92), (640, 330, 60), (760, 330, 70)):
        post(canvas, rng, x, root, tall)
    lantern(canvas, 560, 240)
    sitting_cat(canvas, 521.2, 332.5, colour("b9763e"))  # its edge in the lantern's light
    sitting_cat(canvas, 520, 333, colour("141521"))
    return canvas
