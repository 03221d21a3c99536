"""The pipeline between decoder and encoder, with painters and blenders that are easy to predict."""

import threading
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from vidstyle.jobs.stages import ENCODING, PAINTING, STEADYING, Brush, mix, painted
from vidstyle.jobs.stopwatch import Stopwatch, busiest
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

    def paint(self, batch: Image) -> Image:
        self.shapes.append(batch.shape)
        return 255 - batch


class Halver:
    """A blender that darkens, and checks that the frame it gets belongs to the painting."""

    def step(self, frame: Image, painted: Image) -> Image:
        assert (255 - frame == painted).all()
        return painted // 2


def frames(count: int, start: int = 0) -> Iterator[Frame]:
    for number in range(start, start + count):
        yield Frame(np.full((4, 6, 3), number % 256, np.uint8), pts=10 * number, duration=10)


def run(count: int, brush: Brush) -> list[Frame]:
    with painted(frames(count), brush, Stopwatch()) as stream:
        return list(stream)


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 16])
def test_every_frame_comes_out_once_in_order_with_its_time(count: int, batch: int) -> None:
    out = run(count, Brush(Inverter(), None, batch=batch))
    assert [(f.pts, f.duration) for f in out] == [(10 * n, 10) for n in range(count)]
    assert [int(f.image[0, 0, 0]) for f in out] == [255 - n for n in range(count)]


def test_the_painter_always_gets_the_same_shape() -> None:
    inverter = Inverter()
    run(7, Brush(inverter, None, batch=3))
    assert inverter.shapes == [(3, 4, 6, 3)] * 3


def test_the_blender_works_on_the_painting_before_it_is_mixed() -> None:
    out = run(5, Brush(Inverter(), Halver(), strength=0.5))
    for number, frame in enumerate(out):
        steady = (255 - number) // 2
        assert abs(int(frame.image[0, 0, 0]) - (number + steady) / 2) <= 0.5


def test_strength_zero_gives_the_input() -> None:
    out = run(5, Brush(Inverter(), Halver(), strength=0.0))
    for given_frame, frame in zip(frames(5), out, strict=True):
        assert (given_frame.image == frame.image).all()


@given(arrays.arrays(np.uint8, (2, 2, 3)), arrays.arrays(np.uint8, (2, 2, 3)), st.floats(0, 1))
def test_mix_lies_between_its_ends(image: Image, painting: Image, strength: float) -> None:
    mixed = mix(image, painting, strength).astype(float)
    exact = (1 - strength) * image.astype(float) + strength * painting.astype(float)
    assert np.abs(mixed - exact).max() <= 0.5 + 255 / 512
    assert (mixed >= np.minimum(image, painting)).all()
    assert (mixed <= np.maximum(image, painting)).all()


def test_the_ends_of_mix_are_exact() -> None:
    image, painting = np.arange(256, dtype=np.uint8), np.arange(255, -1, -1, dtype=np.uint8)
    assert (mix(image, painting, 0.0) == image).all()
    assert (mix(image, painting, 1.0) == painting).all()


class Fault(Exception):
    pass


class FailingPainter:
    def paint(self, batch: Image) -> Image:
        if (batch == 3).all():
            raise Fault("painter")
        return batch


class FailingBlender:
    def step(self, frame: Image, painted: Image) -> Image:
        if (frame == 3).all():
            raise Fault("blender")
        return painted


def failing_frames() -> Iterator[Frame]:
    yield from frames(3)
    raise Fault("decoder")


@pytest.mark.parametrize(
    ("source", "brush", "where"),
    [
        (failing_frames(), Brush(Inverter(), None), "decoder"),
        (frames(9), Brush(FailingPainter(), None), "painter"),
        (frames(9), Brush(Inverter(), FailingBlender()), "blender"),
    ],
)
def test_a_fault_in_any_stage_reaches_the_encoder(
    source: Iterator[Frame], brush: Brush, where: str
) -> None:
    got = []
    with pytest.raises(Fault, match=where), painted(source, brush, Stopwatch()) as stream:
        for frame in stream:
            got.append(frame.pts)
    assert got == [0, 10, 20]


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
    with pytest.raises(type(error)), painted(source, Brush(Inverter(), None), Stopwatch()) as s:
        encode(s)
    assert closed.is_set()


def test_memory_does_not_grow_with_the_clip() -> None:
    alive: list[weakref.ref[Image]] = []

    def watched() -> Iterator[Frame]:
        for frame in frames(200):
            alive.append(weakref.ref(frame.image))
            yield frame

    most = 0
    with painted(watched(), Brush(Inverter(), None), Stopwatch()) as stream:
        for _ in stream:
            most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 20


def test_the_stages_are_timed_apart() -> None:
    watch = Stopwatch()

    class Slow(Inverter):
        def paint(self, batch: Image) -> Image:
            threading.Event().wait(0.01)
            return super().paint(batch)

    with painted(frames(5), Brush(Slow(), None), watch) as stream:
        for _ in stream:
            with watch.timing(ENCODING):
                pass
    assert watch.busy[PAINTING] >= 0.05
    assert busiest(watch.busy) == PAINTING
    assert watch.busy[STEADYING] < 0.05


def test_nothing_limits_before_anything_is_busy() -> None:
    assert busiest({}) is None
