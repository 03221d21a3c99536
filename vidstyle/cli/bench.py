"""`vidstyle bench`: how fast it is here, and what holds it back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.display import State, display, note
from vidstyle.cli.options import FILE, debug_option, json_option, overwrite_option
from vidstyle.jobs.bench.config import BenchConfig
from vidstyle.jobs.text import clean, span
from vidstyle.types import TIERS, Tier

if TYPE_CHECKING:
    from vidstyle.jobs.bench.report import BenchReport, Row, Spread

_DEFAULT = BenchConfig()
_PLOTS = (".png", ".svg", ".pdf")
_HEADINGS = {
    "decode": "decode",
    "to_rgb": "to RGB",
    "stylize": "stylize",
    "flow": "flow",
    "blend": "blend",
    "to_yuv": "to YUV",
    "encode": "encode",
}
"""The stages as a table heads them."""
_CODECS = ("decode", "encode")


def _size(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Any, ...]:
    sizes = []
    for text in texts:
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
        if match is None:
            raise click.BadParameter(f"{text!r} is no size; write width x height as 848x480")
        sizes.append((int(match[1]), int(match[2])))
    return tuple(sizes)


def _plot_path(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in _PLOTS:
        raise click.BadParameter(f"{path.name} must end in one of {', '.join(_PLOTS)}")
    return path


@click.command(short_help="Measure how fast it is here.")
@click.option("-s", "--style", default=_DEFAULT.style, show_default=True, help="Style to paint in.")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    type=click.Choice(TIERS),
    help="Size of the network.  [default: fast on a CPU, best on a GPU]",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="WxH",
    callback=_size,
    help="Size of the frames.  [default: the input's, or 848x480]",
)
@click.option("--engine", "engines", multiple=True, help="auto, torch, openvino.  [default: auto]")
@click.option("--device", "devices", multiple=True, help="auto, cpu, cuda, mps.  [default: auto]")
@click.option(
    "--input",
    "source",
    type=FILE,
    help="A clip to paint.  [default: a moving picture that is made]",
)
@click.option(
    "--against",
    type=click.Choice(("baseline",)),
    help="Measure in turn with it: a Johnson network in plain torch, OpenCV in and out.",
)
@click.option("--frames", type=int, help="Length of the clip.  [default: by size, some seconds]")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, readable=False, path_type=Path),
    callback=_plot_path,
    help="Draw the stages, and the least they can take, into a .png, .svg or .pdf.",
)
@overwrite_option("a plot")
@json_option
@debug_option
def bench(
    style: str,
    tiers: tuple[Tier, ...],
    sizes: tuple[tuple[int, int], ...],
    engines: tuple[str, ...],
    devices: tuple[str, ...],
    source: Path | None,
    against: Literal["baseline"] | None,
    frames: int | None,
    plot: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure how fast clips are painted here, and what holds it back.

    A clip is painted from file to file as `vidstyle run` does it, then each stage runs alone.
    --tier, --size, --engine and --device may be given several times: each combination is measured.

    \b
    vidstyle bench
    vidstyle bench --against baseline --input clip.mp4
    vidstyle bench --tier fast --tier best --size 640x360 --size 1920x1080 --plot speed.png
    """
    config = BenchConfig(
        style,
        tiers,
        sizes,
        engines or _DEFAULT.engines,
        devices or _DEFAULT.devices,
        input=source,
        against=against,
        frames=frames,
    )
    from vidstyle.jobs.bench.bench import Step
    from vidstyle.jobs.bench.bench import bench as bench_job
    from vidstyle.jobs.publish import refuse_taken

    if plot is not None:
        refuse_taken(plot, overwrite=overwrite)
    with display() as shown:

        def show(step: Step) -> None:
            shown.show(State(step.row, step.done, step.of, "measurement", step.doing))

        report = bench_job(config, on_step=show)
        for text in report.notes:
            shown.say(note(text))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        console = Console(highlight=False)
        for table in (_speeds(report), _stages(report), _costs(report)):
            console.print(table)
        for heading, fact in {**report.machine.facts(), **_ceilings(report)}.items():
            console.print(Text.assemble((f"{heading:11}", "dim"), clean(fact)), soft_wrap=True)
    if plot is not None:
        from vidstyle.jobs.bench.plot import draw

        draw(report, plot, overwrite=overwrite)


def _speeds(report: BenchReport) -> Table:
    """How fast each row is."""
    headings = ("fps", "spread", "real time", "baseline", "efficiency", "limit")
    table = _table("from file to file", headings)
    for name, row in _named(report):
        theirs = row.baseline_fps
        table.add_row(
            name,
            Text(f"{row.fps.median:.1f}", "bold"),
            _ends(row.fps),
            f"×{row.realtime:.2f}",
            f"×{row.ratio:.1f} of {theirs.median:.2f} fps" if theirs else "",
            f"{row.efficiency:.2f}",
            _HEADINGS[row.limit],
        )
    return table


def _stages(report: BenchReport) -> Table:
    """What each stage costs, and how many times the least it can take here that is."""
    clock = "wall time" if all(row.on_gpu for row in report.rows) else "one thread"
    title = f"each stage alone, ms a frame ({clock}), times the least it can take"
    table = _table(title, _HEADINGS.values())
    for name, row in _named(report):
        table.add_row(name, *(_stage(row, stage) for stage in _HEADINGS))
    return table


def _stage(row: Row, stage: str) -> Text:
    cost, least = row.stages[stage].median, row.least_ms.get(stage)
    times = f"×{cost / least:.1f}" if least else ""
    style = "bold" if stage == row.limit else ""
    return Text.assemble((f"{cost:.2f}", style), "\n", (times, "dim"))


def _ceilings(report: BenchReport) -> dict[str, str]:
    """What the machine can do at best, by device."""
    return {"GPU can" if row.on_gpu else "a core can": _ceiling(row) for row in report.rows[::-1]}


def _ceiling(row: Row) -> str:
    ceiling = row.ceiling
    half = f", {ceiling.half_gflops:,.0f} in bfloat16" if ceiling.half_gflops else ""
    decode, encode = (f"{1000 / row.stages[codec].median:,.0f} fps" for codec in _CODECS)
    return (
        f"multiply matrices at {ceiling.fp32_gflops:,.0f} GFLOP/s in float32{half}; "
        f"copy {ceiling.copy_gbs:.1f} GB/s, decode {decode}, encode {encode}"
    )


def _costs(report: BenchReport) -> Table:
    """What it takes to start, and how much memory."""
    headings = ("engine", "load", "first frame", "memory", "libraries", "GPU memory")
    table = _table("what it takes", headings)
    for name, row in _named(report):
        gpu = row.gpu_memory_mib
        table.add_row(
            name,
            clean(row.engine),
            span(row.load_s),
            span(row.first_frame_s),
            f"{row.memory_mib:,.0f} MiB",
            f"{row.libraries_mib:,.0f} MiB",
            f"{gpu:,.0f} MiB" if gpu is not None else "",
        )
    return table


def _table(title: str, headings: Iterable[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, header_style="dim", pad_edge=False
    )
    table.add_column("", overflow="fold")
    for heading in headings:
        justify: Literal["left", "right"] = "left" if heading == "engine" else "right"
        table.add_column(heading, justify=justify, overflow="fold")  # a number is not cut off
    return table


def _named(report: BenchReport) -> list[tuple[str, Row]]:
    """The rows, each with what tells it apart."""
    names = [f"{row.style} {row.tier} {row.width}x{row.height}" for row in report.rows]
    if len(set(names)) < len(names):
        names = [f"{name} {row.engine}" for name, row in zip(names, report.rows, strict=True)]
    return list(zip(map(clean, names), report.rows, strict=True))


def _ends(spread: Spread) -> str:
    return f"{spread.low:.1f}–{spread.high:.1f}"
