"""The table of the page: what is measured, in plain words, and which clip does best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vidstyle.jobs.measuring.evaluation import EvaluationReport, quotient
from vidstyle.jobs.measuring.measures import SECTIONS, Measure
from vidstyle.jobs.text import figure

# Differences smaller than this are no reason to call one clip better than another.
_AS_GOOD = 0.05
# A clip with less of another's detail than this may owe its steadiness to blur.
_SOFT = 0.8
_UNITS = {1: "", 100: "in percent", 1000: "in units of 10⁻³"}


@dataclass(frozen=True)
class Cell:
    """A number of one clip."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Row:
    """A measure of all clips."""

    name: str
    meaning: str
    better: str
    """"lower", "higher", or nothing where neither is better by itself."""
    unit: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def sections(report: EvaluationReport) -> Iterator[Section]:
    """The table, without measures that no clip has; amounts are over the source's."""
    for title, measures in SECTIONS.items():
        taken = [measure for measure in measures if _shown(report, measure)]
        if taken:
            yield Section(title, tuple(_row(report, measure) for measure in taken))


def cautions(report: EvaluationReport, letters: Sequence[str]) -> Iterator[str]:
    """What must be known before the steadiest clip is called the best."""
    named = list(zip(letters[-len(report.outputs) :], report.outputs, strict=True))
    for letter, clip in named:
        if (clip.mean("frozen") or 0) > 0.5:
            yield f"{letter} stands still where the source moves: it is no painting of this clip."
    flicker = {letter: clip.short.e_warp for letter, clip in named}
    detail = {letter: clip.mean("detail") or 0.0 for letter, clip in named}
    known = {letter: value for letter, value in flicker.items() if value is not None}
    if len(known) < 2:
        return
    first, second = sorted(known, key=lambda letter: known[letter])[:2]
    sharpest = max(detail, key=lambda letter: detail[letter])
    if known[second] <= known[first] * (1 + _AS_GOOD):
        yield f"{first} and {second} are equally steady, to within {_AS_GOOD:.0%}."
    elif detail[first] < _SOFT * detail[sharpest]:
        share = detail[first] / detail[sharpest]
        yield (
            f"{first} is steadiest, but has {share:.2f} of the fine detail of {sharpest}: part of "
            "its steadiness may be blur or faint contrast. Look at the pictures."
        )


def _shown(report: EvaluationReport, measure: Measure) -> bool:
    """D_perceptual means nothing for clips that the unblended painting has no part in."""
    if measure.of == "d_perceptual" and len(report.outputs) > 1:
        return False
    return any(measure.value(clip) is not None for clip in report.clips)


def _row(report: EvaluationReport, measure: Measure) -> Row:
    values = _values(report, measure)
    best = _best(measure, values[-len(report.outputs) :])
    contest = len(values) - len(report.outputs)
    cells = (
        Cell(figure(value, measure.scale), place >= contest and value in best)
        for place, value in enumerate(values)
    )
    name = measure.name.format(distance=report.method.perceptual)
    unit = "as a multiple of the source's" if measure.amount else _UNITS[measure.scale]
    return Row(name, measure.meaning, measure.better, unit, tuple(cells))


def _values(report: EvaluationReport, measure: Measure) -> list[float | None]:
    values = [measure.value(clip) for clip in report.clips]
    if measure.amount:
        return [quotient(value, measure.value(report.source)) for value in values]
    return values


def _best(measure: Measure, values: Sequence[float | None]) -> set[float | None]:
    """The values that are as good as the best; none where there is no contest."""
    known = [value for value in values if value is not None]
    if not measure.better or len(known) < 2:
        return set()
    best = min(known) if measure.better == "lower" else max(known)
    good = {value for value in known if abs(value - best) <= _AS_GOOD * abs(best)}
    return set() if len(good) == len(set(known)) else set(good)
