"""The stops between a decoder and an encoder, and the threads that let them work side by side."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol, TypeVar

from vidstyle.coherence.blend import Observation
from vidstyle.coherence.turns import ROUND
from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.painting.stopwatch import Stopwatch, worker
from vidstyle.jobs.prefetch import Crew
from vidstyle.motion.opencv_ops import OpenCvOps
from vidstyle.motion.ops import Array, Ops, Size
from vidstyle.stylizers.mixture import Schedule
from vidstyle.types import Frame
from vidstyle.video.bars import Bars

T = TypeVar("T")
Watched = tuple[Frame, Array, Observation | None]
"""A frame, its picture where it is painted, and its motion, where that is wanted."""

DECODING, FOLLOWING, PAINTING, STEADYING = "decoding", "following motion", "painting", "steadying"
ENCODING, JOINING = "encoding", "joining"
"""Names of the stages as a user reads them."""

AHEAD = 3
"""Items that wait between two threads: enough to even out jitter, few enough to bound memory."""


class Painter(Protocol):
    """What paints, as far as the stages care."""

    def begin(self, batch: Array, /) -> Callable[[], Array]:
        """Begin to paint (N, H, W, 3) RGB pictures, 0-255; what comes back waits for as many."""

    def choose(self, shares: Sequence[float], /) -> None:
        """From now on, begin with so much of each style; for a style on a schedule only."""


class Blender(Protocol):
    """What holds a painting still; its two methods run in a thread each."""

    def observe(self, frame: Array, /) -> Observation:
        """Look how the next (H, W, 3) frame has moved."""

    def hold(self, seen: Observation, painted: Array, changed: float | None, /) -> Array:
        """The steady form of `painted` (H, W, 3) RGB, 0-255, of what was seen.

        `changed` is how much of the style has changed so far, see `Schedule.changed`; None where
        it has no schedule.
        """


@dataclass(frozen=True)
class Pipeline:
    """What frames pass on their way from decoder to encoder, and how."""

    painter: Painter
    blender: Blender | None
    """None takes frames as they are painted."""
    finish: Finish = field(default_factory=Finish)
    bars: Bars = field(default_factory=Bars)
    """They stay black; what is painted, followed and held is what lies between them."""
    batch: int = 1
    """Frames that are painted at a time; the painter always gets this many."""
    ops: Ops = field(default_factory=OpenCvOps)
    """Of the arrays that the painter and the blender take and give."""
    schedule: Schedule | None = None
    """How the style changes; frames that are painted at a time are painted alike."""
    canvas: Size | None = None
    """Height and width in which frames are followed, painted and held; None takes their own."""
    seconds: Callable[[Frame], float] = lambda _: 0.0
    """When a frame is shown, by the schedule's clock."""


def painted(
    frames: Iterable[Frame], pipeline: Pipeline, watch: Stopwatch, crew: Crew
) -> Iterator[Frame]:
    """The frames, painted, in order.

    Making them, following their motion, painting and steadying have a thread each. While a group
    is painted, the next one gathers.
    """
    group = max(AHEAD, pipeline.batch)
    seen = crew.ahead(_observe(crew.ahead(frames, AHEAD), pipeline, watch), group)
    paintings = crew.ahead(_paint(seen, pipeline, watch), group)
    return crew.ahead(_steady(paintings, pipeline, watch), AHEAD)


def _observe(
    frames: Iterable[Frame], pipeline: Pipeline, watch: Stopwatch
) -> Generator[Watched, None, None]:
    for frame in frames:
        picture = pipeline.ops.array(pipeline.bars.cut(frame.image))
        if pipeline.canvas is not None:
            picture = pipeline.ops.resized(picture, pipeline.canvas, "area")
        if pipeline.blender is None:
            yield frame, picture, None
            continue
        with watch.timing(FOLLOWING):
            observation = pipeline.blender.observe(picture)
        yield frame, picture, observation


def _paint(
    frames: Iterator[Watched], pipeline: Pipeline, watch: Stopwatch
) -> Generator[tuple[Watched, Array], None, None]:
    # No core is to idle at the end of a group, so the next one is begun before that is waited for.
    # Some engines paint when they begin, others when they are waited for: each has its own time.
    for group, finished in _one_late(_begun(frames, pipeline, watch)):
        with watch.timing(worker(PAINTING, 1)):
            paintings = finished()
        yield from zip(group, paintings, strict=False)


def _begun(
    frames: Iterator[Watched], pipeline: Pipeline, watch: Stopwatch
) -> Iterator[tuple[list[Watched], Callable[[], Array]]]:
    while group := list(islice(frames, pipeline.batch)):
        # The last group is filled up: one shape means one plan, and one way of rounding.
        if pipeline.schedule is not None:
            pipeline.painter.choose(pipeline.schedule.at(pipeline.seconds(group[0][0])))
        pictures = [picture for _, picture, _ in group]
        filler = [pictures[-1]] * (pipeline.batch - len(group))
        with watch.timing(worker(PAINTING, 0)):
            finished = pipeline.painter.begin(pipeline.ops.stacked(pictures + filler))
        yield group, finished


def _one_late(items: Iterable[T]) -> Iterator[T]:
    """Each item when the next has been made, or there is none."""
    waiting: list[T] = []
    for item in items:
        yield from waiting
        waiting = [item]
    yield from waiting


def _steady(
    paintings: Iterable[tuple[Watched, Array]], pipeline: Pipeline, watch: Stopwatch
) -> Generator[Frame, None, None]:
    for (frame, _, seen), painting in paintings:
        with watch.timing(STEADYING):
            steady = painting
            if pipeline.blender is not None and seen is not None:
                steady = pipeline.blender.hold(seen, painting, _changed(frame, pipeline))
            part = pipeline.bars.cut(frame.image)
            if pipeline.canvas is not None:
                steady = pipeline.ops.resized(steady, part.shape[:2], "cubic")
            finished = pipeline.finish(part, pipeline.ops.host(steady))
            image = pipeline.bars.filled(frame.image, finished)
        yield replace(frame, image=image)


def _changed(frame: Frame, pipeline: Pipeline) -> float | None:
    # One round more after each change: what had its turn before the end is of a style in between.
    return pipeline.schedule.changed(pipeline.seconds(frame), ROUND) if pipeline.schedule else None
