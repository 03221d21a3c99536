"""How long each stage of a job is busy, so that the one that limits can be named."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


class Stopwatch:
    """Adds up seconds by stage. Each stage may run in a thread of its own, but in one only."""

    def __init__(self) -> None:
        self.busy: dict[str, float] = {}
        """Seconds by stage."""

    def add(self, stage: str, seconds: float) -> None:
        """Count `seconds` for `stage`; negative ones take time off that was not its own."""
        self.busy[stage] = self.busy.get(stage, 0.0) + seconds

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Count the time inside the block for `stage`."""
        since = perf_counter()
        try:
            yield
        finally:
            self.add(stage, perf_counter() - since)

    def pulling(self, stage: str, upstream: Iterable[T]) -> Generator[T, None, None]:
        """Yield from `upstream`; count the time it takes to make its items for `stage`."""
        since = perf_counter()
        for item in upstream:
            self.add(stage, perf_counter() - since)
            yield item
            since = perf_counter()
        self.add(stage, perf_counter() - since)


def busiest(busy: Mapping[str, float]) -> str | None:
    """The stage that was busy longest: it limits the others. None before any was."""
    stages = dict(busy)  # other threads may be adding to it
    return max(stages, key=lambda stage: stages[stage], default=None)
