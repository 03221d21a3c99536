"""The pipeline between decoder and encoder, with painters and blenders that are easy to predict."""

import math
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.coherence.blend import Observation
from vidstyle.errors import ResourceError
from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.painting.stages import (
    ENCODING,
    JOINING,
    PAINTING,
    STEADYING,
    Pipeline,
    painted,
)
from vidstyle.jobs.painting.stopwatch import Stopwatch, Watchdog, busiest, by_stage, worker
from vidstyle.jobs.prefetch import POLL, Crew
from vidstyle.stylizers.mixture import Schedule
from vidstyle.types import Frame

Image = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Inverter:
    """Paints the negative; remembers how it was asked."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def begin(self, batch: Image) -> Callable[[], Image]:
        self.shapes.append(batch.shape)
        return lambda: 255 - batch


class Halver:
    """A blender that darkens, and checks that the frame it gets belongs to the painting."""

    def observe(self, frame: Image) -> Observation:
        return Observation(frame, None, None)

    def hold(self, seen: Observation, painted: Image, changed: float) -> Image:
        assert (255 - seen.half == painted).all()
        return painted // 2


def frames(count: int, start: int = 0) -> Iterator[Frame]:
    """The number, beside stripes: a frame that shows nothing would not be painted."""
    for number in range(start, start + count):
        image = np.full((4, 6, 3), number % 256, np.uint8)
        image[:, 1::2] ^= 128
        yield Frame(image, pts=10 * number, duration=10)


def run(count: int, pipeline: Pipeline) -> list[Frame]:
    with Crew() as crew:
        return list(painted(frames(count), pipeline, Stopwatch(), crew))


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 16])
def test_every_frame_comes_out_once_in_order_with_its_time(count: int, batch: int) -> None:
    out = run(count, Pipeline(Inverter(), None, batch=batch))
    assert [(f.pts, f.duration) for f in out] == [(10 * n, 10) for n in range(count)]
    assert [int(f.image[0, 0, 0]) for f in out] == [255 - n for n in range(count)]


def test_the_painter_always_gets_the_same_shape() -> None:
    inverter = Inverter()
    run(7, Pipeline(inverter, None, batch=3))
    assert inverter.shapes == [(3, 4, 6, 3)] * 3


def test_a_group_is_begun_before_the_one_ahead_is_waited_for() -> None:
    told: list[str] = []

    class Chatty:
        def begin(self, batch: Image) -> Callable[[], Image]:
            told.append(f"begin {batch[0, 0, 0, 0]}")

            def finished() -> Image:
                told.append(f"wait {batch[0, 0, 0, 0]}")
                return batch

            return finished

    run(3, Pipeline(Chatty(), None))
    assert told == ["begin 0", "begin 1", "wait 0", "begin 2", "wait 1", "wait 2"]


def test_the_blender_works_on_the_painting_before_it_is_mixed() -> None:
    out = run(5, Pipeline(Inverter(), Halver(), finish=Finish(0.5)))
    for number, frame in enumerate(out):
        steady = (255 - number) // 2
        assert abs(int(frame.image[0, 0, 0]) - (number + steady) / 2) <= 0.5


def test_a_canvas_is_what_is_followed_painted_and_held() -> None:
    """And frames are as large as ever."""
    inverter = Inverter()
    out = run(3, Pipeline(inverter, Halver(), canvas=(2, 3)))
    assert inverter.shapes == [(1, 2, 3, 3)] * 3
    for number, frame in enumerate(out):
        assert frame.image.shape == (4, 6, 3)
        mean = (number + (number ^ 128)) // 2  # of a dark and a light stripe
        assert abs(int(frame.image[1, 2, 0]) - (255 - mean) // 2) <= 1


def test_strength_zero_gives_the_input() -> None:
    out = run(5, Pipeline(Inverter(), Halver(), finish=Finish(0.0)))
    for given_frame, frame in zip(frames(5), out, strict=True):
        assert (given_frame.image == frame.image).all()


SCHEDULE = Schedule((0.0, 10.0), ((1.0, 0.0), (0.0, 1.0)))


def test_a_batch_is_painted_in_the_style_that_its_first_frame_has() -> None:
    class Chooser(Inverter):
        def __init__(self) -> None:
            super().__init__()
            self.chosen: list[Sequence[float]] = []

        def choose(self, shares: Sequence[float]) -> None:
            self.chosen.append(shares)

    chooser = Chooser()
    run(
        7, Pipeline(chooser, None, batch=3, schedule=SCHEDULE, seconds=lambda frame: frame.pts / 10)
    )
    assert chooser.chosen == [SCHEDULE.at(seconds) for seconds in (0, 3, 6)]


@pytest.mark.parametrize("schedule", [None, SCHEDULE])
def test_the_blender_knows_how_far_the_style_has_changed(schedule: Schedule | None) -> None:
    told: list[float | None] = []

    class Listener(Halver):
        def hold(self, seen: Observation, painted: Image, changed: float | None) -> Image:
            told.append(changed)
            return painted

    class Indifferent(Inverter):
        def choose(self, shares: Sequence[float]) -> None:
            pass

    seconds = [0.0, 4.0, 9.0]
    pipeline = Pipeline(
        Indifferent(),
        Listener(),
        schedule=schedule,
        seconds=lambda frame: seconds[frame.pts // 10],
    )
    run(3, pipeline)
    assert told == pytest.approx([0, 0.4, 0.9]) if schedule else told == [None] * 3


class Fault(Exception):
    pass


class FailingPainter:
    def begin(self, batch: Image) -> Callable[[], Image]:
        def finished() -> Image:
            if (batch == 3).any():
                raise Fault("painter")
            return batch

        return finished


class FailingBlender(Halver):
    def hold(self, seen: Observation, painted: Image, changed: float) -> Image:
        if (seen.half == 3).any():
            raise Fault("blender")
        return painted


class FailingObserver(Halver):
    def observe(self, frame: Image) -> Observation:
        if (frame == 3).any():
            raise Fault("observer")
        return super().observe(frame)


def failing_frames() -> Iterator[Frame]:
    yield from frames(3)
    raise Fault("decoder")


@pytest.mark.parametrize(
    ("source", "pipeline", "where", "before"),
    [
        # What was begun last is given up with the stages before it.
        (failing_frames(), Pipeline(Inverter(), None), "decoder", 2),
        (frames(9), Pipeline(Inverter(), FailingObserver()), "observer", 2),
        (frames(9), Pipeline(FailingPainter(), None), "painter", 3),
        (frames(9), Pipeline(Inverter(), FailingBlender()), "blender", 3),
    ],
)
def test_a_fault_in_any_stage_reaches_the_encoder(
    source: Iterator[Frame], pipeline: Pipeline, where: str, before: int
) -> None:
    got = []
    with pytest.raises(Fault, match=where), Crew() as crew:
        for frame in painted(source, pipeline, Stopwatch(), crew):
            got.append(frame.pts)
    assert got == [0, 10, 20][:before]


@pytest.mark.parametrize("error", [Fault(), KeyboardInterrupt()])
def test_a_fault_in_the_encoder_closes_the_decoder(error: BaseException) -> None:
    closed = threading.Event()

    def endless() -> Iterator[Frame]:
        try:
            yield from frames(10**9)
        finally:
            closed.set()

    def encode(stream: Iterator[Frame]) -> None:
        for frame in stream:
            if frame.pts == 50:
                raise error

    source = endless()  # held here, so that nobody but the pipeline can have closed it
    with pytest.raises(type(error)), Crew() as crew:
        encode(painted(source, Pipeline(Inverter(), None), Stopwatch(), crew))
    assert closed.is_set()


def test_memory_does_not_grow_with_the_clip() -> None:
    alive: list[weakref.ref[Image]] = []

    def watched() -> Iterator[Frame]:
        for frame in frames(200):
            alive.append(weakref.ref(frame.image))
            yield frame

    most = 0
    with Crew() as crew:
        for _ in painted(watched(), Pipeline(Inverter(), None), Stopwatch(), crew):
            most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 20


def test_the_stages_are_timed_apart() -> None:
    watch = Stopwatch()

    class Slow(Inverter):
        def begin(self, batch: Image) -> Callable[[], Image]:
            threading.Event().wait(0.01)
            return super().begin(batch)

    with Crew() as crew:
        for _ in painted(frames(5), Pipeline(Slow(), None), watch, crew):
            with watch.timing(ENCODING):
                pass
    assert by_stage(watch.busy)[PAINTING] >= 0.05
    assert busiest(watch.busy) == PAINTING
    assert by_stage(watch.busy)[STEADYING] < by_stage(watch.busy)[PAINTING]


def test_nothing_limits_before_anything_is_busy() -> None:
    assert busiest({}) is None


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """A stopwatch and its dog, and a way to let time pass with a look every now and then."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.watch = Stopwatch(self.clock)
        self.dog = Watchdog(self.watch, self.clock)

    def wait(self, seconds: float, *, sign_every: float = math.inf) -> None:
        for number in range(round(seconds / POLL)):
            self.clock.seconds += POLL
            self.dog.look(number * POLL // sign_every)

    def work(self, seconds: float, stage: str = PAINTING) -> None:
        with self.watch.timing(stage):
            self.wait(seconds)


def test_a_stage_without_progress_for_a_minute_is_named() -> None:
    room = Watched()
    room.work(1.0)
    room.work(59.0)
    with pytest.raises(ResourceError, match="painting hangs: no progress for 590 s"):
        room.work(592.0)


def test_quick_stages_have_a_minute_nevertheless() -> None:
    room = Watched()
    room.work(0.25)
    room.work(60.0)
    room = Watched()
    room.work(0.25)
    with pytest.raises(ResourceError, match="painting hangs"):
        room.work(61.0)


def test_the_first_frame_has_five_minutes() -> None:
    Watched().work(300.0)
    with pytest.raises(ResourceError, match="painting hangs"):
        Watched().work(301.0)


def test_the_first_frame_has_five_minutes_when_it_was_begun_at_once() -> None:
    room = Watched()

    class Late:
        def begin(self, batch: Image) -> Callable[[], Image]:
            def finished() -> Image:
                room.wait(299.0)
                return batch

            return finished

    with Crew() as crew:
        assert len(list(painted(frames(1), Pipeline(Late(), None), room.watch, crew))) == 1
    assert busiest(room.watch.busy) == PAINTING


def test_a_stage_that_waits_for_others_does_not_hang() -> None:
    room = Watched()
    room.work(1.0)
    with room.watch.timing(ENCODING), room.watch.waiting(ENCODING):
        room.wait(1000.0)


def test_a_stage_that_gives_signs_does_not_hang() -> None:
    room = Watched()
    with room.watch.timing(JOINING):
        room.wait(1000.0, sign_every=299.0)
    with pytest.raises(ResourceError, match="joining hangs"), room.watch.timing(JOINING):
        room.wait(20_000.0, sign_every=11_000.0)


def test_a_process_that_was_stopped_for_hours_does_not_hang() -> None:
    room = Watched()
    room.work(1.0)
    with room.watch.timing(PAINTING):
        room.wait(5.0)
        room.clock.seconds += 36_000
        room.wait(5.0)


def test_waiting_is_not_the_time_of_the_stage() -> None:
    room = Watched()
    with room.watch.timing(ENCODING):
        room.clock.seconds += 3
        with room.watch.waiting(ENCODING):
            room.clock.seconds += 100
        room.clock.seconds += 2
    assert room.watch.busy == {ENCODING: 5}
    assert room.watch.slowest == {ENCODING: 3}


def test_of_threads_that_share_a_stage_the_busiest_counts() -> None:
    """Two encoders that each work half of the time limit nothing."""
    busy = {PAINTING: 3.0, worker(ENCODING, 0): 2.0, worker(ENCODING, 1): 2.5}
    assert by_stage(busy) == {PAINTING: 3.0, ENCODING: 2.5}
    assert busiest(busy) == PAINTING
