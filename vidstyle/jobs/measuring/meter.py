"""What one clip's measures are collected in while the frames go by."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from vidstyle.jobs.measuring.evaluation import (
    PAIR_MEASURES,
    ClipReport,
    Pair,
    Series,
    Steadiness,
)
from vidstyle.jobs.measuring.measures import LONG, SHORT
from vidstyle.metrics.detail import detail, high_band
from vidstyle.metrics.following import followed, stands_still
from vidstyle.metrics.steadiness import (
    Mask,
    PairError,
    SourceMotion,
    error_map,
    pair_error,
)
from vidstyle.types import Picture


@dataclass(frozen=True)
class Neighbours:
    """Two neighbouring frames of the source, and the motion between them."""

    times: tuple[float, float]
    images: tuple[Picture, Picture]
    there: SourceMotion
    moving: Mask | None


@dataclass
class Meter:
    """The measures of one clip."""

    name: str
    path: Path | None = None
    keep: int = 0
    """How many of the worst pairs are kept."""
    notes: tuple[str, ...] = ()
    """What was done to the clip before it was measured, a sentence each."""
    identity: float = 0.0
    """Largest relative deviation of Ruder's error from Lai's times coverage so far."""
    _times: list[float] = field(default_factory=list)
    _values: dict[tuple[str, int], list[tuple[float, float | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Of each measure and step, or 0 for measures that are no pair's, by time."""
    _worst: list[tuple[float, int, Pair]] = field(default_factory=list)
    _number: count[int] = field(default_factory=count)

    def note(self, measure: str, time: float, value: float | None, step: int = 0) -> None:
        """One value of a measure, of two frames `step` apart where it is a pair's."""
        self._values[measure, step].append((time, value))

    def frame(self, time: float, image: Picture) -> None:
        """Take in a frame by itself."""
        self._times.append(time)
        self.note("detail", time, detail(image))
        self.note("high_band", time, high_band(image))

    def neighbours(self, source: Neighbours, first: Picture, second: Picture) -> None:
        """Take in two neighbouring frames of this clip."""
        time = source.times[0]
        error = self.pair(SHORT, time, first, second, source.there)
        if source.moving is not None:
            self.note("followed", time, followed(first, second, source.there, source.moving))
            frozen = stands_still(first, second, source.images, source.moving)
            self.note("frozen", time, float(frozen))
        if error is not None and self.keep:
            self._keep_worst(error, source, first, second)

    def pair(
        self, step: int, time: float, first: Picture, second: Picture, motion: SourceMotion
    ) -> PairError | None:
        """Take in two frames of this clip that are `step` apart."""
        error = pair_error(first, second, motion)
        self.note("warp_error", time, None if error is None else error.lai, step)
        self.note("square_error", time, None if error is None else error.ruder, step)
        self.note("trusted", time, motion.coverage, step)
        if error is not None and error.ruder:
            deviation = abs(error.lai * motion.coverage / error.ruder - 1)
            self.identity = max(self.identity, deviation)
        return error

    def skip(self, time: float) -> None:
        """Nothing is measured from the frame at `time` to the next: plots show a gap there."""
        for measure in PAIR_MEASURES:
            self.note(measure, time, None, SHORT)

    def report(self) -> ClipReport:
        """All that was taken in."""
        return ClipReport(
            name=self.name,
            path=self.path,
            encoded=self.path is not None,
            times=tuple(self._times),
            short=self._steadiness(SHORT),
            long=self._steadiness(LONG),
            measures={name: self._series(name) for name, step in list(self._values) if not step},
            notes=self.notes,
            worst=tuple(pair for *_, pair in sorted(self._worst, key=_rank, reverse=True)),
        )

    def _steadiness(self, step: int) -> Steadiness:
        return Steadiness(*(self._series(measure, step) for measure in PAIR_MEASURES))

    def _series(self, measure: str, step: int = 0) -> Series:
        values = self._values[measure, step]
        return Series(tuple(time for time, _ in values), tuple(value for _, value in values))

    def _keep_worst(
        self, error: PairError, source: Neighbours, first: Picture, second: Picture
    ) -> None:
        if len(self._worst) == self.keep and error.lai <= self._worst[0][0]:
            return
        squares = error_map(first, second, source.there)
        pair = Pair(source.times[0], error.lai, source.images[0], first, second, squares)
        push = heapq.heappush if len(self._worst) < self.keep else heapq.heapreplace
        push(self._worst, (error.lai, next(self._number), pair))


def _rank(item: tuple[float, int, Pair]) -> float:
    return item[0]
