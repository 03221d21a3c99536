"""`vidstyle eval`: measure paintings of a clip."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console

from vidstyle.cli.display import State, display, note
from vidstyle.cli.measures import remarks, tables
from vidstyle.cli.options import FILE, debug_option, json_option, measuring_options
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluateProgress
from vidstyle.types import Limits


@click.command("eval", short_help="Measure how steady paintings are, and at what price.")
@click.argument("source", type=FILE)
@click.argument("outputs", metavar="OUTPUT...", nargs=-1, required=True, type=FILE)
@measuring_options
@click.option("--frames", type=click.IntRange(2), help="Measure no more frames than this.")
@click.option(
    "--height",
    type=click.IntRange(64),
    default=EvaluateConfig.height,
    show_default=True,
    help="Rows to scale to for measuring; never up.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=EvaluateConfig.samples,
    show_default=True,
    help="Frames that networks look at.",
)
@click.option(
    "--device", default=EvaluateConfig.device, show_default=True, help="auto, cpu, cuda, mps."
)
@json_option
@debug_option
def evaluate(
    source: Path,
    outputs: tuple[Path, ...],
    unblended: Path | None,
    style_image: Path | None,
    perceptual: Path | None,
    start: Fraction | None,
    duration: Fraction | None,
    rate: Fraction | None,
    limits: Limits,
    frames: int | None,
    height: int,
    samples: int,
    device: str,
    as_json: bool,
) -> None:
    """Measure paintings OUTPUT of the clip SOURCE: how steady they are, and what that was bought
    with in detail, likeness and style. Folders are measured as sets, --style-image then being a
    folder of paintings.

    \b
    vidstyle eval clip.mp4 clip.monet.mp4
    vidstyle eval clip.mp4 clip.monet.mp4 other-tool.mp4 --style-image monet.jpg
    vidstyle eval clip.mp4 clip.monet.mp4 --json > report.json
    vidstyle eval photos/ painted/ --style-image monets/
    """
    config = EvaluateConfig(
        source,
        outputs,
        unblended=unblended,
        style_image=style_image,
        perceptual=perceptual,
        start=start,
        duration=duration,
        rate=rate,
        limits=limits,
        frames=frames,
        height=height,
        samples=samples,
        device=device,
    )
    with display() as shown:

        def show(step: EvaluateProgress) -> None:
            name = (step.clip or source).name or str(source)
            shown.show(State(name, step.frames, step.expected, step.thing, step.remark))

        # The heavy libraries come in here, where they are needed: --help must not wait for them.
        from vidstyle.jobs.evaluate import evaluate as evaluate_job

        report = evaluate_job(config, on_progress=show)
        for text in remarks(report):
            shown.say(note(text))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2, allow_nan=False))
        return
    console = Console(highlight=False)
    for block in tables(report):
        console.print(block)
