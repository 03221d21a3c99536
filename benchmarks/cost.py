"""What a run costs: frames per second, peak memory, the time to `--help`.

    python benchmarks/cost.py CLIP [--style monet] [--tier fast] [--size 848x480] [-o FILE.md]

The clip is scaled to the size and painted whole by `vidstyle run`, in a process of its own; then a
clip ten times as long, made of its repeats, to see whether memory grows. The yardstick is what most
tools run: the network of Johnson et al. (2016) in eager fp32 torch, nothing but the network.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import torch
from av.video.reformatter import Interpolation

from vidstyle.stylizers.engine import available_cores
from vidstyle.stylizers.networks import BestNet

REPEATS = 10
SHORT = 60
"""Frames of the short clip."""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    mebibytes: float
    """Peak resident memory."""


def measure(*arguments: str) -> Cost:
    """Run vidstyle in a process of its own and account for it."""
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *arguments], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"vidstyle {' '.join(arguments)} failed with status {status}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def scaled_frames(clip: Path, width: int, height: int) -> Iterator[av.VideoFrame]:
    """Decode a clip at another size."""
    with av.open(clip) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(width, height, "yuv420p", interpolation=Interpolation.BICUBIC)


def write_clip(path: Path, clip: Path, size: tuple[int, int], repeats: int) -> int:
    """Write the clip's frames, scaled, `repeats` times over; return how many frames that made."""
    count = 0
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(repeats):
            for frame in islice(scaled_frames(clip, *size), SHORT):
                frame.pts, frame.time_base = count, Fraction(1, 25)
                frame.pict_type = av.video.frame.PictureType.NONE
                container.mux(stream.encode(frame))
                count += 1
        container.mux(stream.encode())
    return count


@torch.inference_mode()
def johnson_seconds(width: int, height: int, frames: int = 5) -> float:
    """Median seconds a frame of the Johnson network (32-64-128, five blocks), eager fp32."""
    network = BestNet(width=32, blocks=5).eval()
    picture = torch.rand(1, 3, height, width)
    network(picture)
    times = []
    for _ in range(frames):
        start = time.monotonic()
        network(picture)
        times.append(time.monotonic() - start)
    return statistics.median(times)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--style", default="monet")
    parser.add_argument("--tier", default="fast")
    parser.add_argument("--size", default="848x480")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results/cost.md"))
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options, (width, height), Path(folder))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(rows, encoding="utf-8")
    print(rows)


def table(options: argparse.Namespace, size: tuple[int, int], folder: Path) -> str:
    """Measure everything once and write it down as markdown."""
    short, long = folder / "short.mp4", folder / "long.mp4"
    frames = write_clip(short, options.clip, size, 1)
    write_clip(long, options.clip, size, REPEATS)
    run = ["--style", options.style, "--tier", options.tier, "-y", "-o", str(folder / "out.mp4")]
    once, many = measure("run", str(short), *run), measure("run", str(long), *run)
    help_times = [measure("--help").seconds for _ in range(7)]
    baseline = 1 / johnson_seconds(*size)
    steady = (REPEATS - 1) * frames / (many.seconds - once.seconds)
    return f"""# What a run costs

`python benchmarks/cost.py {options.clip.name} --style {options.style} --tier {options.tier}`, \
{platform.processor() or platform.machine()}, {available_cores()} cores, \
torch {torch.__version__}; decode, flow, painting, blending, encoding and muxing of {frames} \
frames of {size[0]}x{size[1]}.

| what | figure |
|---|---|
| end to end, start-up left out | {steady:.1f} frames/s |
| end to end, {frames} frames with start-up | {frames / once.seconds:.1f} frames/s |
| Johnson network alone, eager fp32 torch | {baseline:.2f} frames/s |
| ratio | {steady / baseline:.1f}x |
| peak memory, {frames} frames | {once.mebibytes:.0f} MiB |
| peak memory, {REPEATS * frames} frames | {many.mebibytes:.0f} MiB \
({100 * (many.mebibytes / once.mebibytes - 1):+.1f} %) |
| `vidstyle --help` | {statistics.median(help_times):.2f} s |
"""


if __name__ == "__main__":
    main()
