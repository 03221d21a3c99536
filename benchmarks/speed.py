"""How fast clips are painted, what limits them, and what it takes: the table behind the README.

    python benchmarks/speed.py [--style monet] [--input CLIP] [--device auto] [-o FILE.md]

Every figure is one of `vidstyle bench`. Without a clip it paints a moving picture that is made. On
two slow cores it takes about an hour, half of it for the long clip (--long 0 leaves that out).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pages import keep_page

from vidstyle.jobs.bench.bench import Step, bench
from vidstyle.jobs.bench.config import BenchConfig
from vidstyle.jobs.bench.report import STAGES, Row
from vidstyle.jobs.machine import machine_card
from vidstyle.types import TIERS

Size = tuple[int, int]

SMALL: Size = (640, 360)
USUAL: Size = (848, 480)
FULL_HD: Size = (1920, 1080)
UHD: Size = (3840, 2160)
SHORT = 300
"""Frames of the clip that the long one is compared with."""


def main() -> None:
    """Measure and write the tables, anew after each benchmark: what ends early leaves the rest."""
    options = arguments()
    sizes: list[Row] = []
    lengths: list[Row] = []
    notes: dict[str, None] = {}
    help_takes = help_seconds()
    work = [(sizes, config) for config in size_configs(options)]
    work += [(lengths, config) for config in length_configs(options)]
    for rows, config in work:
        report = bench(config, on_step=tell)
        rows.extend(report.rows)
        notes |= dict.fromkeys(report.notes)
        text = "\n".join(page(options, sizes, lengths, list(notes), help_takes))
        keep_page(options.output, text)
    print(text)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="monet")
    parser.add_argument("--tier", choices=TIERS, help="both by default")
    parser.add_argument("--input", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--long", type=int, default=10_000, help="frames of the long clip")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent / "results/speed.md"
    )
    return parser.parse_args()


def size_configs(options: argparse.Namespace) -> Iterator[BenchConfig]:
    """The tiers at every size, the larger one only up to full HD; the baseline at one size."""
    tiers = (options.tier,) if options.tier else TIERS

    def config(*sizes: Size, **more: object) -> BenchConfig:
        given = {"tiers": tiers, "devices": (options.device,), "input": options.input}
        return BenchConfig(options.style, sizes=sizes, **(given | more))

    yield config(SMALL)
    yield config(USUAL, against="baseline")
    yield config(FULL_HD)
    if "fast" in tiers:
        yield config(UHD, tiers=("fast",))


def length_configs(options: argparse.Namespace) -> Iterator[BenchConfig]:
    """Unless --long is 0: a short clip, whose spread says what a gap means, and a long one."""
    for frames, rounds in ((SHORT, 5), (options.long, 1)) if options.long else ():
        yield BenchConfig(
            options.style,
            ("fast",),
            (SMALL,),
            devices=(options.device,),
            input=options.input,
            frames=frames,
            rounds=rounds,
        )


def tell(step: Step) -> None:
    """Say what is measured now."""
    print(f"{step.row}: {step.doing}", file=sys.stderr, flush=True)


def page(
    options: argparse.Namespace,
    sizes: list[Row],
    lengths: list[Row],
    notes: list[str],
    help_takes: float,
) -> Iterator[str]:
    """The whole file, in markdown."""
    source = options.input.name if options.input else "a moving picture made by code"
    yield "# Speed\n"
    yield (
        f"`python benchmarks/speed.py --style {options.style}`, painting {source}. Definitions are "
        "those of `vidstyle bench`; fps are medians of rounds, their ends in brackets.\n"
    )
    yield machine_card().markdown() + "\n"
    yield from (f"Note: {note}.\n" for note in notes)
    yield "\n".join(speed_table(sizes))
    yield "\n".join(stage_table(sizes))
    yield "\n".join(cost_table(sizes))
    if lengths:
        yield "\n".join(length_table(lengths))
    yield f"`vidstyle --help` answers in {help_takes:.2f} s.\n"


def speed_table(rows: list[Row]) -> Iterator[str]:
    """End to end."""
    yield (
        "| painter | size | fps | times real time | ns a pixel | times the baseline "
        "| efficiency | limit |\n|---|---|---|---|---|---|---|---|"
    )
    for row in rows:
        pixel = 1e9 / (row.fps.median * row.width * row.height)
        ratio = f"{row.ratio:.1f} (of {row.baseline_fps.median:.2f} fps)" if row.ratio else ""
        yield (
            f"| {row.tier} | {size(row)} | {row.fps.median:.1f} ({row.fps.low:.1f} to "
            f"{row.fps.high:.1f}) | {row.realtime:.2f} | {pixel:.0f} | {ratio} "
            f"| {row.efficiency:.2f} | {row.limit} |"
        )
    yield ""


def stage_table(rows: list[Row]) -> Iterator[str]:
    """Every stage alone."""
    yield "Each stage alone, ms a frame (on a CPU processor time of one thread, on a GPU wall"
    yield "time), and how many times the least it can take on this machine that is:\n"
    yield f"| painter | size | {' | '.join(STAGES)} |\n|---|---|{'---|' * len(STAGES)}"
    for row in rows:
        least = row.least_ms
        cells = (
            f"{row.stages[stage].median:.2f}"
            + (f" (×{row.stages[stage].median / least[stage]:.1f})" if stage in least else "")
            for stage in STAGES
        )
        yield f"| {row.tier} | {size(row)} | {' | '.join(cells)} |"
    yield ""


def cost_table(rows: list[Row]) -> Iterator[str]:
    """What a run takes."""
    yield (
        "| painter | size | engine | load, s | first frame, s | peak memory, MiB "
        "| beyond the libraries, MiB | GPU memory, MiB |\n|---|---|---|---|---|---|---|---|"
    )
    for row in rows:
        gpu = f"{row.gpu_memory_mib:.0f}" if row.gpu_memory_mib is not None else ""
        yield (
            f"| {row.tier} | {size(row)} | {row.engine} | {row.load_s:.2f} "
            f"| {row.first_frame_s:.1f} | {row.memory_mib:.0f} "
            f"| {row.memory_mib - row.libraries_mib:.0f} | {gpu} |"
        )
    yield ""


def length_table(rows: list[Row]) -> Iterator[str]:
    """Short and long clips."""
    yield "| frames | ms a frame | peak memory, MiB |\n|---|---|---|"
    for row in rows:
        slow, fast = 1000 / row.fps.low, 1000 / row.fps.high
        spread = f" ({fast:.2f} to {slow:.2f})" if slow > fast else ""
        yield (
            f"| {row.frames:,} of {size(row)} | {1000 / row.fps.median:.2f}{spread} "
            f"| {row.memory_mib:.0f} |"
        )
    yield ""


def size(row: Row) -> str:
    """Width x height."""
    return f"{row.width}x{row.height}"


def help_seconds(calls: int = 7) -> float:
    """Median seconds that `vidstyle --help` takes."""
    seconds = []
    for _ in range(calls):
        since = time.monotonic()
        command = [sys.executable, "-m", "vidstyle", "--help"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.monotonic() - since)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
