"""Option values that click does not know."""

from __future__ import annotations

import re
from fractions import Fraction

import click

_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)", re.ASCII)


def seconds(text: str) -> Fraction:
    """Parse a length of time exactly: seconds (`90`, `2.5`) or `[hh:]mm:ss[.ms]`.

    Raises:
        click.BadParameter: the text is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} is no time; write seconds (2.5), mm:ss or hh:mm:ss")
    hours, minutes, rest = match.groups()
    if minutes is not None and (Fraction(rest) >= 60 or (hours is not None and int(minutes) >= 60)):
        raise click.BadParameter(f"{text!r} is no time; minutes and seconds end at 59")
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + Fraction(rest)
