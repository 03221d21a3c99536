"""Sailing boats, seen from the side, and what the water shows of them."""

from __future__ import annotations

import numpy as np
from brushes import Canvas, Points, Random, colour, curve, mix, outline, ramp
from layers import remap

MAIN = outline(
    ((4.0, -14), (5.2, -78)),
    ((5.2, -78), (-13, -50), (-31, -15)),
    ((-31, -15), (-14, -11.5), (4.0, -14)),
)
JIB = outline(
    ((6.6, -69), (16, -40), (35, -9)),
    ((35, -9), (20, -8), (8.5, -13)),
    ((8.5, -13), (11, -40), (6.6, -69)),
)
HULL = outline(
    ((-36, -7.2), (0, -5.0), (39, -9.0)),
    ((39, -9), (35, -1), (29, 1.2)),
    ((29, 1.2), (0, 2.6), (-31, 1.0)),
    ((-31, 1.0), (-35, -2), (-36, -7.2)),
)
KEEL = outline(((-35, -2.5), (0, -0.5), (33, -2.6)), ((33, -2.6), (0, 3.4), (-32, 1.4)))


def sail(canvas: Canvas, rng: Random, shape: Points, codes: str) -> None:
    """A sail lit through from the right: its cloth runs through `codes` from left to right."""
    cloth = canvas.fresh()
    cloth.polygon(shape, colour("ffffff"))
    low, high = shape.min(0), shape.max(0)
    across = (canvas.x - low[0]) / (high[0] - low[0])
    down = (canvas.y - low[1]) / (high[1] - low[1])
    seams = 0.045 * np.maximum(0, np.cos(down * 44 + 2 * across)) ** 8
    folds = 0.07 * canvas.noise(rng, 5, 40, octaves=3)
    light = 0.15 + 0.75 * across - 0.28 * down**2 + folds - seams
    canvas.paste(ramp(np.clip(light, 0, 1), codes), cloth.cover())


def sloop(rng: Random, density: float, size: float, hull: str, cloth: str) -> Canvas:
    """A boat with mainsail and jib, heading right; (0, 0) is amidships on the waterline."""
    canvas = Canvas(-60 * size, -86 * size, 46 * size, 12 * size, density)
    mast = np.array([(4, -2), (5.5, -82)]) * size
    canvas.line(mast, np.array([1.3, 0.7]) * size, colour("5b4332"))
    sail(canvas, rng, MAIN * size, cloth)
    sail(canvas, rng, JIB * size, cloth)
    canvas.line(np.array([(5, -13.4), (-32, -14.4)]) * size, 1.0 * size, colour("6b4d36"))
    canvas.line(np.array([(37, -7.5), (5.4, -80)]) * size, 0.35 * size, colour("7d6a5a"))
    sailor(canvas, -20.0, size, "3f5676", "e9cf8e")
    sailor(canvas, -11.0, size, "b5503c", "50392c")
    canvas.polygon(HULL, colour(hull), size=size)
    canvas.polygon(KEEL, colour(hull) * np.float32(0.55), size=size)
    rail = curve((-36, -7.0), (0, -4.8), (39, -8.8)) * size
    canvas.line(rail, 1.3 * size, colour("f2dcae"))
    canvas.line(rail + np.array([0, 1.7 * size]), 0.5 * size, colour("a4683c"))
    return canvas


def sailor(canvas: Canvas, x: float, size: float, coat: str, hat: str) -> None:
    """Somebody in the cockpit."""
    light = colour(coat) * np.float32(1.35)
    canvas.ellipse(x * size, -9.5 * size, 2.5 * size, 4.6 * size, colour(coat), 0.15)
    canvas.ellipse((x + 0.9) * size, -9.8 * size, 1.2 * size, 3.6 * size, light, 0.15)
    canvas.ellipse((x + 0.3) * size, -15.2 * size, 1.6 * size, 1.9 * size, colour("c98d68"))
    canvas.ellipse((x + 0.2) * size, -16.5 * size, 2.5 * size, 0.9 * size, colour(hat))


def reflection(boat: Canvas, rng: Random, water: str, share: float, ripple: float) -> Canvas:
    """A boat upside down below its waterline, broken by ripples; `share` of it is water."""
    canvas = Canvas(boat.left - 6, 0, boat.right + 6, -boat.top, boat.density)
    broken = canvas.noise(rng, 22, 2.6, octaves=3) * ripple * (1 + 0.06 * canvas.y)
    to_x = (canvas.x + 1.9 * broken - boat.left) * boat.density - 0.5
    to_y = (-canvas.y - 0.8 * broken - boat.top) * boat.density - 0.5
    ink = remap(boat.ink.astype(np.float32) / np.float32(255), to_x, to_y)
    rgb = np.asarray(ink[..., :3] / np.maximum(ink[..., 3:], 1e-3), np.float32)
    fading = np.clip(1.05 - 0.35 * canvas.y / canvas.bottom, 0, 1)
    canvas.paste(mix(rgb, colour(water), share), 0.92 * ink[..., 3] * fading)
    return canvas
