"""Paint goes where its input has changed, where it was stretched, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.coherence.change import change
from vidstyle.coherence.memory import Recollection
from vidstyle.motion.ops import open_ops

SIZE = (48, 64)
GREY = np.full((*SIZE, 3), 100, np.uint8)


def found(
    device: str | None,
    frame: np.ndarray = GREY,
    source: np.ndarray = GREY,
    distortion: float = 1,
    lost: bool = False,
) -> np.ndarray:
    """How much of the paint goes, pixel by pixel, where `source` is what it was painted from."""
    ops, _ = open_ops(*SIZE, device)
    planes = np.full(SIZE, distortion, np.float32), np.full(SIZE, lost)
    memory = Recollection(*map(ops.array, (source, source, *planes)))
    return ops.host(change(ops.array(frame), memory, ops))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("levels", "gone"), [(0, 0), (3, 0), (4, 1 / 3), (5, 2 / 3), (6, 1), (40, 1)]
)
def test_paint_departs_from_3_levels_and_is_gone_at_6(
    levels: int, gone: float, sign: int, device: str | None
) -> None:
    """In one channel: no other has to change."""
    frame = GREY + np.array((0, sign * levels, 0))
    assert found(device, frame.astype(np.uint8)) == pytest.approx(gone, abs=1e-3)


@pytest.mark.parametrize(
    ("distortion", "gone"), [(1, 0), (1.25, 0), (1.625, 0.5), (2, 1), (100, 1)]
)
def test_paint_departs_as_it_is_stretched_and_is_gone_at_twice_its_size(
    distortion: float, gone: float, device: str | None
) -> None:
    assert found(device, distortion=distortion) == pytest.approx(gone, abs=1e-3)


def test_what_is_lost_is_painted_anew(device: str | None) -> None:
    assert found(device, lost=True) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (-1, -1)])
def test_a_motion_that_is_wrong_by_a_pixel_costs_no_paint(
    shift: tuple[int, int], device: str | None
) -> None:
    source = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    inner = np.s_[5:-5, 5:-5]
    assert found(device, np.roll(source, shift, (0, 1)), source)[inner].max() < 1e-3
    assert found(device, np.roll(source, (3, 3), (0, 1)), source)[inner].mean() > 0.5


def test_a_thin_thing_that_has_gone_is_missed(device: str | None) -> None:
    line = GREY.copy()
    line[24] = 160
    assert found(device, GREY, line)[24].min() > 0.5
