"""Where styles are found: the shipped ones, the user's own folder, or any file by its path."""

from __future__ import annotations

import difflib
import hashlib
import json
import mimetypes
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from vidstyle.errors import ResourceError, StyleError
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.mixture import (
    Schedule,
    is_mixture,
    is_schedule,
    parse_mixture,
    parse_schedule,
)
from vidstyle.types import STYLE_NAME, TIERS, StyleCard, Tier

SUFFIX: Final = ".safetensors"
MANIFEST: Final = "manifest.json"
"""In the shipped folder: the sha256 of every file in it."""


@dataclass(frozen=True)
class StyleFile:
    """A style that can be painted with."""

    path: Path
    card: StyleCard
    reverse: bool = False
    """Paintings become photographs."""
    shares: tuple[float, ...] = ()
    """How much of each style is painted, in a file that holds several; together 1."""
    schedule: Schedule | None = None
    """How that changes over the clip; `shares` is what it begins with."""
    spec: str = ""
    """The text by which `StyleRegistry.find` finds it, or what it is the reverse of."""

    def reversed(self) -> StyleFile:
        """Turn it round: the way back, under a name of its own.

        Raises:
            StyleError: the file does not hold it.
        """
        if not self.card.reversible:
            raise StyleError(
                f"{self.path}: holds no way back from paintings to photographs; "
                "only styles trained with --method cyclegan --keep-reverse do"
            )
        card = replace(self.card, name=f"{self.card.name}-reverse")
        return replace(self, card=card, reverse=True)

    def sha256(self) -> str:
        """Of the file, as hexadecimal digits."""
        return _sha256(self.path)


class StyleRegistry:
    """Styles by name, tier and path. Of two with one name and tier, the earlier folder's wins.

    Attributes:
        folders: searched in this order; those that do not exist are passed over.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = _all_folders() if folders is None else tuple(folders)

    def names(self) -> list[str]:
        """All style names, sorted."""
        return sorted({style.card.name for style in self.styles})

    def tiers(self, name: str) -> list[Tier]:
        """The tiers that a style is trained for, sorted; empty when there is no such style."""
        return sorted({style.card.tier for style in self.styles if style.card.name == name})

    @cached_property
    def styles(self) -> tuple[StyleFile, ...]:
        """Every readable style, in the order of the folders."""
        return tuple(_readable(path for folder in self.folders for path in _files(folder)))

    def find(self, name: str, tier: Tier) -> StyleFile:
        """Find a style by name or path.

        Or a mixture such as "monet:0.6,scream:0.4", or such over time: "0 monet; 12.5 scream" are
        seconds of the clip and what is painted then; between them one becomes the other.

        A style that is not trained for `tier` comes in its other one: compare `card.tier`. Styles
        can be mixed that share one network, of whatever tier.

        Raises:
            StyleError: there is none, its file is broken, or a shipped file was changed.
        """
        if _is_picture(name):
            raise StyleError(
                f"{name}: is a picture, not a style yet; make one of it with: "
                f"vidstyle train {shlex.quote(name)} --photos FOLDER --temporal"
            )
        if is_path(name):
            return _open(Path(name))
        if is_schedule(name):
            return self._scheduled(name, tier)
        if is_mixture(name):
            return self._mixture(name, tier)
        if not STYLE_NAME.fullmatch(name):
            raise StyleError(
                f"{name!r} cannot be a style's name (lower-case letters, digits, . _ -); "
                f"name one of: {', '.join(self.names())}, or give a {SUFFIX} file"
            )
        found = [style for style in self.styles if style.card.name == name]
        if not found:
            raise StyleError(self._unknown(name))
        style = next((s for s in found if s.card.tier == tier), found[0])
        _check_sum(style.path)
        return style

    def _mixture(self, spec: str, tier: Tier) -> StyleFile:
        names = list(parse_mixture(spec))
        return _mix(self._together(names, tier), spec) if names[1:] else self.find(names[0], tier)

    def _together(self, names: Sequence[str], tier: Tier) -> dict[str, StyleFile]:
        """All styles of the first file that holds these, by name."""
        for name in names:
            self.find(name, tier)  # or say what there is
        for wanted in (tier, *(other for other in TIERS if other != tier)):
            for path in dict.fromkeys(style.path for style in self.styles):
                there = [s for s in self.styles if s.path == path and s.card.tier == wanted]
                together = {style.card.name: style for style in there if style.shares}
                if together.keys() >= set(names):
                    _check_sum(path)
                    return together
        raise StyleError(
            f"{' and '.join(names)} cannot be mixed: only styles that were trained together can"
        )

    def _scheduled(self, spec: str, tier: Tier) -> StyleFile:
        points = parse_schedule(spec)
        names = list(dict.fromkeys(name for _, what in points for name in parse_mixture(what)))
        together = self._together(names, tier)
        found = [_mix(together, what) for _, what in points]
        whole = _mix(together, ",".join(names))
        times = [time for time, _ in points]
        title = " to ".join(style.card.title for style in found)
        return replace(
            whole,
            card=replace(whole.card, name="-to-".join(names), title=title),
            shares=found[0].shares,
            schedule=Schedule(tuple(times), tuple(style.shares for style in found)),
            spec="; ".join(
                f"{time:.12g} {style.spec}" for time, style in zip(times, found, strict=True)
            ),
        )

    def _unknown(self, name: str) -> str:
        called = [p for folder in self.folders for p in _files(folder) if p.name == name + SUFFIX]
        if called:
            held = ", ".join(card.name for card in read_cards(called[0]))  # or what is wrong
            return f"{called[0]}: holds {held}; name one of them"
        near = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f"there are: {', '.join(self.names())}"
        )
        return f"no style is called {name!r}; {hint}"


def is_path(spec: str) -> bool:
    """Whether a style is asked for by the path of its file."""
    return spec.endswith(SUFFIX) or os.sep in spec


def _is_picture(spec: str) -> bool:
    kind, _ = mimetypes.guess_type(spec)
    return (kind or "").startswith("image/") and _is_file(Path(spec))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for any file system
        return False


def shipped_folder() -> Path:
    """What comes with vidstyle: inside the installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "weights"
    return installed if installed.is_dir() else package.parent / "weights"


def shipped_file(name: str) -> Path:
    """A file that comes with vidstyle.

    Raises:
        StyleError: it is not there, or was changed.
    """
    path = shipped_folder() / name
    if not path.is_file():
        raise StyleError(f"{path}: is missing; install vidstyle again")
    _check_sum(path)
    return path


def user_folder() -> Path:
    """The user's own styles: $VIDSTYLE_STYLES, or vidstyle/styles in the XDG data folder.

    Raises:
        ResourceError: nothing says where that is.
    """
    if chosen := os.environ.get("VIDSTYLE_STYLES"):
        return Path(chosen)
    if data := os.environ.get("XDG_DATA_HOME"):
        return Path(data) / "vidstyle" / "styles"
    try:
        return Path.home() / ".local/share/vidstyle/styles"
    except RuntimeError as error:
        raise ResourceError(
            "this user has no home folder, where styles would lie; set VIDSTYLE_STYLES to a folder"
        ) from error


def _all_folders() -> tuple[Path, ...]:
    """The user's, if there is one, and the one that comes with vidstyle."""
    try:
        return user_folder(), shipped_folder()
    except ResourceError:
        return (shipped_folder(),)


def write_manifest(folder: Path) -> None:
    """Record the sha256 of every style in a folder."""
    sums = {path.name: _sha256(path) for path in _files(folder)}
    (folder / MANIFEST).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")


def _open(path: Path) -> StyleFile:
    if not _is_file(path):
        raise StyleError(f"{path}: no such style file")
    _check_sum(path)
    styles = list(_members(path, read_cards(path)))
    if len(styles) > 1:
        names = ", ".join(style.card.name for style in styles)
        raise StyleError(
            f"{path}: holds several styles ({names}): name one of them alone, without a path; "
            "they are looked for in $VIDSTYLE_STYLES, or ~/.local/share/vidstyle/styles"
        )
    return styles[0]


def _mix(together: Mapping[str, StyleFile], spec: str) -> StyleFile:
    """As much of each style of one file as a mixture says."""
    parts = [(together[name], amount) for name, amount in parse_mixture(spec).items()]
    first = parts[0][0]
    count = range(len(first.shares))

    def said(word: str) -> str:
        return ", ".join(dict.fromkeys(filter(None, (getattr(p.card, word) for p, _ in parts))))

    card = replace(
        first.card,
        name="-".join(f"{part.card.name}-{amount:.0%}".rstrip("%") for part, amount in parts),
        title=", ".join(f"{amount:.0%} {part.card.title}" for part, amount in parts),
        painter=said("painter"),
        year=said("year"),
    )
    return StyleFile(
        first.path,
        card,
        shares=tuple(sum(amount * part.shares[k] for part, amount in parts) for k in count),
        spec=",".join(f"{part.card.name}:{amount:g}" for part, amount in parts),
    )


def _files(folder: Path) -> list[Path]:
    """The style files of a folder; links that lead out of it and what would block are none."""
    if not folder.is_dir():
        return []
    home = folder.resolve()
    found = sorted(folder.glob(f"*{SUFFIX}"))
    return [path for path in found if path.is_file() and path.resolve().is_relative_to(home)]


def _readable(paths: Iterable[Path]) -> Iterator[StyleFile]:
    """Other files in the folder are no reason to fail: one that is asked for by name says why."""
    for path in paths:
        try:
            cards = read_cards(path)
        except StyleError:
            continue
        yield from _members(path, cards)


def _members(path: Path, cards: Sequence[StyleCard]) -> Iterator[StyleFile]:
    """The styles that a file holds, each by itself."""
    for card in cards:
        shares = tuple(float(other is card) for other in cards) if len(cards) > 1 else ()
        yield StyleFile(path, card, shares=shares, spec=card.name)


def _check_sum(path: Path) -> None:
    manifest = path.parent / MANIFEST
    if not manifest.is_file():
        return
    try:
        wanted = json.loads(manifest.read_text(encoding="utf-8")).get(path.name)
    except (OSError, ValueError, AttributeError) as error:
        raise StyleError(f"{manifest}: is broken; install vidstyle again") from error
    if wanted is not None and wanted != _sha256(path):
        raise StyleError(f"{path}: differs from its checksum in {MANIFEST}; install vidstyle again")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
