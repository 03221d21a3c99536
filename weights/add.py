"""Ship what was trained: `python weights/add.py STYLE.safetensors [--title ... --weak ...]`.

Copies it here under its own name, with what the options say written into its card, and records
every checksum in the manifest. In a file of several styles, title, painter and year are those of
the shipped style of that name.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from vidstyle.stylizers.card import CARD_KEY, cards_text, read_cards
from vidstyle.stylizers.registry import StyleRegistry, write_manifest
from vidstyle.stylizers.style_file import write_safetensors
from vidstyle.types import StyleCard

HOME = Path(__file__).parent
WORDS = ("name", "title", "painter", "year", "data", "licence", "weak")
OF_THE_PAINTING = ("title", "painter", "year")


def main() -> None:
    """Read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("style", type=Path)
    for word in WORDS:
        parser.add_argument(f"--{word}")
    options = parser.parse_args()
    said = {word: value for word in WORDS if (value := getattr(options, word)) is not None}
    cards = read_cards(options.style)
    several = len(cards) > 1
    name = said.pop("name", options.style.stem) if several else said.get("name", cards[0].name)
    known: list[dict[str, str]] = of_shipped(cards) if several else [{}]
    cards = tuple(replace(c, **(words | said)) for c, words in zip(cards, known, strict=True))
    path = HOME / f"{name}.{cards[0].tier}.safetensors"
    write_safetensors(path, load_file(options.style), {CARD_KEY: cards_text(cards)})
    write_manifest(HOME)


def of_shipped(cards: tuple[StyleCard, ...]) -> list[dict[str, str]]:
    """What shipped styles say of the same paintings."""
    registry = StyleRegistry((HOME,))
    shipped = [registry.find(card.name, "fast").card for card in cards]
    return [{word: getattr(card, word) for word in OF_THE_PAINTING} for card in shipped]


if __name__ == "__main__":
    main()
