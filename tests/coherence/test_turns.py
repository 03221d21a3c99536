"""Whose turn it is while the style changes: everyone's, equally often, never all at once."""

from io import BytesIO

import numpy as np
import pytest

from vidstyle.coherence.blend import Steadier
from vidstyle.coherence.turns import Turns

FRAMES = 500


@pytest.fixture(scope="module")
def due() -> list[np.ndarray]:
    """Where paint gives way in each frame while one style becomes another."""
    turns = Turns(180, 320)
    assert turns.advance(0).all()
    return [turns.advance((k + 1) / FRAMES) for k in range(FRAMES)]


def test_everyone_takes_as_many_turns(due: list[np.ndarray]) -> None:
    taken = np.sum(due, axis=0)
    assert (taken.min(), taken.max()) == (12, 12)


def test_few_at_a_time(due: list[np.ndarray]) -> None:
    shares = [plane.mean() for plane in due]
    assert np.mean(shares) == pytest.approx(12 / FRAMES)
    assert max(shares) < 0.06


def test_nobody_while_nothing_changes() -> None:
    turns = Turns(60, 80)
    turns.advance(0.3)
    assert not turns.advance(0.3).any()


@pytest.mark.parametrize(("changed", "shown"), [(0.0, "old"), (1.0, "new")])
def test_kept_paint_gives_way_to_a_changing_style(changed: float, shown: str) -> None:
    """Both paintings have the same broad colours: those follow the painter at once."""
    frame = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    stripes = np.where(np.arange(96) % 4 < 2, 90, 160).astype(np.uint8)
    old = np.broadcast_to(stripes[None, :, None], (64, 96, 3)).copy()
    paintings = {"old": old, "new": old[:, ::-1].copy()}
    steadier = Steadier(64, 96)
    steadier.hold(steadier.observe(frame), paintings["old"], 0.0)
    held = steadier.hold(steadier.observe(frame), paintings["new"], changed)
    away = {name: np.abs(held.astype(int) - p).mean() for name, p in paintings.items()}
    assert away.pop(shown) < 3
    assert min(away.values()) > 60


def test_what_was_changed_is_remembered() -> None:
    frame, old, new = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3)).astype(np.uint8)
    first, second = Steadier(64, 96), Steadier(64, 96)
    first.hold(first.observe(frame), old, 0.0)
    first.hold(first.observe(frame), new, 0.05)
    kept = BytesIO()
    first.save(kept)
    kept.seek(0)
    second.load(kept)
    third = [s.hold(s.observe(frame), 255 - new, 0.07) for s in (first, second)]
    assert np.array_equal(*third)
    assert not np.array_equal(third[0], 255 - new)
