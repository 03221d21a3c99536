"""Whether memory and open files stay flat through a long clip.

    python benchmarks/soak.py [--minutes 60] [--style monet] [-o FILE.md]

A clip of 320x180 is made, of drifting colours with a hard cut now and then, and painted by
`vidstyle run` in a process of its own. Its resident memory and its open files are read twice a
second. Exit code 1 when, after the first tenth, memory grows by more than 5 % or files are left
open.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from pages import write_page

WIDTH, HEIGHT, RATE = 320, 180, 25
SHOT = 12 * RATE
"""Frames from one cut to the next."""
GROWTH = 0.05
EVERY = 0.5


@dataclass(frozen=True)
class Look:
    """One look at the process."""

    seconds: float
    mebibytes: float
    files: int
    segment: int
    """Segments that had been begun."""


def write_clip(path: Path, frames: int) -> None:
    """Write `frames` frames that always move and never repeat."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            shot = number // SHOT
            phase, tilt = number / 9, 20 + 7 * (shot % 5)
            waves = [np.sin((x + k * y) / tilt + phase + k * shot) for k in range(3)]
            image = (127 + 110 * np.stack(waves, axis=-1)).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(image, "rgb24")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def watch(clip: Path, style: str) -> list[Look]:
    """Paint the clip in a process of its own, and look at that until it ends."""
    output = clip.with_name("out.mp4")
    command = [sys.executable, "-m", "vidstyle", "run", str(clip), "-s", style, "-o", str(output)]
    part = output.with_name(f".{output.name}.part")
    looks, start = [], time.monotonic()
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            looks.append(look(process.pid, part, time.monotonic() - start))
            time.sleep(EVERY)
    if process.returncode:
        raise SystemExit(f"vidstyle failed with status {process.returncode}")
    return [seen for seen in looks if seen.segment]


def look(pid: int, part: Path, seconds: float) -> Look:
    """Read what the kernel tells of a process."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        files = len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, IndexError):  # it has just ended
        return Look(seconds, 0, 0, 0)
    segments = len(list(part.glob("*.nut"))) if part.is_dir() else 0
    return Look(seconds, pages * os.sysconf("SC_PAGESIZE") / 2**20, files, segments)


def table(looks: list[Look], minutes: float, style: str) -> tuple[str, bool]:
    """What was seen, as markdown, and whether it is well."""
    warm = looks[len(looks) // 10 :]
    third = max(1, len(warm) // 3)
    early = statistics.median(seen.mebibytes for seen in warm[:third])
    late = statistics.median(seen.mebibytes for seen in warm[-third:])
    most = max(seen.mebibytes for seen in warm)
    files = [
        statistics.median(seen.files for seen in part) for part in (warm[:third], warm[-third:])
    ]
    growth = late / early - 1
    text = f"""# A long clip

`python benchmarks/soak.py --minutes {minutes:g} --style {style}`: {minutes:g} minutes of \
{WIDTH}x{HEIGHT} at {RATE} frames/s, painted in {looks[-1].seconds / 60:.1f} minutes, in \
{max(seen.segment for seen in looks)} segments; {len(warm)} looks after the first tenth.

| what | first third | last third | most |
|---|---|---|---|
| resident memory | {early:.0f} MiB | {late:.0f} MiB ({100 * growth:+.1f} %) | {most:.0f} MiB |
| open files | {files[0]:g} | {files[1]:g} | {max(seen.files for seen in warm)} |
"""
    return text, growth <= GROWTH and files[1] <= files[0]


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--style", default="monet")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/soak.md"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_clip(clip, round(options.minutes * 60 * RATE))
        text, is_well = table(watch(clip, options.style), options.minutes, options.style)
    write_page(options.output, text)
    raise SystemExit(0 if is_well else 1)


if __name__ == "__main__":
    main()
