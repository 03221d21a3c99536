"""Paint the style picture of the demonstration: `python samples/painting.py` writes painting.jpg.

Long strokes of many bristles that follow whirls, from broad to fine, in the colours of a dusk: all
from formulas and seeded noise, so that the picture is the project's own.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from brushes import Array, Points, Random, ramp
from PIL import Image

HEIGHT, WIDTH = 576, 768
DUSK = "0f1b3d 1f3f7a 2f6f9f 7fb0b0 e9d8a0 f2b04a d9652b 8c2f39"
"""From the dark of the ground over the sky to the glow; a colour for each eighth of the tone."""
COARSE_TO_FINE = ((26, 1500, 10), (14, 3500, 8), (8, 6000, 6))
"""Width of a stroke in pixels, how many of them, and how many steps long they are."""


def whirls(rng: Random) -> tuple[Array, Array]:
    """Directions (H, W, 2) of the strokes, and a tone (H, W) in 0-1, both swirling."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    ahead, across = np.ones_like(x), np.zeros_like(x)
    tone = 0.35 + 0.3 * np.sin(y / 90 + 0.8 * np.sin(x / 130))
    for _ in range(9):
        left, top = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        reach, turn = rng.uniform(50, 120), rng.choice((-1.0, 1.0))
        right, down = x - left, y - top
        near = np.exp(-(right**2 + down**2) / (2 * reach**2))
        ahead -= 4 * turn * near * down / reach
        across += 4 * turn * near * right / reach
        tone += rng.choice((-0.35, 0.45)) * near * (0.6 + 0.4 * np.cos(np.hypot(right, down) / 9))
    length = np.hypot(ahead, across) + 1e-6
    directions = np.stack([ahead / length, across / length], axis=-1).astype(np.float32)
    return directions, np.clip(tone, 0, 1).astype(np.float32)


def path(directions: Array, start: Array, steps: int, stride: float) -> Points:
    """(steps, 2) x and y of a line that follows the directions."""
    points = [start]
    for _ in range(steps - 1):
        x, y = (int(v) for v in np.clip(points[-1], 0, (WIDTH - 1, HEIGHT - 1)))
        points.append(points[-1] + stride * directions[y, x])
    return np.array(points)


def stroke(canvas: Array, line: Points, width: int, colour: Array, rng: Random) -> None:
    """Draw the bristles of one stroke side by side, each a little lighter or darker."""
    ahead = np.gradient(line, axis=0)
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-6
    for offset in np.arange(-width / 2, width / 2, 2):
        bristle = np.round(line + offset * across).astype(np.int32)
        shade = colour * rng.normal(1, 0.12) + rng.normal(0, 0.02, 3)
        cv2.polylines(canvas, [bristle], False, shade.clip(0, 1).tolist(), 2, cv2.LINE_AA)


def paint(seed: int = 7) -> Array:
    """(HEIGHT, WIDTH, 3) RGB in 0-1."""
    rng = np.random.default_rng(seed)
    directions, tone = whirls(rng)
    canvas = ramp(tone, DUSK).copy()
    for width, count, steps in COARSE_TO_FINE:
        for start in rng.uniform((0, 0), (WIDTH, HEIGHT), (count, 2)):
            here = tone[int(start[1]), int(start[0])] + rng.normal(0, 0.05)
            colour = ramp(np.clip(here, 0, 1), DUSK)
            stroke(canvas, path(directions, start, steps, width / 2), width, colour, rng)
    return canvas


def main() -> None:
    """Paint and save."""
    pixels = np.round(paint() * 255).astype(np.uint8)
    Image.fromarray(pixels).save(Path(__file__).with_suffix(".jpg"), quality=90)


if __name__ == "__main__":
    main()
