"""What is remembered lies where the picture moved, and knows how far it was stretched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from vidstyle.coherence.memory import Memory
from vidstyle.motion.ops import Ops, Size, open_ops

SIZE, HALF = (96, 128), (48, 64)
NOWHERE = np.zeros(HALF, bool)


def noise(size: Size, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


class Remembered:
    """A memory that is given NumPy's arrays and gives them back, wherever it computes."""

    def __init__(self, device: str | None, size: Size = SIZE, half: Size = HALF) -> None:
        self.ops: Ops = open_ops(*size, device)[0]
        self.half, self.memory = half, Memory(size, half, self.ops)

    def store(
        self,
        painted: np.ndarray,
        touched: np.ndarray | None = None,
        source: np.ndarray | None = None,
    ) -> None:
        """All of it is new, or what is touched alone; the input is black where none is given."""
        touched = np.ones(self.half, bool) if touched is None else touched
        source = np.zeros((*self.half, 3), np.uint8) if source is None else source
        arrays = (painted, source, touched.astype(np.float32), touched)
        self.memory.store(*map(self.ops.array, arrays))

    def follow(self, flow: Sequence[float] | np.ndarray, hidden: np.ndarray | None = None) -> None:
        """A motion of everything (x, y), or a flow."""
        field = np.broadcast_to(np.asarray(flow, np.float32), (*self.half, 2)).copy()
        hidden = np.zeros(self.half, bool) if hidden is None else hidden
        self.memory.follow(self.ops.array(field), self.ops.array(hidden))

    def recall(self, part: str) -> np.ndarray:
        return self.ops.host(getattr(self.memory.recall(), part))


@pytest.mark.parametrize(
    ("size", "half", "motion", "moved"),
    [
        (SIZE, HALF, (3, 0), (6, 0)),
        (SIZE, HALF, (-3, 0), (-6, 0)),
        (SIZE, HALF, (0, 2), (0, 4)),
        (SIZE, HALF, (2, -3), (4, -6)),
        # The flow is never found on fewer than 32 rows: here that is more than half of them.
        ((40, 128), (32, 64), (4, 0), (8, 0)),
        ((40, 128), (32, 64), (0, 4), (0, 5)),
    ],
)
def test_paint_and_its_input_lie_where_the_picture_moved(
    size: Size,
    half: Size,
    motion: tuple[int, int],
    moved: tuple[int, int],
    device: str | None,
) -> None:
    remembered, painted, source = Remembered(device, size, half), noise(size), noise(half, seed=1)
    remembered.store(painted, source=source)
    remembered.follow(motion)
    inner = np.s_[8:-8, 8:-8]
    for part, picture, (x, y) in (("painted", painted, moved), ("source", source, motion)):
        wanted = np.roll(picture, (-y, -x), axis=(0, 1))
        assert np.array_equal(remembered.recall(part)[inner], wanted[inner])


def test_paint_goes_on_with_its_motion_when_other_paint_is_stored_beside_it(
    device: str | None,
) -> None:
    """At its borders, too: there the motions of the two must not be averaged."""
    remembered, first = Remembered(device), noise(SIZE)
    remembered.store(first)
    remembered.follow((4, 0))
    left = NOWHERE.copy()
    left[:, :32] = True
    second = noise(SIZE, seed=1)
    remembered.store(second, left)
    found = remembered.recall("painted")
    assert np.array_equal(found[:, :64], second[:, :64])
    assert np.array_equal(found[:, 64:-8], first[:, 72:])


def test_a_place_that_is_used_again_holds_the_new_paint_alone(device: str | None) -> None:
    remembered = Remembered(device)
    for seed in range(4):
        remembered.follow((2, 1))
        painted = noise(SIZE, seed)
        remembered.store(painted)
        assert np.array_equal(remembered.recall("painted"), painted)


@pytest.mark.parametrize("motion", [(0, -0.3), (0, 0.3)])
def test_at_the_border_other_pictures_do_not_show_through(
    motion: tuple[float, float], device: str | None
) -> None:
    """All pictures lie in one, below each other; those that hold nothing are black."""
    remembered = Remembered(device)
    white, half = (np.full((*size, 3), 255, np.uint8) for size in (SIZE, HALF))
    remembered.store(white, source=half)
    remembered.follow(motion)
    assert remembered.recall("painted").min() == 255
    assert remembered.recall("source").min() == 255


def test_what_was_hidden_is_lost_and_two_pixels_around_it(device: str | None) -> None:
    remembered = Remembered(device)
    remembered.store(noise(SIZE))
    hidden, lost = NOWHERE.copy(), NOWHERE.copy()
    hidden[20, 30] = lost[18:23, 28:33] = True
    remembered.follow((0, 0), hidden)
    assert np.array_equal(remembered.recall("lost"), lost)


@pytest.mark.parametrize(
    ("motions", "lost"),
    [
        ([(4, 0)], np.s_[:, 58:]),
        ([(0, -4)], np.s_[:6]),
        ([(4, 0), (4, 0)], np.s_[:, 54:]),
        ([(0, -4), (0, -4)], np.s_[:10]),
    ],
)
def test_what_comes_into_the_picture_is_lost_and_two_pixels_beside_it(
    motions: list[tuple[int, int]], lost: tuple[slice, ...], device: str | None
) -> None:
    remembered, wanted = Remembered(device), NOWHERE.copy()
    remembered.store(noise(SIZE))
    for motion in motions:
        remembered.follow(motion)
    wanted[lost] = True
    assert np.array_equal(remembered.recall("lost"), wanted)


def test_what_has_left_the_picture_is_lost_though_it_comes_back(device: str | None) -> None:
    remembered, wanted = Remembered(device), NOWHERE.copy()
    remembered.store(noise(SIZE))
    remembered.follow((10, 0))
    remembered.follow((-4, 0))
    wanted[:, :6] = True  # came back
    wanted[:, 56:] = True  # has come in
    assert np.array_equal(remembered.recall("lost"), wanted)


STILL, QUARTER_TURN = np.eye(2), np.array([[0, -1], [1, 0]])
TILT = np.array([[0.866, -0.5], [0.5, 0.866]])
WIDER, NARROWER = np.diag([1.5, 1]), np.diag([1 / 1.5, 1])


@pytest.mark.parametrize(
    ("steps", "distortion"),
    [
        ([STILL], 1),
        ([QUARTER_TURN], 1),
        ([TILT], 1),
        ([1.5 * STILL], 1.5),
        ([STILL / 1.5], 1.5),
        ([WIDER], 1.5),
        ([NARROWER], 1.5),
        ([WIDER, WIDER], 1.5**2),
        ([WIDER, NARROWER], 1),
        # A turn between them: wider one way, and then the other.
        ([WIDER, QUARTER_TURN @ WIDER], 1.5),
    ],
)
def test_paint_knows_how_far_it_was_stretched_or_squeezed(
    steps: list[np.ndarray], distortion: float, device: str | None
) -> None:
    """Each step is how the places around the middle lie in the frame before."""
    remembered = Remembered(device)
    remembered.store(noise(SIZE))
    for step in steps:
        remembered.follow(around_the_middle(step))
    middle = remembered.recall("distortion")[22:26, 30:34]
    assert middle == pytest.approx(distortion, rel=0.02)


def test_new_paint_is_not_stretched(device: str | None) -> None:
    remembered = Remembered(device)
    remembered.store(noise(SIZE))
    remembered.follow(around_the_middle(1.5 * STILL))
    remembered.store(noise(SIZE))
    assert remembered.recall("distortion") == pytest.approx(1)


def test_how_far_it_was_stretched_moves_with_the_paint(device: str | None) -> None:
    remembered = Remembered(device)
    remembered.store(noise(SIZE))
    rise = np.clip(np.arange(64) - 28, 0, 8)  # from column 28 to 36, each goes one farther
    remembered.follow(np.stack((np.broadcast_to(rise, HALF), np.zeros(HALF)), axis=-1))
    remembered.follow((16, 0))
    row = remembered.recall("distortion")[24]
    assert row[14:18].min() > 1.5
    assert row[28:36].max() < 1.2


def around_the_middle(matrix: np.ndarray) -> np.ndarray:
    """The flow that leads every place p to matrix @ p, from the middle."""
    rows, columns = np.mgrid[: HALF[0], : HALF[1]]
    places = np.stack((columns - 31.5, rows - 23.5), axis=-1)
    return places @ (matrix - np.eye(2)).T
