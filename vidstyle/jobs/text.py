"""Words from strangers (file names, tags and cards), and numbers for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from math import floor, log10
from pathlib import Path
from typing import Any


def clean(text: object) -> str:
    """Text that steers nothing: control and formatting characters become spaces.

    An escape sequence must stay text in a terminal, and a mark that turns the direction of writing
    must not disguise a name. What cannot be encoded (file names that are not UTF-8) is shown as a
    question mark.
    """
    shown = "".join(_harmless(character) for character in str(text))
    return shown.encode("utf-8", "replace").decode("utf-8")


def count(number: int, thing: str) -> str:
    """`1 frame`, `2 frames`, `12,000 frames`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """How long something took: `9.5 s`, `1:05`, `2:00:00`."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def speed(rate: float) -> str:
    """How many a second: `24.0`, `0.053`."""
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def clock(seconds: float) -> str:
    """A length of time in whole seconds: `0:09`, `1:05`, `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def three_digits(value: float) -> str:
    """A number to three significant digits, and never in powers of ten: 0.000421, 0.0187, 520."""
    if not value:
        return "0"
    digits = 2 - floor(log10(abs(float(f"{value:.3g}"))))
    return f"{value:.{max(digits, 0)}f}"


def figure(value: float | None, scale: float = 1.0) -> str:
    """A number to three significant digits, a whole one to all of its own; a dash for none."""
    if value is None:
        return "–"
    scaled = value * scale
    return f"{scaled:.0f}" if scaled == int(scaled) else three_digits(scaled)


def plain(value: object, rounded: Callable[[float], float]) -> Any:
    """A value of dictionaries, lists and paths as JSON holds it, its numbers rounded."""
    match value:
        case Path():
            return str(value)
        case dict():
            return {key: plain(item, rounded) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, rounded) for item in value]
        case float():
            return rounded(value)
        case _:
            return value


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    return " " if category in ("Cc", "Cf", "Zl", "Zp") else character
