"""Pictures as text, to stand inside the page."""

from __future__ import annotations

import base64
import io

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.types import Picture

_WIDTH = 480
_QUALITY = 80
_COLOURS = "inferno"


def data_uri(data: bytes, kind: str) -> str:
    """Bytes as a `data:` address of a MIME type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def picture(image: Picture) -> str:
    """An (H, W, 3) RGB picture as a `data:` address; at most 480 pixels wide."""
    shown = Image.fromarray(image)
    shown.thumbnail((_WIDTH, image.shape[0]), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=_QUALITY)
    return data_uri(file.getvalue(), "image/jpeg")


def levels(square_error: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean square errors of colours from 0 to 1 as root mean squares in grey levels, 0-255."""
    return 255 * np.sqrt(square_error)


def heat_map(error: NDArray[np.float32], top: float) -> Picture:
    """(H, W) numbers as an (H, W, 3) picture: black for 0, bright yellow for `top` and above."""
    shares = np.clip(error / top, 0, 1)
    colours: Picture = matplotlib.colormaps[_COLOURS](shares, bytes=True)
    return colours[..., :3]


def heat_ramp(steps: int = 9) -> str:
    """The same colours as a CSS gradient from left to right."""
    colours = heat_map(np.linspace(0, 1, steps, dtype=np.float32)[None], 1)[0]
    return f"linear-gradient(to right, {', '.join(f'rgb({r} {g} {b})' for r, g, b in colours)})"
