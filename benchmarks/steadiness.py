"""How still the painting holds, and what that costs in detail: a table over a folder of clips.

    python benchmarks/steadiness.py CLIPS [--style monet] [--tier fast] [--frames 40] [-o FILE.md]

Each clip is scaled to a height of 360 pixels and painted twice: as the network paints it, and held
still at the default consistency. E_warp (Lai et al., ECCV 2018) takes flow and mask from the source
(dense inverse search at full size, forward-backward check, motion boundaries left out), frames are
compared before encoding, colours counting from 0 to 1. Pairs across a hard cut are left out.
"""

from __future__ import annotations

import argparse
import platform
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vidstyle
from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.coherence.blend import Steadier
from vidstyle.metrics.detail import detail
from vidstyle.metrics.steadiness import source_motion, steadiness
from vidstyle.motion.cuts import is_cut
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

HEIGHT = 360
SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif"}

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One clip."""

    name: str
    frames: int
    source: float
    unblended: float
    output: float
    detail: float
    """Variance of the Laplacian, output over unblended."""
    coverage: float

    @property
    def ratio(self) -> float:
        """E_warp of the output over that of the unblended painting."""
        return self.output / self.unblended


def scaled(path: Path, count: int) -> Iterator[Image]:
    """The first frames of a clip, HEIGHT pixels high, its pixels made square."""
    info = probe(path)
    width = info.width * info.sample_aspect_ratio * HEIGHT / info.height
    size = (4 * round(width / 4), HEIGHT)
    for frame in islice(read_frames(info), count):
        yield cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)


def measure(path: Path, style: vidstyle.Style, count: int) -> Row | None:
    """Paint a clip and measure it; None when it has no two neighbouring frames."""
    frames = list(scaled(path, count))
    motions = [None if is_cut(a, b) else source_motion(a, b) for a, b in pairwise(frames)]
    if not any(motions):
        return None
    painted = [style.paint(frame) for frame in frames]
    steadier = Steadier(*frames[0].shape[:2])
    held = [steadier.step(frame, paint) for frame, paint in zip(frames, painted, strict=True)]
    source, unblended, output = (steadiness(clip, motions) for clip in (frames, painted, held))
    return Row(
        path.name,
        len(frames),
        source.warp_error,
        unblended.warp_error,
        output.warp_error,
        mean_detail(held) / mean_detail(painted),
        source.coverage,
    )


def mean_detail(frames: Sequence[Image]) -> float:
    """Mean over frames of the variance of the Laplacian."""
    return statistics.fmean(detail(frame) for frame in frames)


def table(rows: Sequence[Row], options: argparse.Namespace) -> str:
    """The rows as markdown, with their means and the worst."""
    worst = max(rows, key=lambda row: row.ratio)
    lines = [
        f"| {r.name} | {r.frames} | {r.source:.5f} | {r.unblended:.5f} | {r.output:.5f} "
        f"| {r.ratio:.2f} | {r.detail:.2f} | {r.coverage:.2f} |"
        for r in rows
    ]
    return "\n".join(
        [
            f"# Steadiness: {options.style}, {options.tier}",
            "",
            f"`python benchmarks/steadiness.py CLIPS --style {options.style} --tier {options.tier} "
            f"--frames {options.frames}`, consistency {DEFAULT_CONSISTENCY}, height {HEIGHT}, "
            f"{platform.machine()}.",
            "E_warp is a mean square over trusted pixels, flow and mask from the source, before "
            "encoding; detail is the variance of the Laplacian, output over unblended.",
            "",
            "| clip | frames | E_warp source | unblended | output | output / unblended "
            "| detail | coverage |",
            "|---|---|---|---|---|---|---|---|",
            *lines,
            f"| **mean** | | | | | **{statistics.fmean(r.ratio for r in rows):.2f}** "
            f"| **{statistics.fmean(r.detail for r in rows):.2f}** | |",
            "",
            f"Worst: {worst.name}, {worst.ratio:.2f}.",
            "",
        ]
    )


def main() -> None:
    """Measure every clip, print as it goes, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--style", default="monet")
    parser.add_argument("--tier", default="fast")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    style = vidstyle.load_style(options.style, tier=options.tier)
    rows = []
    for path in sorted(p for p in options.clips.iterdir() if p.suffix.lower() in SUFFIXES):
        if row := measure(path, style, options.frames):
            rows.append(row)
            print(f"{row.name:60} ratio {row.ratio:.3f}  detail {row.detail:.3f}", flush=True)
    text = table(rows, options)
    output = options.output or Path(__file__).parent / f"results/steadiness-{options.style}.md"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
