"""One pass over the moments: the source's motion, found once, serves every clip."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from vidstyle.jobs.measuring.measures import LONG
from vidstyle.jobs.measuring.meter import Meter, Neighbours
from vidstyle.jobs.measuring.moments import Moment
from vidstyle.metrics.following import moving
from vidstyle.metrics.steadiness import pair_error, source_motions
from vidstyle.motion.cuts import is_cut


class Pass:
    """Motion of the source over a shot, handed to every clip's meter."""

    def __init__(self, meters: Sequence[Meter], tolerance: Fraction) -> None:
        self.meters = meters
        self._tolerance = tolerance
        self.cuts: list[float] = []
        self.frames = 0
        self.moved = False
        """Whether anything in the source did."""
        self._shot: deque[Moment] = deque(maxlen=LONG)
        self._first: Moment | None = None

    @property
    def pairs(self) -> int:
        """Neighbouring frames of one shot."""
        return self.frames - 1 - len(self.cuts)

    def take(self, moment: Moment) -> None:
        """Measure the next moment of all clips against those before it."""
        self._cut(moment)
        for meter, image in zip(self.meters, moment.images, strict=True):
            meter.frame(float(moment.time), image)
        if self._shot and self._first is not None:
            self._short(self._shot[-1], self._first, moment)
        else:
            self._first = moment
        if len(self._shot) == LONG:
            self._long(self._shot[0], moment)
        self._shot.append(moment)
        self.frames += 1

    def _cut(self, moment: Moment) -> None:
        if self._shot and is_cut(self._shot[-1].images[0], moment.images[0]):
            self.cuts.append(float(moment.time))
            for meter in self.meters:
                meter.skip(float(self._shot[-1].time))
            self._shot.clear()

    def _short(self, last: Moment, first: Moment, moment: Moment) -> None:
        there, back = source_motions(last.images[0], moment.images[0])
        _, to_first = (
            (there, back) if first is last else source_motions(first.images[0], moment.images[0])
        )
        times = (float(last.time), float(moment.time))
        images = (last.images[0], moment.images[0])
        source = Neighbours(times, images, there, moving(there))
        self.moved |= source.moving is not None
        for place, meter in enumerate(self.meters):
            a, b, start = (m.images[place] for m in (last, moment, first))
            if self._is_even(place, last, moment):
                meter.neighbours(source, a, b)
            else:
                meter.skip(times[0])
            known = [
                error.absolute
                for past, image, motion in ((last, a, back), (first, start, to_first))
                if self._is_even(place, past, moment)
                and (error := pair_error(b, image, motion)) is not None
            ]
            meter.note("e_pair", times[1], sum(known) if len(known) == 2 else None)

    def _long(self, past: Moment, moment: Moment) -> None:
        there, _ = source_motions(past.images[0], moment.images[0])
        for place, meter in enumerate(self.meters):
            if self._is_even(place, past, moment):
                a, b = past.images[place], moment.images[place]
                meter.pair(LONG, float(past.time), a, b, there)

    def _is_even(self, place: int, first: Moment, second: Moment) -> bool:
        """Whether a clip went on as far as the source did; at other rates some steps differ."""
        return abs(second.lags[place] - first.lags[place]) <= self._tolerance
