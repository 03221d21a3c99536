"""`vidstyle compare`: clips of any origin beside the source they were made from, as one page."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import click
from rich.text import Text

from vidstyle.cli.display import State, display, note
from vidstyle.cli.measures import remarks
from vidstyle.cli.options import FILE, debug_option, measuring_options, overwrite_option
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluateProgress
from vidstyle.jobs.text import clean, count, span
from vidstyle.types import Limits


@click.command(short_help="Show which painting of a clip holds still, as a page to look at.")
@click.argument("source", type=FILE)
@click.argument("candidates", metavar="CANDIDATE...", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="The page to write.  [default: SOURCE.compare.html beside SOURCE]",
)
@overwrite_option("a page")
@measuring_options
@debug_option
def compare(
    source: Path,
    candidates: tuple[Path, ...],
    output: Path | None,
    overwrite: bool,
    unblended: Path | None,
    style_image: Path | None,
    perceptual: Path | None,
    start: Fraction | None,
    duration: Fraction | None,
    rate: Fraction | None,
    limits: Limits,
) -> None:
    """Show which of several clips holds still: a page with numbers, plots and a video.

    Any tool may have made a CANDIDATE from SOURCE; frame rate, size, shape and length may differ.
    The page is one file that opens from the disk.

    \b
    vidstyle compare clip.mp4 clip.monet.mp4 -o page.html
    vidstyle compare clip.mp4 clip.monet.mp4 other-tool.mp4 video-model.mp4 -o page.html
    """
    config = EvaluateConfig(
        source,
        candidates,
        unblended=unblended,
        style_image=style_image,
        perceptual=perceptual,
        start=start,
        duration=duration,
        rate=rate,
        limits=limits,
    )
    from vidstyle.jobs.compare import compare as compare_job

    page = output or source.parent / f"{source.stem}.compare.html"
    with display() as shown:

        def show(step: EvaluateProgress) -> None:
            shown.show(State(source.name, step.frames, step.expected, remark=step.remark))

        report = compare_job(config, page, overwrite=overwrite, on_progress=show).evaluation
        for text in remarks(report):
            shown.say(note(text))
        facts = f"{count(report.method.frames, 'frame')} in {span(report.seconds)}"
        shown.say(Text.assemble(("compared ", "green"), (clean(page), "bold"), f"  {facts}"))
