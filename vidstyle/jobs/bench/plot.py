"""The stages of a benchmark as bars beside the least they can take."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vidstyle.files import writing
from vidstyle.jobs.bench.report import STAGES, BenchReport, Row
from vidstyle.jobs.publish import published

_COST, _LIMIT, _LEAST = "#7aa6c2", "#d1783c", "#23373b"
_WIDTH, _ROW_HEIGHT = 8.0, 2.8


def draw(report: BenchReport, path: Path, *, overwrite: bool = False) -> None:
    """Draw every row into one picture whose kind follows from the suffix: .png, .svg or .pdf.

    Raises:
        UsageError: `path` is taken, and may not be overwritten.
        ResourceError: it cannot be written.
    """
    figure = _figure(report)
    with published(path, overwrite=overwrite) as part, writing(path):
        figure.savefig(part, dpi=150)


def _figure(report: BenchReport) -> Figure:
    figure = Figure(figsize=(_WIDTH, _ROW_HEIGHT * len(report.rows) + 0.5), layout="constrained")
    places = figure.subplots(len(report.rows), squeeze=False)[:, 0]
    for axes, row in zip(places, report.rows, strict=True):
        _draw(axes, row)
    figure.supxlabel(report.machine.facts()["processor"], fontsize="small")
    return figure


def _draw(axes: Axes, row: Row) -> None:
    costs = [row.stages[stage].median for stage in STAGES]
    colours = [_LIMIT if stage == row.limit else _COST for stage in STAGES]
    bars = axes.barh(STAGES, costs, color=colours, height=0.7)
    axes.bar_label(bars, fmt="%.2f", padding=4, fontsize="small")
    for place, stage in enumerate(STAGES):
        if (least := row.least_ms.get(stage)) is not None:
            axes.vlines(least, place - 0.42, place + 0.42, color=_LEAST, linewidth=2)
    clock = "wall time" if row.on_gpu else "processor time, one thread"
    axes.plot([], [], color=_LEAST, linewidth=2, label="the least it can take here")
    axes.legend(loc="lower right", fontsize="small", frameon=False)
    axes.set(xlabel=f"ms a frame, each stage alone ({clock})", title=_title(row))
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    axes.invert_yaxis()


def _title(row: Row) -> str:
    return (
        f"{row.style} {row.tier} {row.width}x{row.height}: {row.fps.median:.1f} fps, "
        f"efficiency {row.efficiency:.2f}"
    )
