"""What the commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from vidstyle.cli.values import limit, rate, seconds
from vidstyle.types import Limits

F = TypeVar("F", bound=Callable[..., Any])


class _File(click.Path):
    """Any path but the empty one, which would be the current folder: a shell's unset variable."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("is empty; name a file or a folder", param, ctx)
        return super().convert(value, param, ctx)


FILE = _File(path_type=Path, readable=False)
"""Whether it can be read is told of by what reads it."""


@dataclass
class Settings:
    """What holds for a whole call."""

    debug: bool = False
    """Show tracebacks."""


def debug_option(command: F) -> F:
    """Let a command take --debug, wherever on the line it stands."""
    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_set_debug,
        help="Show where an error comes from.",
    )(command)


def json_option(command: F) -> F:
    """Let a command print JSON."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the report as JSON on standard output."
    )(command)


def measuring_options(command: F) -> F:
    """Let a command be told what paintings are measured against, and over which part."""
    options = (
        click.option(
            "--unblended",
            type=FILE,
            help="The painting with nothing done against flicker.  [default: repainted as the "
            "first painting that tells how it was painted]",
        ),
        click.option(
            "--style-image",
            type=FILE,
            help="The painting that lends the style; of folders, a folder of paintings.",
        ),
        click.option(
            "--perceptual",
            type=FILE,
            help="File of VGG19.  [default: torchvision's, downloaded once]",
        ),
        click.option(
            "--start", type=seconds, metavar="TIME", help="Begin here (2.5, 1:30, 1:02:03)."
        ),
        click.option("--duration", type=seconds, metavar="TIME", help="Measure no more than this."),
        click.option(
            "--rate",
            type=rate,
            help="Frames a second of numbered pictures.  [default: as they were painted, or 25]",
        ),
        limit_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def overwrite_option(what: str) -> Callable[[F], F]:
    """Let a command overwrite what is there."""
    return click.option(
        "-y", "--yes", "overwrite", is_flag=True, help=f"Overwrite {what}, if there."
    )


def limit_option(command: F) -> F:
    """Let a command be told how much an input may ask for."""
    return click.option(
        "--limit",
        "limits",
        type=limit,
        multiple=True,
        callback=lambda context, parameter, values: Limits(**dict(values)),
        metavar="NAME=NUMBER",
        help="Trust an input beyond the usual pixels, tracks, hours, attachments (MB).",
    )(command)


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.find_object(Settings).debug |= value  # type: ignore[union-attr]
