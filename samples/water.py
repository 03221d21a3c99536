"""Still water: what lies behind it, upside down in ripples, and the path of the light on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from brushes import Canvas, Random, colour, mix, ramp, smoothstep
from layers import HEIGHT, Array, Layer, Numbers, Sway, remap


@dataclass(frozen=True)
class Water:
    """How a water lies and looks."""

    horizon: float
    shore: float
    light: float
    """Where the sun or the moon stands, in units from the left."""
    deep: str
    """Colour codes of the water itself, from far to near."""
    path: str
    """Codes of the light's path on the water: its sheen and its glints."""
    rough: float = 1.0
    clear: float = 0.42
    """How much of its own colour the water shows close by."""

    def near(self, y: Numbers) -> Array:
        """0 at the horizon, 1 at the bottom of the frame."""
        return np.asarray((y - self.horizon) / (HEIGHT - self.horizon), np.float32)

    def swell(self) -> Sway:
        """Waves that run towards the viewer, shorter and lower with distance."""

        def sway(x: Array, y: Array, t: float) -> tuple[Array, Array]:
            near = np.clip(self.near(y), 0.05, 1.2)
            first, second = 62 / near + 0.02 * x - 0.23 * t, 37 / near - 0.031 * x - 0.17 * t
            dy = near**2 * (0.75 * np.sin(first) + 0.95 * np.sin(second))
            return near * 1.3 * np.sin(second + 1), np.asarray(dy, np.float32)

        return sway

    def paint(self, canvas: Canvas, rng: Random, behind: list[Layer], t: float) -> None:
        """Fill a canvas with the water under the layers as they stand at time t."""
        near = self.near(canvas.y)
        slope = ripples(canvas, rng, near)
        mirror = 2 * self.shore - canvas.y
        tilt = slope * (2 + 15 * near) * self.rough
        rgb = look_up(behind, canvas.x + slope * (1.5 + 4 * near), mirror + tilt - 3 * near, t)
        own = ramp(np.clip(near, 0, 1), self.deep)
        rgb = mix(rgb, own, np.clip(0.12 + self.clear * near - 0.16 * slope, 0, 0.85))
        rgb = rgb * (1 + 0.09 * np.clip(slope, -1.5, 1.5))[..., None]
        sheen, spark = (colour(code) for code in self.path.split())
        path = np.exp(-(((canvas.x - self.light) / (9 + 42 * near)) ** 2)) * smoothstep(
            0.1, 0.16, near
        )
        glint = smoothstep(0.35, 0.8, slope + 0.5 * path) * path
        canvas.paste(mix(mix(rgb, sheen, 0.28 * path), spark, np.clip(0.95 * glint, 0, 1)))


def ripples(canvas: Canvas, rng: Random, near: Array) -> Array:
    """Slopes of the water, about -1 to 1: waves in perspective, left out where too small to see."""
    total = np.zeros_like(near)
    for cell, weight in ((90, 0.35), (48, 0.5), (26, 0.55), (14, 0.5), (7.5, 0.4), (4, 0.3)):
        grid = rng.normal(0, 0.7, (512, 512)).astype(np.float32)
        u = 256 + (canvas.x - 320) / (near + 0.02) / (cell * 1.5)
        v = 900 / (near + 0.02) / cell
        tall = np.abs(1 / np.gradient(v, axis=0))
        wave = remap(grid, u, v % 500, cv2.BORDER_REFLECT, cv2.INTER_CUBIC)
        total += weight * wave * smoothstep(1.0, 3.0, tall)
    return total


def look_up(layers: list[Layer], x: Array, y: Array, t: float) -> Array:
    """(h, w, 3): the layers over one another at any points of the screen, also beside it."""
    picture = np.zeros((*x.shape, 3), np.float32)
    for layer in layers:
        at_x, at_y = layer.lookup(x, y, t)
        to_x, to_y = (
            (at_x - layer.corner[0]) * layer.density,
            (at_y - layer.corner[1]) * layer.density,
        )
        border = cv2.BORDER_REPLICATE if layer is layers[0] else cv2.BORDER_CONSTANT
        rgba = remap(layer.texture, to_x, to_y, border)
        picture = picture * (1 - rgba[..., 3:]) + rgba[..., :3]
    return picture
