"""The words that ask for several styles at once, or one after another."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from vidstyle.errors import StyleError
from vidstyle.types import STYLE_NAME

_TIMED: Final = re.compile(r"\s*-?[0-9.]+\s|.*;")


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

    def changed(self, seconds: float, beyond: float) -> float:
        """How much has changed up to a time: 1 for every style that another has replaced.

        After each change it goes on at the same pace, by `beyond`.
        """
        total = 0.0
        for times, shares in zip(pairwise(self.seconds), pairwise(self.shares), strict=True):
            amount = sum(abs(b - a) for a, b in zip(*shares, strict=True)) / 2
            pace = amount / (times[1] - times[0])
            if amount and seconds > times[0]:
                total += min(pace * (seconds - times[0]), amount + beyond)
        return total


def is_schedule(spec: str) -> bool:
    """Whether it begins with a time, or has parts: `parse_schedule` reads it then."""
    return _TIMED.match(spec) is not None


def is_mixture(spec: str) -> bool:
    """Whether it names several styles, or gives one a share: `parse_mixture` reads it then."""
    return "," in spec or ":" in spec


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
        try:
            time, what = part.split(maxsplit=1)
            points.append((float(time), what.strip()))
        except ValueError:
            raise StyleError(f"{part.strip()!r} is no time and style, such as 12.5 monet") from None
    times = [time for time, _ in points]
    if not all(a < b for a, b in pairwise(times)) or not 0 <= times[0] <= times[-1] < math.inf:
        raise StyleError(f"{spec!r}: the times of a schedule are 0 or more, and rise")
    return points
