"""The blend follows motion, forgets at cuts and leaves still pictures alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.coherence.blend import Steadier

HEIGHT, WIDTH = 120, 160


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def paint(frame: np.ndarray, seed: int, grain: float = 25.0) -> np.ndarray:
    """A painter who never paints a picture twice the same."""
    noise = np.random.default_rng(seed).normal(0, grain, frame.shape)
    return np.clip(255.0 - frame + noise, 0, 255).astype(np.uint8)


def pan(count: int, step: int = 3) -> list[np.ndarray]:
    wide = texture(1, width=WIDTH + step * count)
    return [wide[:, step * i : step * i + WIDTH].copy() for i in range(count)]


def test_a_static_clip_stays_exactly_static() -> None:
    frame = texture(0)
    painted = paint(frame, 0)
    steadier = Steadier(HEIGHT, WIDTH)
    for _ in range(5):
        assert np.array_equal(steadier.step(frame, painted), painted)


def test_no_consistency_leaves_frames_as_painted() -> None:
    steadier = Steadier(HEIGHT, WIDTH, 0.0)
    for i, frame in enumerate(pan(4)):
        painted = paint(frame, i)
        assert np.array_equal(steadier.step(frame, painted), painted)


def test_an_integer_pan_is_followed() -> None:
    step = 3
    steadier = Steadier(HEIGHT, WIDTH)
    last = None
    for i, frame in enumerate(pan(6, step)):
        painted = paint(frame, i)
        steady = steadier.step(frame, painted)
        if last is not None:
            inner = np.s_[10:-10, 10 : -10 - step]
            moved = np.roll(last[0], -step, axis=1)[inner].astype(float)
            raw = np.roll(last[1], -step, axis=1)[inner].astype(float)
            before = np.square(raw - painted[inner]).mean()
            assert np.square(moved - steady[inner]).mean() < 0.6 * before
        last = (steady, painted)


def test_a_cut_resets_the_memory() -> None:
    steadier = Steadier(HEIGHT, WIDTH)
    steadier.step(texture(0), paint(texture(0), 0))
    other = paint(texture(5), 1)
    assert np.array_equal(steadier.step(texture(5), other), other)


@pytest.mark.parametrize("consistency", [-0.1, 1.5])
def test_consistency_out_of_range_is_refused(consistency: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Steadier(HEIGHT, WIDTH, consistency)
