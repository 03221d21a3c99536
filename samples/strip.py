"""Paint the picture in the README: `python samples/strip.py` writes samples/strip.jpg.

A frame of the sample clip as it is, then in every style, each frame painted for itself.
"""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path

from vidstyle.jobs.sheet import write_sheet
from vidstyle.video.images import write_image
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

HERE = Path(__file__).parent
FRAME = 70


def main() -> None:
    """Read, paint, hang side by side."""
    frames = read_frames(probe(HERE / "sample.mp4"))
    picture = next(islice(frames, FRAME, None)).image
    with tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.png"
        write_image(frame, picture, {})
        write_sheet(frame, HERE / "strip.jpg", device="cpu", overwrite=True)


if __name__ == "__main__":
    main()
