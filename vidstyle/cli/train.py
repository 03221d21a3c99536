"""`vidstyle train`: learn a style from a painting, or from a collection of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click
from click.core import ParameterSource
from rich.text import Text

from vidstyle.cli.display import State, display, note
from vidstyle.cli.options import FILE, debug_option
from vidstyle.errors import DivergedError, UsageError
from vidstyle.jobs.text import clean, count
from vidstyle.training.config import (
    LEAST_PHOTOS,
    MOST_HELD_OUT,
    Adversarial,
    CycleGanConfig,
    DiscriminatorKind,
    FeedForwardConfig,
    style_name,
)
from vidstyle.types import TIERS

_OWN = {
    "feed-forward": ("style_images", "begin_with"),
    "cyclegan": (
        *("paintings", "picture_size", "filters", "adversarial", "discriminator"),
        "keep_reverse",
    ),
}
"""What only one method understands; the first of each is what it learns from."""
_FOR_A_REAL_STYLE = (
    "that was a demonstration, on pictures rendered by the project; a style of your own wants a "
    "painting (a short side of 400 pixels or more) and some hundred photographs of anything: "
    "vidstyle train PAINTING --photos FOLDER --temporal"
)


@click.command(short_help="Learn a style from a painting, or from many.")
@click.argument("style_images", type=FILE, nargs=-1, metavar="[STYLE_IMAGE]...")
@click.option("--photos", type=FILE, help="Folder of photographs to learn on.")
@click.option(
    "--method",
    type=click.Choice(tuple(_OWN)),
    default="feed-forward",
    show_default=True,
    help="feed-forward copies each STYLE_IMAGE; cyclegan learns from all of --paintings.",
)
@click.option("--paintings", type=FILE, help="Folder of paintings, for cyclegan.")
@click.option("--name", help="The style's name.  [default: from the painting's file name]")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="Folder for NAME.safetensors and NAME.run/.  [default: your style folder]",
)
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    default=FeedForwardConfig.tier,
    show_default=True,
    help="Size of the network.",
)
@click.option(
    "--from",
    "begin_with",
    metavar="STYLE",
    help="Learn on from a trained style of that tier, instead of anew.",
)
@click.option("--temporal", is_flag=True, help="Teach it to hold still in videos as well.")
@click.option("--clips", type=FILE, help="Folder of videos whose motion --temporal learns too.")
@click.option(
    "--val",
    type=click.FloatRange(0, MOST_HELD_OUT),
    default=FeedForwardConfig.val,
    show_default=True,
    help="Share of the pictures that is not learnt from; the preview shows those then.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 10**9),
    help=f"[default: {FeedForwardConfig.steps}, or {CycleGanConfig.steps} for cyclegan]",
)
@click.option(
    "--crop",
    type=click.IntRange(48, 1024),
    help=f"Side of the training pictures.  [default: {FeedForwardConfig.crop}, or "
    f"{CycleGanConfig.crop} for cyclegan]",
)
@click.option(
    "--style-weight",
    type=click.FloatRange(0.01, 100),
    help="More paints bolder, less keeps more of the photograph.  [default: "
    f"{FeedForwardConfig.style_weight}, or {CycleGanConfig.style_weight} for cyclegan]",
)
@click.option(
    "--style-size",
    type=click.IntRange(64, 2048),
    help="Short side of the paintings in pixels: larger gives larger strokes.  [default: "
    f"{FeedForwardConfig.style_size}, or the --picture-size of cyclegan]",
)
@click.option(
    "--picture-size",
    type=click.IntRange(48, 2048),
    default=CycleGanConfig.picture_size,
    show_default=True,
    help="Short side that a cyclegan's pictures are scaled to before they are cropped.",
)
@click.option(
    "--filters",
    type=click.IntRange(8, 128),
    default=CycleGanConfig.filters,
    show_default=True,
    help="Width of a cyclegan's networks; the paper has 64, in best.",
)
@click.option(
    "--adversarial",
    type=click.Choice(get_args(Adversarial)),
    default=CycleGanConfig.adversarial,
    show_default=True,
    help="What a cyclegan's generators and discriminators play for.",
)
@click.option(
    "--discriminator",
    type=click.Choice(get_args(DiscriminatorKind)),
    default=CycleGanConfig.discriminator,
    show_default=True,
    help="What tells a cyclegan's paintings from real ones; the paper has patches.",
)
@click.option("--keep-reverse", is_flag=True, help="Keep a cyclegan's way back, for run --reverse.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted training stopped.")
@click.option(
    "--perceptual",
    type=FILE,
    help="File of another network that judges, or vgg19 for torchvision's, downloaded once.",
)
@click.option(
    "--device", default=FeedForwardConfig.device, show_default=True, help="auto, cpu, cuda, mps."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=FeedForwardConfig.seed, show_default=True
)
@click.option("--title", default="", help="Title of the painting, for the style's card.")
@click.option("--painter", default="", help="Who painted it.")
@click.option("--year", default="", help="When.")
@click.option("--licence", default="", help="On what terms the style may be used.")
@debug_option
@click.pass_context
def train(context: click.Context, /, **options: Any) -> None:
    """Learn a style from a painting, or from a whole collection.

    `vidstyle run --style NAME` paints with it then.

    \b
    vidstyle train starry.jpg --photos holiday/ --temporal
    vidstyle train starry.jpg scream.jpg --tier best --photos holiday/ --temporal --name two
    vidstyle train --method cyclegan --photos holiday/ --paintings monet/ --temporal

    Several paintings make as many styles in one file, named as theirs are, that can be mixed:
    vidstyle run clip.mp4 --style starry:0.6,scream:0.4.

    Without a painting and photographs it gives a short demonstration on its own. NAME.run/ shows
    how far it has come, from two minutes on.
    """
    from vidstyle.jobs.train import train as train_style
    from vidstyle.training.loop import TrainProgress
    from vidstyle.training.ranks import rank

    is_demonstration = options["photos"] is None
    config = _config(context, options)
    _refuse_shipped_names(config)
    begun = looked = False
    with display(quiet=rank() > 0) as shown:

        def show(at: TrainProgress) -> None:
            nonlocal begun, looked
            begun = True
            losses = " · ".join(f"{name} {value:.3g}" for name, value in at.losses.items())
            shown.show(State(config.name, at.step, at.steps, "step", losses))
            if at.saved and not looked:
                looked = True
                shown.say(note(f"an early look: {config.run_folder / 'preview.png'}"))

        def clips(done: int, of: int) -> None:
            shown.show(State("flow of the clips", done, of, "clip"))

        try:
            path = train_style(config, show, lambda text: shown.say(note(text)), clips)
        except BaseException as error:
            stopped = not isinstance(error, Exception)  # by Ctrl-C or SIGTERM
            could_go_on = begun and config.checkpoint.exists()
            if stopped or (could_go_on and not isinstance(error, DivergedError)):
                shown.say(note(_how_to_go_on(config)))
            raise
        shown.say(_summary(config, path))
        if is_demonstration:
            shown.say(note(_FOR_A_REAL_STYLE))


def _config(context: click.Context, options: dict[str, Any]) -> FeedForwardConfig | CycleGanConfig:
    """The method's config; words that only another method understands are refused."""
    from vidstyle.stylizers.registry import user_folder

    method = options.pop("method")
    options["output"] = options["output"] or user_folder()
    for other, names in _OWN.items():
        for name in names if other != method else ():
            value = options.pop(name)
            if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
                said = _spelt(name) if value is True else f"{_spelt(name)} {_said(value)}"
                raise UsageError(f"{said}: is for --method {other} only")
    if options.get("begin_with") == "":
        raise UsageError("--from is empty; name a trained style, or leave it out to begin anew")
    source = _OWN[method][0]
    if method == "feed-forward" and not options[source] and options["photos"] is None:
        return _demonstration(options)
    if not options[source]:
        raise UsageError(f"--method {method} needs {_spelt(source)}: what shall it learn?")
    if options["photos"] is None:
        raise UsageError(f"--photos is missing: name a folder of at least {LEAST_PHOTOS} pictures")
    if method == "feed-forward" and len(options[source]) > 1 and options["title"]:
        raise UsageError("--title is one; several paintings are called as their files are")
    if options["name"] is None:
        options["name"] = _name_from(options[source])
    given = {name: value for name, value in options.items() if value is not None}
    if method == "cyclegan":
        return CycleGanConfig(**given)
    return FeedForwardConfig(styles=given.pop("style_images"), **given)


def _refuse_shipped_names(config: FeedForwardConfig | CycleGanConfig) -> None:
    """The user's own styles are found before those that come with vidstyle, and would hide them."""
    from vidstyle.stylizers.registry import StyleRegistry, shipped_folder, user_folder

    if os.path.realpath(config.output) != os.path.realpath(user_folder()):
        return
    shipped = StyleRegistry([shipped_folder()]).names()
    for name in config.style_names:
        if name in shipped:
            how = "rename the painting" if len(config.style_names) > 1 else "give another --name"
            raise UsageError(f"{name}: comes with vidstyle, and yours would hide it; {how}")


def _demonstration(options: dict[str, Any]) -> FeedForwardConfig:
    from vidstyle.jobs.demonstration import NAME, demonstration

    config = demonstration(options.pop("output"), options.pop("name") or NAME)
    del options["style_images"]
    return replace(config, **{n: value for n, value in options.items() if value not in (None, "")})


def _how_to_go_on(config: FeedForwardConfig | CycleGanConfig) -> str:
    if not config.checkpoint.exists():
        return "stopped before the first checkpoint, which comes after two minutes"
    return f"the same command with --resume goes on from the last checkpoint of {config.name}"


def _spelt(name: str) -> str:
    others = {"style_images": "STYLE_IMAGE", "begin_with": "--from"}
    return others.get(name, f"--{name.replace('_', '-')}")


def _said(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _name_from(source: Path | tuple[Path, ...]) -> str:
    """The name of what one painting or one folder teaches.

    Raises:
        UsageError: there are several.
    """
    if isinstance(source, tuple) and len(source) > 1:
        raise UsageError("several paintings make one file; say what to call it with --name")
    return style_name(source[0] if isinstance(source, tuple) else source)


def _summary(config: FeedForwardConfig | CycleGanConfig, path: Path) -> Text:
    names = ", ".join(config.style_names)
    return Text.assemble(
        ("trained ", "green"),
        (clean(path), "bold"),
        f"  {names} {config.tier}, {count(config.steps, 'step')}",
        f"; look at {clean(config.run_folder / 'preview.png')}",
    )
