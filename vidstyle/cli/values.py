"""Option values that click does not know."""

from __future__ import annotations

import re
from dataclasses import fields
from fractions import Fraction

import click

from vidstyle.types import Limits

_LONGEST = 10_000_000
"""Seconds, 115 days: no clip is as long, and FFmpeg's clock can still count it."""
_RATE = re.compile(r"\d{1,18}|\d{0,18}\.\d{1,18}|\d{1,18}/0*[1-9]\d{0,17}", re.ASCII)
_TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?|\.\d+)", re.ASCII)


def limit(text: str) -> tuple[str, int]:
    """Parse `pixels=1000000`: the name of a limit and a whole number.

    Raises:
        click.BadParameter: the text is no such pair.
    """
    name, _, number = text.partition("=")
    known = [field.name for field in fields(Limits)]
    if name not in known or not re.fullmatch(r"[0-9]{1,18}", number):
        raise click.BadParameter(f"{text!r} is no NAME=NUMBER with one of {', '.join(known)}")
    return name, int(number)


def rate(text: str) -> Fraction:
    """Parse frames a second exactly: `24`, `29.97`, `30000/1001`.

    Raises:
        click.BadParameter: the text is no positive number.
    """
    # Nothing else: an exponent could take hours to work out.
    value = Fraction(text) if _RATE.fullmatch(text) else Fraction(0)
    if value <= 0:
        raise click.BadParameter(f"{text!r} is no rate; write 24, 29.97 or 30000/1001")
    return value


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
    total = 3600 * int(hours or 0) + 60 * int(minutes or 0) + Fraction(rest)
    if total > _LONGEST:
        raise click.BadParameter(f"no clip is as long: at most {_LONGEST:,} seconds")
    return total


def timetable(text: str) -> str:
    """Bring the times of `0 monet; 1:10 scream` into seconds, as styles are asked for.

    Raises:
        click.BadParameter: a part is no time and style.
    """
    if re.search(r",\s*[\d:.]+\s", text):
        raise click.BadParameter('put ; between its entries, as in "0 monet; 0:10 scream"')
    points = [" ".join(part.split()).partition(" ") for part in text.split(";")]
    return "; ".join(f"{float(seconds(time)):.12g} {what}" for time, _, what in points)
