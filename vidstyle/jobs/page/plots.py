"""Measures over time, drawn as SVG that takes its colours and letters from the page around it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from vidstyle.jobs.measuring.evaluation import Series

# Colours that nothing else has; in the SVG they become variables of the page's style sheet, so that
# the plot is right in the light and in the dark.
_INK, _RULE = "#000001", "#000002"
_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)))
_SIZE = (8.0, 2.6)
LEFT, RIGHT = 0.07, 0.985
"""Where the time axis begins and ends, as shares of the plot's width."""
_BOTTOM, _TOP = 0.2, 0.93
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _RULE,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
}


@dataclass(frozen=True)
class Line:
    """A clip in a plot."""

    number: int
    """Its place in the report."""
    series: Series


def plot(
    lines: Sequence[Line],
    *,
    name: str,
    label: str,
    span: tuple[float, float],
    cuts: Sequence[float],
) -> str:
    """Lines over the source's time as an `<svg>` element without any address in it.

    Args:
        lines: drawn in this order; values that are None make a gap.
        name: makes the element's inner names unlike those of other plots on the page.
        label: what is measured, and its unit.
        span: seconds at the left and the right end.
        cuts: seconds that are marked.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache
    with matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": name}):
        figure = Figure(figsize=_SIZE)
        figure.subplots_adjust(left=LEFT, right=RIGHT, bottom=_BOTTOM, top=_TOP)
        axes = figure.subplots()
        for line in lines:
            axes.plot(
                line.series.times,
                [float("nan") if value is None else value for value in line.series.values],
                color=f"#0001{colour(line.number):02x}",
                linestyle=_DASHES[dashes(line.number)],
                linewidth=1.6,
                marker=".",  # a value between two gaps has no line to lie on
                markersize=3,
            )
        for cut in cuts:
            axes.axvline(cut, color=_INK, linewidth=0.8, linestyle=(0, (2, 3)))
            axes.annotate(
                "cut",
                (cut, 1),
                xycoords=("data", "axes fraction"),
                xytext=(3, -8),
                textcoords="offset points",
                fontsize=8,
            )
        axes.set_xlim(span)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("seconds of the source")
        axes.set_title(label, loc="left", fontsize=9)
        axes.grid(axis="y")
        axes.spines[["top", "right", "left"]].set_visible(False)
        return _svg(figure, name)


def colour(number: int) -> int:
    """Which of the page's nine clip colours a clip has: 0 is the source's, 1 to 8 come in turn."""
    return (number - 1) % 8 + 1 if number else 0


def dashes(number: int) -> int:
    """How a clip's line is drawn: 0 solid, 1 dashed, 2 dotted; colours alone do not tell to all."""
    return number % len(_DASHES)


def _svg(figure: Figure, name: str) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r'<svg .*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text
    )
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, count=1, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace(_INK, "var(--ink)").replace(_RULE, "var(--rule)")
    return re.sub(r"#0001([0-9a-f]{2})", lambda m: f"var(--clip-{int(m[1], 16)})", text)
