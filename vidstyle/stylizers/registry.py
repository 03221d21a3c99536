"""Where styles are found: the shipped ones, the user's own folder, or any file by its path."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

from vidstyle.errors import StyleError
from vidstyle.stylizers.card import read_cards
from vidstyle.types import STYLE_NAME, TIERS, StyleCard, Tier

SUFFIX: Final = ".safetensors"
_TIMED: Final = re.compile(r"\s*-?[0-9.]+\s|.*;")
"""What begins with a time, or has parts: a schedule."""
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
    """What `StyleRegistry.find` finds it, or what it is the reverse of, by: if in a folder."""

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


@dataclass(frozen=True)
class Schedule:
    """Shares of styles over time: straight lines between points, level before and after them."""

    seconds: tuple[float, ...]
    """Of the clip, rising."""
    shares: tuple[tuple[float, ...], ...]
    """At each of those times, one share for each style of the file, together 1."""

    def at(self, seconds: float) -> tuple[float, ...]:
        """The shares at a time."""
        after = bisect_right(self.seconds, seconds)
        if after in (0, len(self.seconds)):
            return self.shares[max(after - 1, 0)]
        begin, end = self.seconds[after - 1 : after + 1]
        way = (seconds - begin) / (end - begin)
        pairs = zip(*self.shares[after - 1 : after + 1], strict=True)
        return tuple(first + way * (second - first) for first, second in pairs)

    def changed(self, seconds: float) -> float:
        """How much has changed up to a time: 1 for every style that another has replaced."""
        times = [time for time in self.seconds if time < seconds]
        points = [self.at(time) for time in (*times, seconds)]
        return sum(
            sum(abs(b - a) for a, b in zip(*pair, strict=True)) / 2 for pair in pairwise(points)
        )


class StyleRegistry:
    """Styles by name, tier and path. Of two with one name and tier, the earlier folder's wins.

    Attributes:
        folders: searched in this order; those that do not exist are passed over.
    """

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self.folders = (user_folder(), shipped_folder()) if folders is None else tuple(folders)

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
        if name.endswith(SUFFIX) or any(sep and sep in name for sep in (os.sep, os.altsep)):
            return _open(Path(name))
        if _TIMED.match(name):
            return self._scheduled(name, tier)
        if "," in name or ":" in name:
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
        amounts = parse_mixture(spec)
        for wanted in (tier, *(other for other in TIERS if other != tier)):
            parts = [(self.find(name, wanted), amount) for name, amount in amounts.items()]
            if len({part.path for part, _ in parts}) == 1 and parts[0][0].shares:
                return _mix(parts)
        raise StyleError(
            f"{' and '.join(amounts)} cannot be mixed: only styles that were trained together can"
        )

    def _scheduled(self, spec: str, tier: Tier) -> StyleFile:
        points = parse_schedule(spec)
        names = dict.fromkeys(name for _, what in points for name in parse_mixture(what))
        whole = self._mixture(",".join(names), tier)
        found = [self._mixture(what, whole.card.tier) for _, what in points]
        times = [time for time, _ in points]
        title = " to ".join(style.card.title for style in found)
        return replace(
            whole,
            card=replace(whole.card, name="-to-".join(names), title=title),
            shares=found[0].shares,
            schedule=Schedule(tuple(times), tuple(style.shares for style in found)),
            spec="; ".join(
                f"{time:g} {style.spec}" for time, style in zip(times, found, strict=True)
            ),
        )

    def _unknown(self, name: str) -> str:
        broken = [p for folder in self.folders for p in _files(folder) if p.name == name + SUFFIX]
        if broken:
            read_cards(broken[0])  # raises, and says what is wrong with it
        near = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(near)}?"
            if near
            else f"there are: {', '.join(self.names())}"
        )
        return f"no style is called {name!r}; {hint}"


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
    """The user's own styles: $VIDSTYLE_STYLES, or vidstyle/styles in the XDG data folder."""
    if chosen := os.environ.get("VIDSTYLE_STYLES"):
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "vidstyle" / "styles"


def write_manifest(folder: Path) -> None:
    """Record the sha256 of every style in a folder."""
    sums = {path.name: _sha256(path) for path in _files(folder)}
    (folder / MANIFEST).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")


def _open(path: Path) -> StyleFile:
    try:
        there = path.is_file()
    except OSError:  # a name too long for any file system
        there = False
    if not there:
        raise StyleError(f"{path}: no such style file")
    _check_sum(path)
    styles = list(_members(path, read_cards(path)))
    if len(styles) > 1:
        names = ", ".join(style.card.name for style in styles)
        raise StyleError(
            f"{path}: holds several styles ({names}); put it into {user_folder()}, and name one"
        )
    return styles[0]


def parse_mixture(spec: str) -> dict[str, float]:
    """Read "monet:0.6,scream:0.4" as the share of each style, together 1; no number counts as 1.

    Raises:
        StyleError: it says something else.
    """
    amounts: dict[str, float] = {}
    if 0 < spec.count(":") < spec.count(",") + 1:
        raise StyleError(f"{spec!r}: give each style a share, as in monet:0.6,scream:0.4, or none")
    for part in spec.split(","):
        name, _, amount = part.strip().partition(":")
        if not STYLE_NAME.fullmatch(name):
            raise StyleError(
                f"{part.strip()!r} is no style and share, such as monet:0.6 (what is painted at "
                'different times stands between semicolons: "0 monet; 5 scream")'
            )
        try:
            amounts[name] = amounts.get(name, 0) + float(amount or 1)
        except ValueError:
            raise StyleError(f"{amount!r} is no share of {name}; write 0.6 or the like") from None
    total = sum(amounts.values())
    if not (all(amount >= 0 for amount in amounts.values()) and 0 < total < math.inf):
        raise StyleError(f"{spec!r}: shares are 0 or more, and not all of them 0")
    return {name: amount / total for name, amount in amounts.items()}


def parse_schedule(spec: str) -> list[tuple[float, str]]:
    """Read "0 monet; 12.5 scream" as times in seconds and what is painted then.

    Raises:
        StyleError: it says something else, or times do not rise.
    """
    points = []
    for part in spec.split(";"):
        time, _, what = part.strip().partition(" ")
        try:
            points.append((float(time), what.strip()))
        except ValueError:
            raise StyleError(f"{part.strip()!r} is no time and style, such as 12.5 monet") from None
    times = [time for time, _ in points]
    if not all(a < b for a, b in pairwise(times)) or not 0 <= times[0] <= times[-1] < math.inf:
        raise StyleError(f"{spec!r}: the times of a schedule are 0 or more, and rise")
    return points


def _mix(parts: Sequence[tuple[StyleFile, float]]) -> StyleFile:
    """As much of each style of one file as stands beside it, together 1."""
    first = parts[0][0]
    count = range(len(first.shares))
    card = replace(
        first.card,
        name="-".join(f"{part.card.name}-{amount:.0%}".rstrip("%") for part, amount in parts),
        title=", ".join(f"{amount:.0%} {part.card.title}" for part, amount in parts),
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
