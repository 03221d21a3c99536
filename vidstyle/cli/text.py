"""Words for a terminal."""

from __future__ import annotations

import unicodedata


def clean(text: object) -> str:
    """Text that cannot steer a terminal: control and formatting characters become spaces.

    File names, tags and cards come from strangers; an escape sequence in them must stay text. What
    cannot be encoded (file names that are not UTF-8) is shown as a question mark.
    """
    shown = "".join(_harmless(character) for character in str(text))
    return shown.encode("utf-8", "replace").decode("utf-8")


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    return " " if category in ("Cc", "Cf", "Zl", "Zp") else character


def count(number: int, thing: str) -> str:
    """`1 frame`, `2 frames`, `12,000 frames`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """How long something took: `9.5 s`, `1:05`, `2:00:00`."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def clock(seconds: float) -> str:
    """A length of time in whole seconds: `0:09`, `1:05`, `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
