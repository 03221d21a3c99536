"""`vidstyle train`: learn a style from a painting."""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.text import Text

from vidstyle.cli.display import State, display
from vidstyle.cli.options import debug_option
from vidstyle.cli.text import clean
from vidstyle.training.config import TrainConfig
from vidstyle.types import TIERS, Tier

_FILE = click.Path(path_type=Path)


@click.command(short_help="Learn a style from a painting.")
@click.argument("style_image", type=_FILE)
@click.option("--photos", type=_FILE, required=True, help="Folder of photographs to learn on.")
@click.option("--name", help="The style's name.  [default: from the painting's file name]")
@click.option(
    "-o",
    "--output",
    type=_FILE,
    help="Folder for NAME.safetensors and NAME.run/.  [default: your style folder]",
)
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    default=TrainConfig.tier,
    show_default=True,
    help="Size of the network.",
)
@click.option("--temporal", is_flag=True, help="Teach it to hold still in videos as well.")
@click.option("--steps", type=click.IntRange(1), default=TrainConfig.steps, show_default=True)
@click.option(
    "--style-weight",
    type=click.FloatRange(0.01, 100),
    default=TrainConfig.style_weight,
    show_default=True,
    help="More paints bolder, less keeps more of the photograph.",
)
@click.option(
    "--style-size",
    type=click.IntRange(64, 2048),
    default=TrainConfig.style_size,
    show_default=True,
    help="Short side of the painting in pixels: larger gives larger strokes.",
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted training stopped.")
@click.option(
    "--perceptual",
    type=_FILE,
    help="File of the network that judges.  [default: torchvision's VGG19, downloaded once]",
)
@click.option(
    "--device", default=TrainConfig.device, show_default=True, help="auto, cpu, cuda, mps."
)
@click.option("--seed", type=int, default=TrainConfig.seed, show_default=True)
@click.option("--title", default="", help="Title of the painting, for the style's card.")
@click.option("--painter", default="", help="Who painted it.")
@click.option("--year", default="", help="When.")
@click.option("--licence", default="", help="On what terms the style may be used.")
@debug_option
def train(
    style_image: Path,
    photos: Path,
    name: str | None,
    output: Path | None,
    tier: Tier,
    temporal: bool,
    steps: int,
    style_weight: float,
    style_size: int,
    resume: bool,
    perceptual: Path | None,
    device: str,
    seed: int,
    title: str,
    painter: str,
    year: str,
    licence: str,
) -> None:
    """Learn a style from a painting, or from a folder of them.

    `vidstyle run --style NAME` paints with it then.

    \b
    vidstyle train starry.jpg --photos holiday/ --temporal

    A preview strip in NAME.run/ shows how far it has come.
    """
    from vidstyle.stylizers.registry import user_folder
    from vidstyle.training.train import TrainProgress
    from vidstyle.training.train import train as train_style

    name = _name_from(style_image) if name is None else name
    config = TrainConfig(
        style_image,
        photos,
        name,
        output or user_folder(),
        tier=tier,
        steps=steps,
        style_weight=style_weight,
        style_size=style_size,
        resume=resume,
        temporal=temporal,
        perceptual=perceptual,
        device=device,
        seed=seed,
        title=title,
        painter=painter,
        year=year,
        licence=licence,
    )
    with display() as shown:

        def show(at: TrainProgress) -> None:
            losses = " · ".join(f"{name} {value:.3g}" for name, value in at.losses.items())
            shown.show(State(config.name, at.step, at.steps, "step", losses))

        path = train_style(config, on_progress=show)
        shown.say(_summary(config, path))


def _name_from(image: Path) -> str:
    """A style name made of a file name: "Starry Night.jpg" becomes starry-night."""
    return re.sub(r"[^a-z0-9._]+", "-", image.stem.lower()).strip("-._")[:64]


def _summary(config: TrainConfig, path: Path) -> Text:
    return Text.assemble(
        ("trained ", "green"),
        (clean(path), "bold"),
        f"  {config.name} {config.tier}, {config.steps:,} steps",
        f"; look at {clean(path.with_suffix('.run') / 'preview.png')}",
    )
