"""`vidstyle styles`: list the styles there are, or show what one says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.options import FILE, debug_option, json_option, overwrite_option
from vidstyle.jobs.text import clean

if TYPE_CHECKING:
    from vidstyle.stylizers.registry import StyleFile
    from vidstyle.types import StyleCard

_COLUMNS = ("name", "title", "painter", "year", "tiers")


@click.command(short_help="List the styles there are, or show the card of one.")
@click.argument("name", required=False)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, readable=False, path_type=Path),
    metavar="PICTURE",
    help="Write a contact sheet: what --of shows, in every style.",
)
@click.option(
    "--of",
    "source",
    type=FILE,
    metavar="FILE",
    help="The picture to show, or a clip, of which it is the first frame.",
)
@overwrite_option("a sheet")
@json_option
@debug_option
def styles(
    name: str | None, sheet: Path | None, source: Path | None, overwrite: bool, as_json: bool
) -> None:
    """List the styles there are, and where they come from.

    With a NAME, show what that style says of itself: how it was trained, on what terms it may be
    used, what it does badly.

    \b
    vidstyle styles
    vidstyle styles monet
    vidstyle styles --sheet sheet.jpg --of clip.mp4
    """
    if (sheet is None) != (source is None):
        raise click.UsageError("--sheet and --of go together")
    if sheet is not None and source is not None:
        if name is not None:
            raise click.UsageError("--sheet shows every style; leave out the NAME")
        if as_json:
            raise click.UsageError("--sheet is a picture; leave out --json")
        _write_sheet(source, sheet, overwrite)
    elif name is not None:
        _show(name, as_json)
    else:
        _list(as_json)


def _show(name: str, as_json: bool) -> None:
    """The cards of one style, tier by tier."""
    from vidstyle.stylizers.registry import StyleRegistry

    registry = StyleRegistry()
    tiers = registry.tiers(name) or [registry.find(name, "fast").card.tier]  # a file, or unknown
    cards = [registry.find(name, tier).card for tier in tiers]
    if as_json:
        click.echo(json.dumps([asdict(card) for card in cards], indent=2))
        return
    console = Console(highlight=False)
    for card in cards:
        table = Table.grid(padding=(0, 2))
        for word, text in _facts(card):
            if text:
                table.add_row(Text(word, style="dim"), Text(clean(text)))
        console.print(Text(clean(f"{card.name} {card.tier}"), style="bold"))
        console.print(table, "")


def _facts(card: StyleCard) -> Iterator[tuple[str, str]]:
    """What a card says, in words."""
    yield "painting", ", ".join(filter(None, (card.title, card.painter, card.year)))
    yield "network", _listed({card.network: "", **card.parameters})
    yield "trained on", card.data
    yield "recipe", _listed(card.recipe)
    yield "losses at the end", _listed(card.losses)
    if card.e_warp is not None:
        yield "warp error", f"{card.e_warp:.5f} on the sample clip, each frame painted for itself"
    if card.reversible:
        yield "way back", "kept, for --reverse"
    yield "licence", card.licence
    yield "weak", card.weak


def _listed(facts: dict[str, Any]) -> str:
    """`steps 3000, weights (content 1, style 0.4)`; underscores become spaces."""
    return ", ".join(
        f"{key.replace('_', ' ')} {_said(value)}".strip() for key, value in facts.items()
    )


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return f"({_listed(value)})"
    if isinstance(value, list):
        return "(" + ", ".join(map(_said, value)) + ")"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _list(as_json: bool) -> None:
    from vidstyle.stylizers.registry import StyleRegistry

    registry = StyleRegistry()
    found = sorted(registry.styles, key=lambda style: (str(style.path.parent), style.card.name))
    groups = groupby(found, key=lambda style: (style.path.parent, style.card.name))
    rows = [_row(list(files)) for _, files in groups]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif rows:
        console = Console(highlight=False)
        for folder, own in groupby(rows, key=itemgetter("folder")):
            console.print(Text(clean(folder), style="dim"), soft_wrap=True)
            console.print(_table(list(own)))
    else:
        folders = " or ".join(str(folder) for folder in registry.folders)
        click.echo(f"no styles yet: there is none in {clean(folders)}")


def _write_sheet(source: Path, sheet: Path, overwrite: bool) -> None:
    from vidstyle.jobs.sheet import write_sheet

    def tell(text: str) -> None:
        click.echo(clean(f"note: {text}"), err=True)

    names = write_sheet(source, sheet, overwrite=overwrite, on_note=tell)
    click.echo(f"wrote {clean(str(sheet))}: {', '.join(names)}")


def _row(files: list[StyleFile]) -> dict[str, Any]:
    """One style in one folder; its files are its tiers."""
    card = files[0].card
    return {
        "name": card.name,
        "title": card.title,
        "painter": card.painter,
        "year": card.year,
        "tiers": sorted({file.card.tier for file in files}),
        "folder": str(files[0].path.parent),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    """The styles of one folder, a line each."""
    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in _COLUMNS:
        table.add_column(
            column,
            style="bold" if column == "name" else "",
            no_wrap=column in ("name", "year", "tiers"),
        )
    for row in rows:
        cells = row | {"tiers": ", ".join(row["tiers"])}
        table.add_row(*(Text(clean(cells[column])) for column in _COLUMNS))
    return table
