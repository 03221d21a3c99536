"""Whose turn it is while the style changes: everyone's, equally often, never all at once."""

import numpy as np
import pytest

from vidstyle.coherence.blend import Steadier
from vidstyle.coherence.turns import Turns

FRAMES = 500


@pytest.fixture(scope="module")
def due() -> list[np.ndarray]:
    """Where paint gives way in each frame while one style becomes another."""
    turns = Turns(180, 320)
    found = [turns.advance((k + 1) / FRAMES) for k in range(FRAMES)]
    return [plane for plane in found if plane is not None]


def test_everyone_takes_as_many_turns(due: list[np.ndarray]) -> None:
    taken = np.sum(due, axis=0)
    assert len(due) == FRAMES
    assert (taken.min(), taken.max()) == (12, 12)


def test_few_at_a_time(due: list[np.ndarray]) -> None:
    shares = [plane.mean() for plane in due]
    assert np.mean(shares) == pytest.approx(12 / FRAMES)
    assert max(shares) < 0.06


def test_nobody_while_nothing_changes() -> None:
    turns = Turns(60, 80)
    assert turns.advance(0.0) is None
    assert turns.advance(0.3) is not None
    assert turns.advance(0.3) is None


@pytest.mark.parametrize(("changed", "gives_way"), [(0.0, False), (1.0, True)])
def test_kept_paint_gives_way_to_a_changing_style(changed: float, gives_way: bool) -> None:
    frame, old, new = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3)).astype(np.uint8)
    steadier = Steadier(64, 96)
    steadier.step(frame, old)
    held = steadier.hold(steadier.observe(frame), new, changed)
    assert np.array_equal(held, new) == gives_way
