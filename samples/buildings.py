"""Houses, a church and a lighthouse, lit from the right; each stands on the point given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from brushes import Canvas, colour, ramp
from layers import Array


def block(
    canvas: Canvas, x: float, y: float, width: float, height: float, rgb: Array, slim: float = 1.0
) -> None:
    """An upright shape about the middle x, standing on y, `slim` times as wide at its top."""
    half, top = width / 2, slim * width / 2
    corners = [(-half, 0), (-top, -height), (top, -height), (half, 0)]
    canvas.polygon(corners, rgb, at=(x, y))


def house(
    canvas: Canvas,
    x: float,
    y: float,
    width: float,
    height: float,
    codes: str,
    panes: Sequence[str],
) -> None:
    """A cottage, gable to the light; `codes`: wall and roof, `panes`: a code for each window."""
    wall, roof = (colour(code) for code in codes.split())
    ridge, gable, end = height * 1.85, width * 0.38, width * 1.38
    block(canvas, x + width / 2, y, width, height, wall * np.float32(0.72))
    front = [(width, 0), (width, -height), (width + gable / 2, -ridge), (end, -height), (end, 0)]
    canvas.polygon(front, wall, at=(x, y))
    eaves = 0.5 - height
    slope = [(-0.8, eaves), (gable / 2, -ridge), (width + gable / 2, -ridge), (width, eaves)]
    canvas.polygon(slope, roof, at=(x, y))
    for i, pane in enumerate(panes):
        middle = x + width * (0.19 + 0.8 * i / len(panes))
        block(canvas, middle, y - 0.28 * height, 0.14 * width, 0.48 * height, colour(pane))


def church(canvas: Canvas, x: float, y: float, size: float, codes: str, pane: str) -> None:
    """A tower with a slate spire; `codes`: shaded and lit wall, shaded and lit slate."""
    shade, light, slate, sheen = (colour(code) for code in codes.split())
    block(canvas, x, y, 6.8 * size, 24 * size, shade)
    block(canvas, x + 2.1 * size, y, 2.6 * size, 24 * size, light)
    canvas.polygon([(-4.25, -23.7), (0, -45), (4.25, -23.7)], slate, (x, y), size)
    canvas.polygon([(0.7, -23.7), (0, -45), (4.25, -23.7)], sheen, (x, y), size)
    canvas.ellipse(x, y - 18 * size, size, 1.7 * size, colour(pane))


def lighthouse(canvas: Canvas, x: float, y: float, codes: str, lamp: str) -> None:
    """A round tower with two red bands and a lamp; `codes` run around it from shade to light."""
    for side in np.linspace(-0.92, 0.92, 14):
        light = ramp((side + 1) / 2, codes)
        red = light * np.array([0.85, 0.3, 0.32], np.float32)
        for low, high, rgb in ((0, 52, light), (12, 22, red), (34, 43, red)):
            (left, foot), (right, head) = ((side * (6 - h / 26), -h) for h in (low, high))
            strip = [
                (left - 0.5, foot),
                (right - 0.5, head),
                (right + 0.5, head),
                (left + 0.5, foot),
            ]
            canvas.polygon(strip, rgb, at=(x, y))
    dark = colour("1c2438")
    block(canvas, x, y - 52, 10.8, 1.6, dark)
    block(canvas, x, y - 53.4, 5.6, 7.0, colour(lamp))
    block(canvas, x, y - 60, 7.6, 5.5, dark, slim=0.05)
