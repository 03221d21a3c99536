"""The painters alone, without decoding, blending or encoding: what bounds all else on a GPU.

    python benchmarks/network.py [--style monet] [--device cuda] [-o FILE.md]

It needs no PyAV. Frames go in and come out as uint8 in the computer's own memory, so that the way
to the GPU and back counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from vidstyle.jobs.bench.ceiling import ceiling, operations
from vidstyle.jobs.bench.scene import moving_scene
from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.style import load_style
from vidstyle.stylizers.device import choose_device
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.types import TIERS, Tier

SIZES = ((848, 480), (1920, 1080), (3840, 2160))
SECONDS = 5.0
"""How long each painter is measured, at least."""
WARM_UP, LEAST = 3, 5
"""Batches that do not count, and those that do, at least."""


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="monet")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("benchmarks/results/network.md"))
    options = parser.parse_args()
    text = "\n".join(page(options.style, choose_device(options.device)))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    print(text)


def page(style: str, device: str) -> Iterator[str]:
    """The whole file, in markdown."""
    best = ceiling(device, time.perf_counter)
    rate = max(best.fp32_gflops, best.half_gflops or 0.0)
    yield f"# The painters alone\n\n`python benchmarks/network.py --style {style}`\n"
    yield machine_card().markdown()
    yield f"- a large matrix product: {rate:,.0f} GFLOP/s\n"
    yield "| painter | size | engine | batch | fps | times the floor |\n|---|---|---|---|---|---|"
    for width, height in SIZES:
        for tier in TIERS:
            floor = operations(StyleRegistry().find(style, tier), width * height) / rate / 1e9
            engine, batch, seconds = measure(style, tier, device, (width, height))
            yield (
                f"| {tier} | {width}x{height} | {engine} | {batch} | {1 / seconds:,.1f} "
                f"| {seconds / floor:.1f} |"
            )
    yield ""


def measure(name: str, tier: Tier, device: str, size: tuple[int, int]) -> tuple[str, int, float]:
    """Engine, frames painted at a time, and median seconds a frame."""
    style = load_style(name, tier=tier, device=device)
    engine, batch = style.engine(size[1], size[0]), style.batch(size[1], size[0])
    frames = np.stack(list(islice(moving_scene(*size, batch), batch)))
    for _ in range(WARM_UP):
        engine.paint(frames)
    seconds: list[float] = []
    while sum(seconds) < SECONDS or len(seconds) < LEAST:
        since = time.perf_counter()
        engine.paint(frames)
        seconds.append(time.perf_counter() - since)
    return engine.name, batch, statistics.median(seconds) / batch


if __name__ == "__main__":
    main()
