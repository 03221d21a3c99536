"""How long each stage of a job is busy, so that the one that limits or hangs can be named."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

from vidstyle.errors import ResourceError
from vidstyle.jobs.prefetch import POLL, close

T = TypeVar("T")

_LEAST, _FIRST = 60.0, 300.0
_TIMES = 10
_WORKER = " #"


class Stopwatch:
    """Adds up seconds by stage. Each stage may run in a thread of its own, but in one only.

    Where several threads share the work of a stage, each is a `worker` of it.
    """

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        self.busy: dict[str, float] = {}
        """Seconds by stage."""
        self.slowest: dict[str, float] = {}
        """Seconds of the longest piece of work of each stage that finished one."""
        self.steps: dict[str, int] = {}
        """How often each stage began or finished a piece of work: odd while it is at work."""
        self._since: dict[str, float] = {}
        self._now = now

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Count the time inside the block for `stage`."""
        self._begin(stage)
        try:
            yield
        finally:
            self._end(stage)

    @contextmanager
    def waiting(self, stage: str) -> Iterator[None]:
        """Inside a block that is timed, leave out the time of this one: it is not the stage's."""
        self._end(stage)
        try:
            yield
        finally:
            self._begin(stage)

    def pulling(self, stage: str, upstream: Iterable[T]) -> Generator[T, None, None]:
        """Yield from `upstream` and close it; count the time it takes to make its items."""
        try:
            with self.timing(stage):
                for item in upstream:
                    with self.waiting(stage):
                        yield item
        finally:
            close(upstream)

    def _begin(self, stage: str) -> None:
        self._since[stage] = self._now()
        self.steps[stage] = self.steps.get(stage, 0) + 1

    def _end(self, stage: str) -> None:
        seconds = self._now() - self._since[stage]
        self.busy[stage] = self.busy.get(stage, 0.0) + seconds
        self.slowest[stage] = max(self.slowest.get(stage, 0.0), seconds)
        self.steps[stage] += 1


class Watchdog:
    """Tells when a stage hangs: when it is at one piece of work for far longer than ever before."""

    def __init__(self, watch: Stopwatch, now: Callable[[], float] = perf_counter) -> None:
        self._watch, self._now = watch, now
        self._last = now()
        self._sign: object = None
        self._seen: dict[str, int] = {}
        self._waited: dict[str, float] = {}

    def look(self, sign: object = None) -> None:
        """Look after all stages; call it every `POLL` seconds or so.

        A stage that is at one long piece of work may give a `sign`: it is well while that changes.
        A process that was stopped for an hour is not at fault: a look counts for a moment only.

        Raises:
            ResourceError: a stage is at work for ten times its slowest piece of work so far and for
                a minute at least, or for five before it finished any.
        """
        now = self._now()
        passed, self._last = min(now - self._last, 2 * POLL), now
        well, self._sign = sign != self._sign, sign
        for stage, step in self._watch.steps.copy().items():
            still = not well and step % 2 == 1 and self._seen.get(stage) == step
            self._seen[stage] = step
            self._waited[stage] = self._waited.get(stage, 0.0) + passed if still else 0.0
            if self._waited[stage] > self._limit(stage):
                raise ResourceError(
                    f"{_whole(stage)} hangs: no progress for {self._waited[stage]:.0f} s; the "
                    "machine may be short of memory or a disk may have gone: try again"
                )

    def _limit(self, stage: str) -> float:
        if stage not in self._watch.slowest:
            return _FIRST
        return max(_LEAST, _TIMES * self._watch.slowest[stage])


def worker(stage: str, number: int) -> str:
    """The name of one of the threads that share the work of a stage."""
    return f"{stage}{_WORKER}{number}"


def _whole(name: str) -> str:
    """The stage that a worker is part of."""
    return name.partition(_WORKER)[0]


def by_stage(busy: Mapping[str, float]) -> dict[str, float]:
    """Seconds by stage, where workers may be; of those that share a stage the busiest counts."""
    stages: dict[str, float] = {}
    for name, seconds in dict(busy).items():  # other threads may be adding to it
        stage = _whole(name)
        stages[stage] = max(stages.get(stage, 0.0), seconds)
    return stages


def busiest(busy: Mapping[str, float]) -> str | None:
    """The stage that was busy longest: it limits the others. None before any was."""
    stages = by_stage(busy)
    return max(stages, key=lambda stage: stages[stage], default=None)
