"""Words from strangers: file names, tags and cards."""

from __future__ import annotations

import unicodedata


def clean(text: object) -> str:
    """Text that steers nothing: control and formatting characters become spaces.

    An escape sequence must stay text in a terminal, and a mark that turns the direction of writing
    must not disguise a name. What cannot be encoded (file names that are not UTF-8) is shown as a
    question mark.
    """
    shown = "".join(_harmless(character) for character in str(text))
    return shown.encode("utf-8", "replace").decode("utf-8")


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    return " " if category in ("Cc", "Cf", "Zl", "Zp") else character
