"""The painters, flow and blend alone, without a codec: what bounds all else on a GPU.

    python benchmarks/network.py [--style monet] [--device cuda] [-o FILE.md]

It needs no PyAV. Frames lie where they are painted: on a GPU that is its own memory. Beside it
stands what is left with the way there and back from the computer's memory, as uint8.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import torch
from pages import write_page

from vidstyle.coherence.blend import Steadier
from vidstyle.jobs.bench.ceiling import ceiling, operations
from vidstyle.jobs.bench.scene import moving_scene
from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.style import Style, load_style
from vidstyle.stylizers.device import choose_device
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.types import TIERS

SIZES = ((848, 480), (1920, 1080), (3840, 2160))
SECONDS = 5.0
"""How long each of them is measured, at least."""
WARM_UP, LEAST = 3, 5
"""Calls that do not count, and those that do, at least."""
SCENE = 8
"""Frames of the picture that moves, there and back."""


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="monet")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/network.md"
    )
    options = parser.parse_args()
    text = "\n".join(page(options.style, choose_device(options.device)))
    write_page(options.output, text)


def page(name: str, device: str) -> Iterator[str]:
    """The whole file, in markdown."""
    best = ceiling(device, time.perf_counter)
    rate = max(best.fp32_gflops, best.half_gflops or 0.0)
    yield f"# The painters, flow and blend alone\n\n`python benchmarks/network.py --style {name}`\n"
    yield machine_card().markdown()
    yield f"- a large matrix product: {rate:,.0f} GFLOP/s\n"
    yield "| what | size | engine | batch | fps | times the least | fps, there and back |"
    yield "|---|---|---|---|---|---|---|"
    for width, height in SIZES:
        for tier in TIERS:
            least = operations(StyleRegistry().find(name, tier), width * height) / rate / 1e9
            style = load_style(name, tier=tier, device=device)
            engine, batch, seconds, travelling = painting(style, (height, width))
            yield (
                f"| {tier} | {width}x{height} | {engine} | {batch} | {1 / seconds:,.1f} "
                f"| {seconds / least:.1f} | {1 / travelling:,.1f} |"
            )
        for what, seconds in steadying(style, (height, width)):
            yield f"| {what} | {width}x{height} | | | {1 / seconds:,.1f} | | |"
    yield ""


def painting(style: Style, size: tuple[int, int]) -> tuple[str, int, float, float]:
    """Engine, frames painted at a time, seconds a frame where it lies, and there and back."""
    engine, batch = style.engine(*size), style.batch(*size)
    ops = Steadier(*size, device=style.tensors_on).ops
    group = list(islice(cycle(moving_scene(size[1], size[0], SCENE)), batch))
    here = ops.host(ops.stacked([ops.array(frame) for frame in group]))
    there = ops.array(here)
    staying, travelling = (
        median_seconds(partial(engine.paint, frames)) / batch for frames in (there, here)
    )
    return engine.name, batch, staying, travelling


def steadying(style: Style, size: tuple[int, int]) -> Iterator[tuple[str, float]]:
    """Flow and blend, each with its seconds a frame."""
    steadier = Steadier(*size, device=style.tensors_on)
    scene = list(moving_scene(size[1], size[0], SCENE))
    frames = cycle([steadier.ops.array(frame) for frame in scene + scene[-2:0:-1]])
    yield "flow", median_seconds(lambda: steadier.observe(next(frames)))
    seen, painted = steadier.observe(next(frames)), next(frames)
    yield "blend", median_seconds(lambda: steadier.hold(seen, painted))


def median_seconds(work: Callable[[], object]) -> float:
    """Of some calls, after those that set things up."""
    for _ in range(WARM_UP):
        work()
    seconds: list[float] = []
    while sum(seconds) < SECONDS or len(seconds) < LEAST:
        settle()
        since = time.perf_counter()
        work()
        settle()
        seconds.append(time.perf_counter() - since)
    return statistics.median(seconds)


def settle() -> None:
    """Wait for a GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
