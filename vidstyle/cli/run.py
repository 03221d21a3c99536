"""`vidstyle run`: paint clips and pictures."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import click
from rich.text import Text

from vidstyle.cli.display import State, display, failure, note
from vidstyle.cli.options import FILE, debug_option, json_option, limit_option, overwrite_option
from vidstyle.cli.values import rate, seconds, timetable
from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.errors import VidstyleError
from vidstyle.jobs.config import HDR_CHOICES, RunConfig
from vidstyle.jobs.painting.report import FileFailure, FileReport, Progress, RunReport
from vidstyle.jobs.text import clean, count, span
from vidstyle.types import MOST_BRUSH, TIERS, EncodeOptions, Limits, Tier

_DEFAULT = EncodeOptions()
_SHARE = click.FloatRange(0, 1)


@click.command(short_help="Paint clips, pictures, or folders of them.")
@click.argument("inputs", nargs=-1, required=True, type=FILE)
@click.option("-s", "--style", help="Name of a style, path of a style file, or a mixture: a:3,b:1.")
@click.option(
    "--style-schedule",
    "schedule",
    type=timetable,
    metavar="TIMES",
    help='Instead of --style: what it changes into, as in "0 monet; 0:10 scream".',
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="File or folder to write to; NAME%04d.png for a picture a frame.  [default: "
    "clip.STYLE.mp4 beside the input]",
)
@overwrite_option("outputs")
@click.option("--restart", is_flag=True, help="Begin anew what an earlier try left unfinished.")
@click.option(
    "--strength", type=_SHARE, default=1.0, show_default=True, help="Share of the painting."
)
@click.option(
    "--keep-colours",
    "--keep-colors",
    is_flag=True,
    help="Take light and dark from the painting, colours from the input.",
)
@click.option(
    "--brush",
    type=click.FloatRange(1, MOST_BRUSH),
    default=1.0,
    show_default=True,
    help="Size of the strokes: 2 paints them twice as large, much sooner.",
)
@click.option(
    "--consistency",
    type=_SHARE,
    default=DEFAULT_CONSISTENCY,
    show_default=True,
    help="How hard the painting is held still; 0 leaves each frame as it is painted.",
)
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    help="Size of the network.  [default: fast on a CPU, best on a GPU]",
)
@click.option("--reverse", is_flag=True, help="Turn paintings into photographs, if the style can.")
@click.option("--start", type=seconds, metavar="TIME", help="Begin here (2.5, 1:30, 1:02:03).")
@click.option("--duration", type=seconds, metavar="TIME", help="Paint no more than this.")
@click.option("--rate", type=rate, help="Frames a second of numbered pictures.  [default: 25]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--engine", default="auto", show_default=True, help="auto, torch, openvino.")
@click.option("--codec", help="Video encoder.  [default: libx264; libvpx-vp9 in a .webm]")
@click.option(
    "--crf", type=int, default=_DEFAULT.crf, show_default=True, help="Quality: lower is better."
)
@click.option("--preset", default=_DEFAULT.preset, show_default=True, help="Speed of the encoder.")
@click.option(
    "--pix-fmt", default=_DEFAULT.pixel_format, show_default=True, help="Pixel format to write."
)
@click.option(
    "--hdr",
    type=click.Choice(HDR_CHOICES),
    default=HDR_CHOICES[0],
    show_default=True,
    help="Map HDR clips to SDR, or refuse them.",
)
@limit_option
@json_option
@debug_option
def run(
    inputs: tuple[Path, ...],
    style: str | None,
    schedule: str | None,
    output: Path | None,
    overwrite: bool,
    restart: bool,
    strength: float,
    keep_colours: bool,
    brush: float,
    consistency: float,
    tier: Tier | None,
    reverse: bool,
    start: Fraction | None,
    duration: Fraction | None,
    rate: Fraction | None,
    device: str,
    engine: str,
    codec: str | None,
    crf: int,
    preset: str,
    pix_fmt: str,
    hdr: str,
    limits: Limits,
    as_json: bool,
) -> int:
    """Paint clips, pictures, or folders of them; sound and timing come through untouched.

    \b
    vidstyle run clip.mp4 --style monet
    vidstyle run holiday/ --style starry-night -o painted/
    vidstyle run clip.mp4 --style monet --start 0:30 --duration 5 -o preview.mp4
    vidstyle run frames/%04d.png --rate 24 --style monet -o film.mp4

    A run that was stopped, however that happened, goes on with the same command.
    """
    painted_in = style or schedule
    if painted_in is None or (style and schedule):
        raise click.UsageError("name either a --style or a --style-schedule")
    config = RunConfig(
        inputs,
        painted_in,
        output,
        strength=strength,
        keep_colours=keep_colours,
        brush=brush,
        consistency=consistency,
        tier=tier,
        reverse=reverse,
        device=device,
        engine=engine,
        start=start,
        duration=duration,
        rate=rate,
        overwrite=overwrite,
        restart=restart,
        encode=EncodeOptions(codec or _usual_codec(output), crf, preset, pix_fmt),
        hdr=hdr,
        limits=limits,
    )
    painted: list[FileReport] = []
    try:
        report = _painted(config, painted)
    except VidstyleError as error:
        if as_json:
            _print(RunReport(tuple(painted), (FileFailure.of(None, error),)))
        raise
    if as_json:
        _print(report)
    return report.exit_code


def _painted(config: RunConfig, painted: list[FileReport]) -> RunReport:
    """Paint, and show how far it is; what is finished is put into `painted` at once."""
    # The heavy libraries come in here, where they are needed: --help must not wait for them.
    from vidstyle.jobs.run import run as run_job

    with display() as shown:

        def show(step: Progress) -> None:
            if step.report is None:
                shown.show(_state(step))
            else:
                painted.append(step.report)
                shown.say(_summary(step.report))

        report = run_job(config, on_progress=show, on_note=lambda text: shown.say(note(text)))
        for failed in report.failures:
            shown.say(failure(failed.error))
    return report


def _print(report: RunReport) -> None:
    click.echo(json.dumps(report.to_json(), indent=2))


def _usual_codec(output: Path | None) -> str:
    is_webm = output is not None and output.suffix.lower() == ".webm"
    return "libvpx-vp9" if is_webm else _DEFAULT.codec


def _state(step: Progress) -> State:
    place = f"{step.number}/{step.of} " if step.of > 1 else ""
    remark = f"slowest: {step.limiting}" if step.limiting else ""
    return State(place + step.input.name, step.frames, step.expected, remark=remark)


def _summary(report: FileReport) -> Text:
    """What became of a file, in a line."""
    moving = report.frames > 1
    facts = [
        f"{count(report.frames, 'frame')} in {span(report.seconds)}",
        f"{report.fps:.1f} fps" if moving else "",
        f"{report.style} {report.tier} on {report.engine}",
        f"slowest: {report.limiting}" if moving and report.limiting else "",
    ]
    told = " · ".join(clean(fact) for fact in facts if fact)
    return Text.assemble(("painted ", "green"), (clean(report.output), "bold"), "  ", told)
