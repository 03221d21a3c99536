"""Ship what was trained: `python weights/add.py STYLE.safetensors [--title ... --weak ...]`.

Copies it here under its own name, with what the options say and its warp error written into its
card, and records every checksum in the manifest. In a file of several styles, title, painter and
year are those of the shipped style of that name, and with `--only STYLE` the options speak of that
one alone. A file that lies here already may be given, too.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean

from safetensors.torch import load_file

from vidstyle.jobs.style import Style
from vidstyle.metrics.steadiness import pair_error, source_motions
from vidstyle.stylizers.card import CARD_KEY, cards_text, read_cards
from vidstyle.stylizers.registry import StyleRegistry, write_manifest
from vidstyle.stylizers.style_file import write_safetensors
from vidstyle.types import StyleCard
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

HOME = Path(__file__).parent
SAMPLE = HOME.parent / "samples" / "sample.mp4"
FRAMES = 48
"""Of the sample, two seconds."""
WORDS = ("name", "title", "painter", "year", "data", "licence", "weak")
OF_THE_PAINTING = ("title", "painter", "year")


def main() -> None:
    """Read, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("style", type=Path)
    for word in WORDS:
        parser.add_argument(f"--{word}")
    parser.add_argument("--only", help="of several styles, the one that the options speak of")
    options = parser.parse_args()
    said = {word: value for word in WORDS if (value := getattr(options, word)) is not None}
    cards = read_cards(options.style)
    if options.only and options.only not in {card.name for card in cards}:
        parser.error(f"{options.style}: holds no {options.only}")
    name = said.get("name", cards[0].name)
    if len(cards) > 1:
        name = said.pop("name", options.style.stem)
        cards = tuple(replace(card, **of_shipped(card.name)) for card in cards)
    meant = {options.only} if options.only else {card.name for card in cards}
    cards = tuple(replace(card, **said) if card.name in meant else card for card in cards)
    path = HOME / f"{name}.{cards[0].tier}.safetensors"
    weights = load_file(options.style)
    write_safetensors(path, weights, {CARD_KEY: cards_text(cards)})
    write_manifest(HOME)
    cards = tuple(replace(card, e_warp=card.e_warp or e_warp(card)) for card in cards)
    write_safetensors(path, weights, {CARD_KEY: cards_text(cards)})
    write_manifest(HOME)


def e_warp(card: StyleCard) -> float:
    """Warp error (Lai et al. 2018) of the sample's first frames, each painted for itself."""
    style = Style(StyleRegistry((HOME,)).find(card.name, card.tier), device="cpu")
    frames = [frame.image for frame in islice(read_frames(probe(SAMPLE)), FRAMES)]
    painted = map(style.paint, frames)
    errors = [
        pair_error(*paintings, source_motions(*pair)[0])
        for pair, paintings in zip(pairwise(frames), pairwise(painted), strict=True)
    ]
    return round(fmean(error.lai for error in errors if error), 6)


def of_shipped(name: str) -> dict[str, str]:
    """What a shipped style says of the painting that it shares its name with, if there is one."""
    for style in StyleRegistry((HOME,)).styles:
        if style.card.name == name:
            return {word: getattr(style.card, word) for word in OF_THE_PAINTING}
    return {}


if __name__ == "__main__":
    main()
