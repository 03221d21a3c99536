"""Steadiness: closed forms of simple clips, laws, and the rendered sample with its true flow."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.metrics.detail import detail, high_band
from vidstyle.metrics.steadiness import (
    PairError,
    SourceMotion,
    error_map,
    pair_error,
    source_motions,
)

Image = NDArray[np.uint8]
Texture = Callable[..., Image]
Motion = Callable[..., SourceMotion]


def error(first: Image, second: Image, motion: SourceMotion) -> PairError:
    found = pair_error(first, second, motion)
    assert found is not None
    return found


def test_a_static_pair_has_no_error(texture: Texture, motion: Motion) -> None:
    assert error(texture(0), texture(0), motion()) == PairError(0, 0, 0)


@pytest.mark.parametrize("right", [4, -3])
def test_a_shift_with_its_true_flow_has_no_error_and_with_another_it_has(
    texture: Texture, motion: Motion, right: int
) -> None:
    wide = texture(0, 200)
    first, second = wide[:, 20:180], wide[:, 20 - right : 180 - right]
    assert error(first, second, motion(right)) == PairError(0, 0, 0)
    assert error(first, second, motion(-right)).lai > 0.001, "reversed"
    assert error(second, first, motion(right)).lai > 0.001, "frames swapped"
    assert error(first, second, motion(right + 1)).lai > 0.0001, "one pixel off"


@given(sigma=st.floats(2, 20), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_noise_of_known_size_gives_its_closed_form(sigma: float, seed: int) -> None:
    """Two independent noises differ by twice the variance; rounding adds a twelfth a picture."""
    rng = np.random.default_rng(seed)
    first, second = np.round(128 + rng.normal(0, sigma, (2, 96, 128, 3))).astype(np.uint8)
    whole = SourceMotion(np.zeros((96, 128, 2), np.float32), np.ones((96, 128), np.bool_))
    found = error(first, second, whole)
    variance = 2 * (sigma**2 + 1 / 12) / 255**2
    assert found.lai == pytest.approx(variance, rel=0.04)
    assert found.absolute == pytest.approx(np.sqrt(2 * variance / np.pi), rel=0.04)


@given(seed=st.integers(0, 999), share=st.floats(0.01, 1))
@settings(max_examples=30)
def test_ruders_error_is_lais_times_the_coverage(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    flow = rng.normal(0, 3, (24, 32, 2)).astype(np.float32)
    some = SourceMotion(flow, rng.random((24, 32)) < share)
    if not some.trusted.any():
        assert pair_error(first, second, some) is None
        return
    found = error(first, second, some)
    assert found.ruder == pytest.approx(found.lai * some.coverage, rel=1e-9)
    assert error_map(first, second, some).mean() == pytest.approx(found.ruder, rel=1e-4)


def test_the_absolute_error_of_a_shade_is_the_shade(motion: Motion) -> None:
    first, second = np.full((120, 160, 3), 100, np.uint8), np.full((120, 160, 3), 117, np.uint8)
    assert error(first, second, motion()).absolute == pytest.approx(17 / 255)


def test_the_mask_keeps_out_what_it_should(texture: Texture, motion: Motion) -> None:
    first, second, masked = texture(0), texture(0), motion()
    second[:, :20] = 0
    masked.trusted[:, :20] = False
    swapped = SourceMotion(masked.flow, ~masked.trusted)
    assert error(first, second, masked).lai == 0
    assert error(first, second, motion()).lai > 0.01
    assert error(first, second, swapped).lai > 0.1
    assert not error_map(first, second, masked).any()


def test_where_nothing_is_trusted_nothing_is_known(texture: Texture, motion: Motion) -> None:
    blind = motion()
    blind.trusted[:] = False
    assert pair_error(texture(0), texture(1), blind) is None


def test_blur_lowers_the_error_and_shows_in_the_detail(texture: Texture, motion: Motion) -> None:
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(texture(0) + rng.normal(0, 12, (120, 160, 3)), 0, 255).astype(np.uint8)
        for _ in range(2)
    ]
    blurred = [cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in noisy]
    assert error(*blurred, motion()).lai < 0.2 * error(*noisy, motion()).lai
    for measure in (detail, high_band):
        assert measure(blurred[0]) < 0.1 * measure(noisy[0])


def test_the_motion_of_a_source_is_found_both_ways_and_trusted(texture: Texture) -> None:
    wide = texture(2, 176)
    first, second = wide[:, 3:163].copy(), wide[:, :160].copy()
    there, back = source_motions(first, second)
    assert np.median(there.flow[..., 0]) == pytest.approx(3, abs=0.1)
    assert np.median(back.flow[..., 0]) == pytest.approx(-3, abs=0.1)
    assert min(there.coverage, back.coverage) > 0.8
    assert not there.trusted[:, -3:].any(), "leaves the picture"
    assert not back.trusted[:, :3].any(), "leaves the picture"
    assert error(first, second, there).lai < 0.0002
    assert error(second, first, back).lai < 0.0002


PAIRS = [10, 66, 140, 200]


@pytest.mark.parametrize("t", PAIRS)
def test_the_samples_true_flow_explains_it_and_what_is_near_does_not(sample: Any, t: int) -> None:
    flow, hidden = sample.flow(t)
    first, second = sample.frame(t), sample.frame(t + 1)
    right = error(first, second, SourceMotion(flow, ~hidden)).lai
    assert right < 0.0005
    swapped = error(first, second, SourceMotion(flow, hidden)).lai
    reversed_flow = error(first, second, SourceMotion(-flow, ~hidden)).lai
    one_late = error(first, sample.frame(t + 2), SourceMotion(flow, ~hidden)).lai
    assert min(swapped, reversed_flow, one_late) > 5 * right


@pytest.mark.parametrize("t", PAIRS)
def test_the_motion_that_is_found_is_the_samples_true_one(sample: Any, t: int) -> None:
    first, second = sample.frame(t), sample.frame(t + 1)
    for found, (flow, hidden) in zip(
        source_motions(first, second), (sample.flow(t), sample.flow(t + 1, -1)), strict=True
    ):
        off = np.linalg.norm(found.flow - flow, axis=-1)
        assert off[found.trusted & ~hidden].mean() < 0.3
        assert found.coverage > 0.9
