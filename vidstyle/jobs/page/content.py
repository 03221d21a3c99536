"""What the page shows, put together from an evaluation and a reel of its clips."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import ascii_uppercase

import numpy as np
from jinja2 import Environment, StrictUndefined, Template

from vidstyle.jobs.machine import machine_card
from vidstyle.jobs.measuring.evaluation import (
    ClipReport,
    EvaluationReport,
    Pair,
    Series,
    quotient,
)
from vidstyle.jobs.page.pictures import data_uri, heat_map, heat_ramp, levels, picture
from vidstyle.jobs.page.plots import LEFT, RIGHT, Line, colour, dashes, plot
from vidstyle.jobs.page.table import cautions, sections
from vidstyle.jobs.text import clean, figure
from vidstyle.video.reel import ReelVideo

_SHOWN = 3
"""Worst moments shown of each clip."""
_APART = 0.5
"""Seconds between two of them: neighbours look alike."""
_DASHES = ("solid", "dashed", "dotted")
_BRIGHT = 99.5
"""Percentile of the errors from which on a heat map is brightest."""


@dataclass(frozen=True)
class _Clip:
    """A clip as the page speaks of it."""

    number: int
    letter: str
    colour: int
    """Of the style sheet's `--clip-` colours."""
    dashes: str
    """Of its line, in CSS's words."""
    name: str
    about: str
    notes: tuple[str, ...]
    report: ClipReport


@dataclass(frozen=True)
class _Plot:
    """A measure over time."""

    about: str
    svg: str


@dataclass(frozen=True)
class _Worst:
    """One of the moments in which a clip flickers most."""

    time: float
    error: str
    source: str
    first: str
    second: str
    heat: str


def page(report: EvaluationReport, reel: ReelVideo, *, whole: bool) -> str:
    """The HTML document: one file that asks the network for nothing.

    Args:
        report: with the worst pairs of its outputs.
        reel: its clips, in their order.
        whole: the reel shows all that was measured, and not its beginning only.
    """
    clips = list(_clips(report))
    times = report.source.times
    top = _top(report)
    return _template("page.html").render(
        source=clean(report.source.path.name if report.source.path else "source"),
        clips=clips,
        contest=_contest(len(report.outputs)),
        has_painted=any(not clip.encoded for clip in report.clips),
        style=_text("page.css"),
        script=_text("page.js"),
        ramp=heat_ramp(),
        sections=list(sections(report)),
        cautions=list(cautions(report, [clip.letter for clip in clips])),
        plots=list(_plots(report)),
        worst=[(clip, list(_worst(clip.report, top))) for clip in clips if clip.report.worst],
        top=figure(top),
        video=data_uri(reel.data, "video/mp4"),
        player=_player(report, reel, times),
        seconds=figure(round(reel.times[-1], 1)),
        whole=whole,
        method=report.method,
        notes=[clean(note) for note in report.notes],
        machine=machine_card().facts(),
        figure=figure,
    )


def _clips(report: EvaluationReport) -> Iterator[_Clip]:
    letters = iter(ascii_uppercase)
    for number, clip in enumerate(report.clips):
        if clip is report.source:
            letter, about = "Source", "what the others were made from"
        elif clip is report.unblended:
            letter, about = "Unblended", "nothing done against flicker"
        else:
            letter, about = next(letters, str(number)), ""
        name = clip.path.name if clip.path else "painted once more"
        yield _Clip(
            number,
            letter,
            colour(number),
            _DASHES[dashes(number)],
            clean(name),
            about,
            tuple(map(clean, clip.notes)),
            clip,
        )


def _contest(number: int) -> str:
    return "A painting" if number == 1 else f"{number} paintings"


def _plots(report: EvaluationReport) -> Iterator[_Plot]:
    cuts, span = report.method.cuts, (report.source.times[0], report.source.times[-1])
    flicker = [Line(n, _in_levels(clip.short.warp_error)) for n, clip in enumerate(report.clips)]
    label = "left over after the motion is undone: root mean square, grey levels of 255"
    yield _Plot(label, plot(flicker, name="flicker", label=label, span=span, cuts=cuts))
    base = report.source.measures["detail"]
    detail = [
        Line(n, _over(clip.measures["detail"], base)) for n, clip in enumerate(report.clips) if n
    ]
    label = "detail, times the source's"
    yield _Plot(label, plot(detail, name="detail", label=label, span=span, cuts=cuts))


def _in_levels(series: Series) -> Series:
    """Mean square errors as root mean squares in grey levels."""
    values = (None if v is None else _level(v) for v in series.values)
    return Series(series.times, tuple(values))


def _level(square_error: float) -> float:
    return float(levels(np.array(square_error, np.float32)))


def _over(series: Series, base: Series) -> Series:
    pairs = zip(series.values, base.values, strict=True)
    return Series(series.times, tuple(quotient(v, b) for v, b in pairs))


def _top(report: EvaluationReport) -> float:
    """Grey levels that are brightest in all heat maps, so that they can be compared."""
    errors = [pair.error for clip in report.outputs for pair in clip.worst]
    shown = [levels(error[error > 0]) for error in errors if (error > 0).any()]
    return float(np.percentile(np.concatenate(shown), _BRIGHT)) if shown else 1.0


def _worst(clip: ClipReport, top: float) -> Iterator[_Worst]:
    for pair in _apart(clip.worst):
        yield _Worst(
            pair.time,
            figure(_level(pair.warp_error)),
            picture(pair.source),
            picture(pair.first),
            picture(pair.second),
            picture(heat_map(levels(pair.error), top)),
        )


def _apart(pairs: Sequence[Pair]) -> list[Pair]:
    """The worst pairs that are not neighbours of a worse one."""
    chosen: list[Pair] = []
    for pair in pairs:
        if all(abs(pair.time - other.time) >= _APART for other in chosen):
            chosen.append(pair)
    return chosen[:_SHOWN]


def _player(report: EvaluationReport, reel: ReelVideo, times: Sequence[float]) -> str:
    """What the script must know, as JSON; it holds numbers only, so nothing has to be escaped."""
    return json.dumps(
        {
            "times": [round(time, 6) for time in reel.times],
            "begin": times[0],
            "columns": reel.columns,
            "rows": reel.rows,
            "clips": len(report.clips),
            "axis": [LEFT, RIGHT],
            "span": [times[0], times[-1]],
        }
    )


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_text(name))
