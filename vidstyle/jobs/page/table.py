"""The table of the page: what is measured, in plain words, and which clip does best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vidstyle.jobs.measuring.evaluation import (
    LONG,
    ClipReport,
    EvaluationReport,
    Value,
    mean_of,
    quotient,
)
from vidstyle.jobs.text import three_digits

# Differences smaller than this are no reason to call one clip better than another.
_AS_GOOD = 0.05
# A clip with less of another's detail than this may owe its steadiness to blur.
_SOFT = 0.8


@dataclass(frozen=True)
class Measure:
    """A row of the table."""

    name: str
    meaning: str
    value: Value
    better: str = ""
    """"lower", "higher", or nothing where neither is better by itself."""
    scale: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Cell:
    """A number of one clip."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Row:
    """A measure of all clips."""

    measure: Measure
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def sections(report: EvaluationReport) -> Iterator[Section]:
    """The table, without measures that no clip has."""
    for title, measures in _measures(report).items():
        taken = [m for m in measures if any(m.value(clip) is not None for clip in report.clips)]
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


def _measures(report: EvaluationReport) -> dict[str, tuple[Measure, ...]]:
    distance = report.method.perceptual
    return {
        "How still it holds": (
            Measure(
                "E_warp",
                "what motion does not explain from frame to frame, mean square, colours 0 to 1",
                lambda clip: clip.short.e_warp,
                "lower",
                1000,
                "in units of 10⁻³",
            ),
            Measure(
                f"E_warp, {LONG} apart",
                f"the same between frames that lie {LONG} apart: drift",
                lambda clip: clip.long.e_warp,
                "lower",
                1000,
                "in units of 10⁻³",
            ),
            Measure(
                "e_stab",
                "root mean square over all pixels, as ReCoNet and others report it",
                lambda clip: clip.short.e_stab,
                "lower",
            ),
        ),
        "What that was bought with": (
            Measure(
                "detail",
                "variance of the Laplacian: blur makes it small, noise large",
                _over_source(report, "detail"),
                unit="as a multiple of the source's",
            ),
            Measure(
                "finest detail",
                "energy in the upper half of the spectrum",
                _over_source(report, "high_band"),
                unit="as a multiple of the source's",
            ),
            Measure(
                "follows motion",
                "how much of its own change the source's motion explains, at most 1",
                mean_of("followed"),
                "higher",
            ),
            Measure(
                "stands still",
                "share of frames in which the source moves and the clip does not",
                mean_of("frozen"),
                "lower",
                100,
                "in percent",
            ),
            *_change(report),
        ),
        "How near it stays to the source": (
            Measure("SSIM", "likeness of structure, 1 is alike", mean_of("ssim"), "higher"),
            Measure("content", f"{distance}, 0 is alike", mean_of("content_distance"), "lower"),
            Measure(
                "CFSD",
                "distance of self-similarities, 0 is alike",
                mean_of("cfsd"),
                "lower",
                1000,
                "in units of 10⁻³",
            ),
        ),
        "How near it comes to the style": (
            Measure("Gram", "distance of Gram matrices, 0 is alike", mean_of("gram"), "lower"),
            Measure("SIFID", "within one picture, Inception features", mean_of("sifid"), "lower"),
            Measure("VGG-SIFID", "the same with VGG19 features", mean_of("vgg_sifid"), "lower"),
        ),
        "What was measured": (
            Measure("pairs", "neighbouring frames that were compared", _pairs),
            Measure(
                "trusted",
                "part of the pixels where the source's motion is known",
                lambda clip: clip.short.coverage,
                scale=100,
                unit="in percent",
            ),
        ),
    }


def _change(report: EvaluationReport) -> Iterator[Measure]:
    """D_perceptual means nothing for clips that the unblended painting has no part in."""
    if len(report.outputs) == 1:
        meaning = f"D_perceptual: {report.method.perceptual} to the unblended painting"
        yield Measure("change by the blend", meaning, mean_of("d_perceptual"), "lower")


def _over_source(report: EvaluationReport, name: str) -> Value:
    return lambda clip: quotient(clip.mean(name), report.source.mean(name))


def _pairs(clip: ClipReport) -> float:
    return sum(value is not None for value in clip.short.warp_error.values)


def _row(report: EvaluationReport, measure: Measure) -> Row:
    values = [measure.value(clip) for clip in report.clips]
    best = _best(measure, values[-len(report.outputs) :])
    contest = len(values) - len(report.outputs)
    return Row(
        measure,
        tuple(
            Cell(figure(value, measure.scale), place >= contest and value in best)
            for place, value in enumerate(values)
        ),
    )


def _best(measure: Measure, values: Sequence[float | None]) -> set[float | None]:
    """The values that are as good as the best; none where there is no contest."""
    known = [value for value in values if value is not None]
    if not measure.better or len(known) < 2:
        return set()
    best = min(known) if measure.better == "lower" else max(known)
    good = {value for value in known if abs(value - best) <= _AS_GOOD * abs(best)}
    return set() if len(good) == len(set(known)) else set(good)


def figure(value: float | None, scale: float = 1.0) -> str:
    """A number to three significant digits, a whole one to all of its own; a dash for none."""
    if value is None:
        return "–"
    scaled = value * scale
    return f"{scaled:.0f}" if scaled == int(scaled) else three_digits(scaled)
