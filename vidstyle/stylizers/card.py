"""The cards of styles, whose reading needs neither torch nor the weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from math import isfinite
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open

from vidstyle.errors import StyleError
from vidstyle.types import STYLE_NAME, TIERS, StyleCard

CARD_KEY: Final = "vidstyle"
"""Of the metadata in a style file's header."""
NETWORK_NAMES: Final = frozenset({"FastNet", "BestNet"})
"""Networks that a card may name: those of `vidstyle.stylizers.networks`."""
_MAX_HEADER: Final = 1 << 20
_MOST_STYLES: Final = 256
_MOST_BRACKETS: Final = 100
"""In a card: nobody who reads it has to go deeper."""
_TEXTS: Final = tuple(field.name for field in fields(StyleCard) if field.type in ("str", "Tier"))
_TABLES: Final = tuple(field.name for field in fields(StyleCard) if field.type.startswith("dict"))


def read_cards(path: Path) -> tuple[StyleCard, ...]:
    """Read the card of every style in a file without its weights: most hold a single one.

    Raises:
        StyleError: the file is no safetensors file, or holds no valid card.
    """
    try:
        _check_header(path)
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(CARD_KEY)
    except (OSError, SafetensorError) as error:
        raise StyleError(f"{path}: not a readable style file ({error})") from error
    if text is None:
        raise StyleError(f"{path}: a safetensors file, but not a vidstyle style (no card in it)")
    try:
        return _parse_cards(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StyleError(f"{path}: its card is broken ({error})") from error


def cards_text(cards: Sequence[StyleCard]) -> str:
    """The cards of a file as its header holds them under `CARD_KEY`."""
    said = [asdict(card) for card in cards]
    return json.dumps(said if len(said) > 1 else said[0], ensure_ascii=False)


def _check_header(path: Path) -> None:
    """Refuse a header that would take memory to parse; safetensors itself allows 100 MB."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _MAX_HEADER:
        raise SafetensorError(f"its header claims {length:,} bytes")


def _parse_cards(text: str) -> tuple[StyleCard, ...]:
    found = json.loads(text)
    cards = tuple(map(_parse_card, found if isinstance(found, list) else [found]))
    if not 0 < len(cards) <= _MOST_STYLES:
        raise ValueError(f"holds {len(cards)} styles, not 1 to {_MOST_STYLES}")
    if len({(card.network, json.dumps(card.parameters)) for card in cards}) > 1:
        raise ValueError("its styles do not share one network")
    if len({card.name for card in cards}) < len(cards):
        raise ValueError("two of its styles have one name")
    return cards


def _parse_card(data: dict[str, Any]) -> StyleCard:
    known = {field.name for field in fields(StyleCard)}
    card = StyleCard(**{key: value for key, value in data.items() if key in known})
    for keys, kind in ((_TEXTS, str), (_TABLES, dict)):
        for key in keys:
            if not isinstance(getattr(card, key), kind):
                raise TypeError(f"{key} is no {kind.__name__}")
    if sum(map(json.dumps(data).count, "[{")) > _MOST_BRACKETS:
        raise ValueError("it says too much")
    if card.e_warp is not None and not (isinstance(card.e_warp, float) and isfinite(card.e_warp)):
        raise TypeError("e_warp is no number")
    if not isinstance(card.reversible, bool):
        raise TypeError("reversible is neither true nor false")
    if not STYLE_NAME.fullmatch(card.name):
        raise ValueError(f"name {card.name!r} is not lower-case letters, digits, . _ -")
    if card.tier not in TIERS:
        raise ValueError(f"tier {card.tier!r} is none of {', '.join(TIERS)}")
    if card.network not in NETWORK_NAMES:
        raise ValueError(f"network {card.network!r} is none of {', '.join(sorted(NETWORK_NAMES))}")
    if not all(isinstance(value, int) and 0 < value <= 512 for value in card.parameters.values()):
        raise ValueError("a network parameter is not a number from 1 to 512")
    return card
