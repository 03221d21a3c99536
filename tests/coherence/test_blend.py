"""The blend follows motion, forgets at cuts and leaves still pictures alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.coherence.blend import Steadier
from vidstyle.metrics.detail import detail

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


def grain(frame: np.ndarray, seed: int) -> np.ndarray:
    """A camera's noise."""
    noise = np.random.default_rng(seed).normal(0, 2, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def test_a_still_scene_keeps_its_paint_however_the_painter_flickers() -> None:
    steadier, frame = Steadier(HEIGHT, WIDTH), texture(0)
    first = steadier.step(grain(frame, 100), paint(frame, 0))
    for i in range(1, 8):
        steady = steadier.step(grain(frame, 100 + i), paint(frame, i))
        flicker = np.square(steady.astype(float) - first).mean()
        assert flicker < 0.1 * np.square(paint(frame, i).astype(float) - first).mean()
        first = steady


def test_held_paint_does_not_blur_however_long_it_is_held() -> None:
    """A pan by half a pixel a frame: resampling blurs once, but not again in every frame."""
    wide = texture(1, 2 * HEIGHT, 2 * WIDTH + 80)
    steadier, details = Steadier(HEIGHT, WIDTH), []
    for i in range(24):
        window = wide[:, i : i + 2 * WIDTH]
        frame = cv2.resize(window, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        painted = paint(frame, i, grain=20)
        details.append(detail(steadier.step(frame, painted)))
    assert min(details[12:]) > 0.8 * min(details[2:8])


def test_a_slow_change_of_light_is_followed() -> None:
    steadier, frame = Steadier(HEIGHT, WIDTH), texture(0)
    for i in range(40):
        dimmed = (frame * (1 - i / 60)).astype(np.uint8)
        steady = steadier.step(dimmed, dimmed)
    assert abs(steady.mean() - dimmed.mean()) < 4


def test_nothing_is_left_behind_by_a_thing_that_passes() -> None:
    ground, thing = texture(0), 255 - texture(3)
    steadier = Steadier(HEIGHT, WIDTH)
    for i in range(14):
        frame = ground.copy()
        left = 10 + 8 * i
        frame[40:80, left : left + 30] = thing[40:80, :30]
        painted = paint(frame, i, grain=3)
        steady = steadier.step(frame, painted)
    wake = np.s_[44:76, 12 : left - 8]
    assert np.abs(steady[wake].astype(float) - painted[wake]).mean() < 12


def test_more_consistency_is_steadier() -> None:
    frame, errors = texture(0), []
    for consistency in (0.0, 0.3, 0.6, 1.0):
        steadier = Steadier(HEIGHT, WIDTH, consistency)
        clip = [steadier.step(grain(frame, i), paint(frame, i)).astype(float) for i in range(5)]
        errors.append(np.square(clip[-1] - clip[-2]).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.2 * errors[0]


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (17, 33), (61, 45)])
def test_frames_of_any_size_are_held(size: tuple[int, int]) -> None:
    steadier = Steadier(*size)
    for i in range(3):
        frame = texture(i // 2, *size)
        assert steadier.step(frame, paint(frame, i)).shape == frame.shape


def test_a_forgotten_clip_starts_anew() -> None:
    frame = texture(0)
    steadier = Steadier(HEIGHT, WIDTH)
    steadier.step(frame, paint(frame, 0))
    steadier.reset()
    other = paint(frame, 1)
    assert np.array_equal(steadier.step(frame, other), other)


def test_a_long_pan_by_parts_of_pixels_neither_blurs_nor_sharpens() -> None:
    """Paint that is fetched from what was fetched before would do one or the other."""
    count, step = 60, 0.5
    source = texture(4, width=WIDTH + 60)
    strokes = cv2.GaussianBlur(paint(np.full_like(source, 128), 7, 90.0), (0, 0), 1.2)
    steadier = Steadier(HEIGHT, WIDTH)
    for i in range(count):
        shift = np.array([[1, 0, -step * i], [0, 1, 0]], np.float32)
        frame, painted = (
            cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LANCZOS4)
            for wide in (source, strokes)
        )
        steady = steadier.step(frame, painted)
    inner = np.s_[20:-20, 20:-50]
    assert 0.85 < detail(steady[inner]) / detail(painted[inner]) < 1.2


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_saved_memory_goes_on_to_the_very_same_pictures(tmp_path: Path, after: int) -> None:
    """Sizes are odd, and more frames go by than the memory has room for."""
    frames = [frame[:-1, :-1].copy() for frame in pan(14)]
    frames[7:] = [255 - frame for frame in frames[7:]]  # a cut
    paintings = [paint(frame, i) for i, frame in enumerate(frames)]
    one, other = (Steadier(HEIGHT - 1, WIDTH - 1) for _ in range(2))
    for pair in zip(frames[:after], paintings[:after], strict=True):
        one.step(*pair)
    with (tmp_path / "memory").open("wb") as file:
        one.save(file)
    with (tmp_path / "memory").open("rb") as file:
        other.load(file)
    for pair in zip(frames[after:], paintings[after:], strict=True):
        assert np.array_equal(one.step(*pair), other.step(*pair))


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"x" + b[1:]])
def test_a_damaged_memory_is_refused(harm: Callable[[bytes], bytes]) -> None:
    steadier, file = Steadier(HEIGHT, WIDTH), io.BytesIO()
    steadier.step(texture(0), paint(texture(0), 0))
    steadier.save(file)
    with pytest.raises(ValueError, match="memory of the blend"):
        Steadier(HEIGHT, WIDTH).load(io.BytesIO(harm(file.getvalue())))


def test_motion_may_be_observed_ahead_of_the_painting() -> None:
    frames = pan(5)
    together, apart = Steadier(HEIGHT, WIDTH), Steadier(HEIGHT, WIDTH)
    ahead = [apart.observe(frame) for frame in frames]
    for frame, seen in zip(frames, ahead, strict=True):
        assert np.array_equal(apart.hold(seen, 255 - frame), together.step(frame, 255 - frame))
