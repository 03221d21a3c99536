"""Ship a trained style: `python weights/add.py STYLE.safetensors [--title ... --weak ...]`.

Copies it here as NAME.TIER.safetensors, with what the options say written into its card, and
records every checksum in the manifest.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from vidstyle.stylizers.card import read_card
from vidstyle.stylizers.registry import write_manifest
from vidstyle.stylizers.style_file import load_network, save_style

WORDS = ("name", "title", "painter", "year", "data", "licence", "weak")


def main() -> None:
    """Read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("style", type=Path)
    for word in WORDS:
        parser.add_argument(f"--{word}")
    options = parser.parse_args()
    card = read_card(options.style)
    network = load_network(options.style, card)
    said = {word: value for word in WORDS if (value := getattr(options, word)) is not None}
    card = replace(card, **said)
    folder = Path(__file__).parent
    save_style(folder / f"{card.name}.{card.tier}.safetensors", network, card)
    write_manifest(folder)


if __name__ == "__main__":
    main()
