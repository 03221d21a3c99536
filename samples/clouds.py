"""Clouds: a high veil in perspective and heaped cumulus, both lit from where the sun stands."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from brushes import Canvas, Point, Random, smoothstep
from layers import Array, remap

Heap = tuple[float, float, float, float]
"""Middle, base, width and height of a cumulus."""


def veil(canvas: Canvas, rng: Random, sun: Point, horizon: float) -> tuple[Array, Array]:
    """Density and light, 0-1, of high clouds on a ceiling that runs to the horizon."""
    plane = Canvas(-500, 0, 500, 900, 1.0)
    warp, patches = plane.noise(rng, 70, octaves=4), plane.noise(rng, 240, octaves=3)
    field = plane.noise(rng, 62, octaves=6, gain=0.6) + np.float32(0.9) * patches
    field = plane.bend(field, 22 * warp, 16 * warp[::-1])

    def density(x: Array, y: Array) -> Array:
        rise = np.maximum(horizon + 6 - y, 2)
        u, v = (x - 320) * 150 / (rise + 40) + 500, 42000 / (rise + 46)
        return smoothstep(-0.1, 1.4, remap(field, u, v, cv2.BORDER_REFLECT))

    away_x, away_y = sun[0] - canvas.x, sun[1] - canvas.y
    far = np.hypot(away_x, away_y) + 30
    depth = np.zeros_like(far)
    for step in (2, 5, 9, 14, 20):
        depth += density(canvas.x + away_x / far * step, canvas.y + away_y / far * step)
    cover = density(canvas.x, canvas.y)
    light = np.exp(-0.55 * depth) * 0.75 + 0.25 * np.exp(-cover * 2)
    return cover * smoothstep(4, 30, horizon - canvas.y), np.asarray(light, np.float32)


def pile(canvas: Canvas, rng: Random, sun: Point, heap: Heap, density: Array, light: Array) -> None:
    """Add a cumulus to the sky's density and light: puffs on a flat base, the top ones first."""
    x, base, width, height = heap
    count = int(70 + width * height / 14)
    across = np.clip(rng.normal(0, 0.42, count), -1, 1)
    lift = rng.uniform(0, 1, count) ** 1.2 * (1 - np.abs(across) ** 1.6)
    size = height * (0.1 + 0.2 * rng.uniform(0, 1, count) ** 2) * (1.1 - 0.4 * lift)
    for i in np.argsort(-lift + rng.normal(0, 0.12, count)):
        cx, cy, r = x + across[i] * width / 2, base - lift[i] * height, size[i]
        part = canvas.part(cx - r, cy - r, cx + r, cy + r)
        u, v = (canvas.x[part] - cx) / r, (canvas.y[part] - cy) / r
        bulge = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
        to_x, to_y = sun[0] - cx, sun[1] - cy - 55  # most of the light comes from the sky above it
        slope = (u * to_x + v * to_y) / (np.hypot(to_x, to_y) + 1)
        shade = 0.36 + 0.3 * slope + 0.12 * bulge + 0.34 * lift[i]
        share = smoothstep(0.0, 0.75, bulge) * (0.55 + 0.45 * (1 - abs(across[i])))
        light[part] += (shade - light[part]) * share
        density[part] += (1 - density[part]) * share


def cumulus(canvas: Canvas, rng: Random, sun: Point, heaps: Sequence[Heap]) -> tuple[Array, Array]:
    """Density and light, 0-1, of heaped clouds, the far ones first."""
    density, light = np.zeros_like(canvas.x), np.full_like(canvas.x, 0.5)
    for heap in heaps:
        pile(canvas, rng, sun, heap, density, light)
    fray_x, fray_y = (canvas.noise(rng, 16, 10, gain=0.62) * np.float32(5) for _ in range(2))
    density, light = (canvas.bend(v, fray_x, np.float32(0.6) * fray_y) for v in (density, light))
    wisps = smoothstep(-0.7, 0.35, canvas.noise(rng, 34, 14, octaves=6) + density)
    return density * wisps, light + np.float32(0.1) * canvas.noise(rng, 9, 7, octaves=4)
