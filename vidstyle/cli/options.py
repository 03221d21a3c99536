"""What the commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


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


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.find_object(Settings).debug |= value  # type: ignore[union-attr]
