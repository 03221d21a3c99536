"""Paint the moving picture in the README: `python samples/steady.py` writes samples/steady.webp.

A part of the sample clip, painted frame by frame on the left, and held still on the right.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.coherence.blend import Steadier
from vidstyle.jobs.style import load_style
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

HERE: Final = Path(__file__).parent
STYLE: Final = "starry-night"
FIRST: Final = 24
COUNT: Final = 36
SECONDS: Final = 1 / 12
"""A frame is shown for; half as fast as in the clip."""
PART: Final = np.s_[120:344, 160:480]
"""Rows and columns that are shown."""


def main() -> None:
    """Read, paint, hold, show side by side."""
    pictures = [Image.fromarray(pair) for pair in pairs()]
    pictures[0].save(
        HERE / "steady.webp",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 * SECONDS),
        loop=0,
        quality=60,
        method=6,
    )


def pairs() -> Iterator[NDArray[np.uint8]]:
    """(H, 2 W, 3): frames painted by themselves, and held still."""
    info = probe(HERE / "sample.mp4")
    style, steadier = load_style(STYLE, device="cpu"), Steadier(info.height, info.width)
    for frame in islice(read_frames(info), FIRST, FIRST + COUNT):
        painted = style.paint(frame.image)
        held = steadier.step(frame.image, painted)
        yield np.concatenate([painted[PART], held[PART]], axis=1)


if __name__ == "__main__":
    main()
