"""Evaluations as tables: steadiness, and right below it what it was bought with."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from vidstyle.jobs.measuring.evaluation import ClipReport, EvaluationReport
from vidstyle.jobs.measuring.measures import SECTIONS, Measure
from vidstyle.jobs.measuring.set_report import SetReport, SetsReport
from vidstyle.jobs.text import clean, count, figure, span, three_digits

_ARROWS = {"lower": " ↓", "higher": " ↑", "": ""}
"""Where better is."""


def tables(report: EvaluationReport | SetsReport) -> Iterator[Table | Text]:
    """All there is to print of a report: its table, and how its numbers were made."""
    if isinstance(report, SetsReport):
        yield _sets_table(report)
        yield from _sets_footnotes(report)
    else:
        yield _clips_table(report)
        yield from _clips_footnotes(report)


def remarks(report: EvaluationReport | SetsReport) -> Iterator[str]:
    """What is to be said besides: of each clip, then of all."""
    for clip in report.outputs if isinstance(report, EvaluationReport) else ():
        yield from (f"{clip.name}: {text}" for text in clip.notes)
    yield from report.notes


def _clips_table(report: EvaluationReport) -> Table:
    """A row a measure, a column a clip; measures that no clip has are left out."""
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    for clip in report.clips:
        table.add_column(clean(clip.name), justify="right", overflow="fold")
    for title, measures in SECTIONS.items():
        taken = [m for m in measures if any(m.value(c) is not None for c in report.clips)]
        if taken:
            table.add_row(Text(title, style="dim"))
        for measure in taken:
            name = measure.name.format(distance=report.method.perceptual) + _ARROWS[measure.better]
            cells = (_cell(report, measure, clip) for clip in report.clips)
            table.add_row(f"  {name}", *cells, end_section=measure is taken[-1])
    return table


def _cell(report: EvaluationReport, measure: Measure, clip: ClipReport) -> Text:
    value = measure.value(clip)
    if value is None:
        return Text("–", style="dim")
    text = Text(figure(value))
    if clip in report.outputs and report.unblended is not None:
        ratio = report.ratio(clip, measure.value) if measure.relative else None
        text.append("       " if ratio is None else f"  ×{ratio:4.2f}", style="cyan")
    return text


def _clips_footnotes(report: EvaluationReport) -> Iterator[Text]:
    """How the numbers were made, a line each."""
    method = report.method
    cuts = f", {count(len(method.cuts), 'cut')} left out" if method.cuts else ""
    yield _dim(
        f"{count(method.frames, 'frame')} at {method.width}x{method.height}, "
        f"{count(method.pairs, 'pair')} of neighbours{cuts}; {span(report.seconds)}"
    )
    yield _dim(f"flow: {method.flow}")
    yield _dim(f"mask: {method.mask}")
    encoded = [clip.name for clip in report.clips if clip.encoded]
    painted = [clip.name for clip in report.clips if not clip.encoded]
    before = f"; before encoding: {', '.join(painted)}" if painted else ""
    yield _dim(f"frames taken after encoding: {', '.join(encoded)}{before}")
    if report.unblended is not None:
        yield _dim("×: relative to unblended")
    if method.perceptual is not None:
        network = f", {method.network}" if method.network else ""
        yield _dim(
            f"perceptual distance: {method.perceptual}{network}; {count(method.samples, 'frame')}"
        )
    if report.outputs:
        yield _dim(f"Ruder's = Lai's × coverage in every pair, to {method.identity:.0e}")


_SET_ROWS = (
    ("VGG-KID to style ↓", "vgg_kid"),
    ("VGG-FID to style ↓", "vgg_fid"),
    ("KID to style ↓", "kid"),
    ("FID to style ↓", "fid"),
    ("ArtFID ↓", "art_fid"),
    ("Inception Score ↑", "inception_score"),
    ("detail: Laplacian", "detail"),
    ("detail: high band", "high_band"),
    ("SSIM to sources ↑", "ssim"),
    ("layout kept ↑", "layout"),
    ("{distance} to sources ↓", "content_distance"),
    ("CFSD to sources ↓", "cfsd"),
    ("clips: E_warp ↓", "e_warp"),
    ("clips: E_warp × unblended ↓", "e_warp_ratio"),
    ("clips: detail × unblended", "detail_ratio"),
)


def _sets_table(report: SetsReport) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    for one in report.sets:
        table.add_column(clean(one.name), justify="right", overflow="fold")
    table.add_row("pictures, N", *(f"{one.pictures:,}" for one in report.sets), end_section=True)
    for name, key in _SET_ROWS:
        cells = [_set_cell(one, key) for one in report.sets]
        if any(cell is not None for cell in cells):
            shown = (Text("–", style="dim") if cell is None else cell for cell in cells)
            table.add_row(name.format(distance=report.perceptual), *shown)
    return table


def _set_cell(one: SetReport, key: str) -> Text | None:
    if interval := one.intervals.get(key):
        reach = f"  {three_digits(interval.low)} to {three_digits(interval.high)}"
        return Text.assemble(three_digits(interval.value), (reach, "dim"))
    value = one.numbers.get(key)
    return None if value is None else Text(three_digits(value))


def _sets_footnotes(report: SetsReport) -> Iterator[Text]:
    yield _dim(f"pictures: {report.resizer}; {span(report.seconds)}")
    if report.style is not None:
        yield _dim(f"style: {report.style}, N = {report.style_pictures:,}")
        yield _dim("kernel distances with their 95 % bootstrap interval")
    if report.network is not None:
        yield _dim(f"VGG: {report.network}, relu4_1 averaged over places")
        yield _dim("VGG-FID and VGG-KID, of VGG and not of Inception, are no FID and KID")
    if any("inception_score" in one.numbers for one in report.sets):
        yield _dim(
            "Inception Score asks whether pictures look like single ImageNet classes, which "
            "paintings of landscapes do not: it says nothing of style, and is printed only because "
            "papers do"
        )


def _dim(text: str) -> Text:
    return Text(clean(text), style="dim")
