"""Metrics: closed forms of simple clips, and what must raise or lower them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.metrics.detail import detail
from vidstyle.metrics.steadiness import SourceMotion, source_motion, steadiness

HEIGHT, WIDTH = 120, 160
Image = NDArray[np.uint8]


def texture(seed: int, width: int = WIDTH) -> Image:
    noise = np.random.default_rng(seed).normal(size=(HEIGHT, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def motion(right: float = 0, trusted: bool = True) -> SourceMotion:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = right
    mask = np.full((HEIGHT, WIDTH), trusted)
    if right:
        mask[:, -int(abs(right)) - 1 :] = False
        mask[:, : int(abs(right)) + 1] = False
    return SourceMotion(flow, mask)


def test_a_static_clip_has_no_error() -> None:
    clip = [texture(0)] * 3
    found = steadiness(clip, [motion(), motion()])
    assert (found.warp_error, found.square_error, found.coverage) == (0, 0, 1)


def test_a_shift_with_its_true_flow_has_no_error_and_with_another_it_has() -> None:
    wide = texture(0, WIDTH + 8)
    clip = [wide[:, 4 * k : 4 * k + WIDTH].copy() for k in range(3)]
    assert steadiness(clip, [motion(-4)] * 2).warp_error == 0
    assert steadiness(clip, [motion(4)] * 2).warp_error > 0.001
    assert steadiness(clip, [motion(-3)] * 2).warp_error > 0.0001


def test_noise_of_known_size_gives_its_closed_form() -> None:
    """Two independent noises differ by twice the variance."""
    rng = np.random.default_rng(0)
    clip = [
        np.clip(128 + rng.normal(0, 10, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
        for _ in range(4)
    ]
    found = steadiness(clip, [motion()] * 3)
    assert found.warp_error == pytest.approx(2 * (10 / 255) ** 2, rel=0.03)


def test_ruders_error_is_lais_times_the_coverage() -> None:
    half = motion()
    half.trusted[:, : WIDTH // 2] = False
    found = steadiness([texture(0), texture(1)], [half])
    assert found.coverage == 0.5
    assert found.square_error == pytest.approx(found.warp_error * found.coverage)
    assert found.e_stab == pytest.approx(found.square_error**0.5)


def test_the_mask_keeps_out_what_it_should() -> None:
    first, second = texture(0), texture(0)
    second[:, :20] = 0
    masked = motion()
    masked.trusted[:, :20] = False
    assert steadiness([first, second], [masked]).warp_error == 0
    assert steadiness([first, second], [motion()]).warp_error > 0.01


def test_blur_lowers_the_error_and_shows_in_the_detail() -> None:
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(texture(0) + rng.normal(0, 12, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
        for _ in range(3)
    ]
    blurred = [cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in noisy]
    motions = [motion()] * 2
    assert steadiness(blurred, motions).warp_error < 0.2 * steadiness(noisy, motions).warp_error
    assert detail(blurred[0]) < 0.1 * detail(noisy[0])


def test_pairs_across_a_cut_are_left_out() -> None:
    clip = [texture(0), texture(0), texture(5), texture(5)]
    assert steadiness(clip, [motion(), None, motion()]).warp_error == 0
    with pytest.raises(ValueError, match="two neighbouring frames"):
        steadiness(clip[:2], [None])
    with pytest.raises(ValueError, match="need 3 motions"):
        steadiness(clip, [motion()])


def test_the_motion_of_a_source_is_found_and_trusted() -> None:
    wide = texture(2, WIDTH + 16)
    clip = [wide[:, 3 * k : 3 * k + WIDTH].copy() for k in range(3)]
    motions = [source_motion(a, b) for a, b in pairwise(clip)]
    found = steadiness(clip, motions)
    assert found.coverage > 0.8
    assert found.warp_error < 0.0002
    assert np.median(motions[0].flow[..., 0]) == pytest.approx(-3, abs=0.1)


def test_detail_of_a_checkerboard_is_its_closed_form_and_of_a_ramp_nothing() -> None:
    """Steps of 10 levels: the Laplacian is +-4 * 10 everywhere."""
    rows, columns = np.mgrid[:20, :20]
    board = (100 + 10 * ((rows + columns) % 2)).astype(np.uint8)
    assert detail(np.dstack([board] * 3)) == pytest.approx(40**2, rel=1e-3)
    ramp = (5 * columns).astype(np.uint8)
    assert detail(np.dstack([ramp] * 3)) == pytest.approx(0, abs=1e-3)
