"""Words for a terminal."""

from __future__ import annotations

from vidstyle.jobs.text import clean

__all__ = ["clean", "clock", "count", "span"]


def count(number: int, thing: str) -> str:
    """`1 frame`, `2 frames`, `12,000 frames`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """How long something took: `9.5 s`, `1:05`, `2:00:00`."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def speed(rate: float) -> str:
    """How many a second: `24.0`, `0.053`."""
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def clock(seconds: float) -> str:
    """A length of time in whole seconds: `0:09`, `1:05`, `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
