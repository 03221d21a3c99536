"""`vidstyle styles`: list the styles there are."""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vidstyle.cli.options import debug_option, json_option
from vidstyle.cli.text import clean

if TYPE_CHECKING:
    from vidstyle.stylizers.registry import StyleFile

_COLUMNS = ("name", "title", "painter", "year", "tiers")


@click.command(short_help="List the styles there are.")
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PICTURE",
    help="Write a contact sheet: what --of shows, in every style.",
)
@click.option(
    "--of",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The picture to show, or a clip, of which it is the first frame.",
)
@json_option
@debug_option
def styles(sheet: Path | None, source: Path | None, as_json: bool) -> None:
    """List the styles there are, and where they come from.

    \b
    vidstyle styles --sheet sheet.jpg --of clip.mp4
    """
    if (sheet is None) != (source is None):
        raise click.UsageError("--sheet and --of go together")
    if sheet is not None and source is not None:
        _write_sheet(source, sheet)
        return
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


def _write_sheet(source: Path, sheet: Path) -> None:
    from vidstyle.jobs.sheet import write_sheet

    names = write_sheet(source, sheet)
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
