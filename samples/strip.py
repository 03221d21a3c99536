"""Paint the picture in the README: `python samples/strip.py` writes samples/strip.jpg.

A frame of each scene of the sample clip as it is, then in each style, as `vidstyle run` shows it
before blending.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

import vidstyle
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

HERE = Path(__file__).parent
STYLES = ("monet", "starry-night")
FRAMES = (70, 200)
"""One in each scene."""
WIDTH = 480


def main() -> None:
    """Read, paint, hang side by side, save."""
    frames = list(islice(read_frames(probe(HERE / "sample.mp4")), max(FRAMES) + 1))
    chosen = [frames[t].image for t in FRAMES]
    styles = [vidstyle.load_style(name) for name in STYLES]
    rows = [np.hstack([image, *(style.paint(image) for style in styles)]) for image in chosen]
    strip = Image.fromarray(np.vstack(rows))
    columns = len(STYLES) + 1
    height = round(strip.height * WIDTH * columns / strip.width)
    strip.resize((WIDTH * columns, height), Image.Resampling.LANCZOS).save(
        HERE / "strip.jpg", quality=90
    )


if __name__ == "__main__":
    main()
