"""Flow finds known motion, warping undoes it, occlusion and cuts are told from it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.motion.cuts import is_cut
from vidstyle.motion.flow import fine_flow, motion_boundary
from vidstyle.motion.occlusion import hidden, occlusion
from vidstyle.motion.ops import open_ops
from vidstyle.motion.warp import warp

HEIGHT, WIDTH = 160, 224
INNER = np.s_[24:-24, 24:-24]

Image = NDArray[np.uint8]


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Image:
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(128 + 45 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def shifted(right: int, down: int) -> tuple[Image, Image]:
    """Two views of one picture: what is at p in the first is at p + (right, down) in the second."""
    wide = texture(0, HEIGHT + 40, WIDTH + 40)
    first = wide[20 : 20 + HEIGHT, 20 : 20 + WIDTH]
    second = wide[20 - down : 20 - down + HEIGHT, 20 - right : 20 - right + WIDTH]
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


@pytest.mark.parametrize("motion", [(0, 0), (4, 0), (-6, 3), (2, -8)])
def test_fine_flow_is_the_motion(motion: tuple[int, int]) -> None:
    first, second = shifted(*motion)
    flow = fine_flow(first, second)
    assert flow.shape == (HEIGHT, WIDTH, 2)
    error = np.abs(flow[INNER] - np.array(motion, np.float32))
    assert np.median(error) < 0.1
    assert np.percentile(error, 95) < 0.5


@pytest.mark.parametrize("motion", [(0, 0), (2, 0), (-3, 1), (12, -7)])
def test_flow_of_halves_is_the_motion_there_and_back(
    device: str | None, motion: tuple[int, int]
) -> None:
    ops, estimator = open_ops(2 * HEIGHT, 2 * WIDTH, device)
    there, back = estimator.there_and_back(*(ops.array(image) for image in shifted(*motion)))
    for flow, sign in ((ops.host(there), 1), (ops.host(back), -1)):
        assert flow.shape == (HEIGHT, WIDTH, 2)
        error = np.abs(flow[INNER] - sign * np.array(motion, np.float32))
        assert np.median(error) < 0.1
        assert np.percentile(error, 95) < 0.5


def test_light_that_changes_is_no_motion(device: str | None) -> None:
    ops, estimator = open_ops(2 * HEIGHT, 2 * WIDTH, device)
    first, second = shifted(3, -2)
    brighter = np.clip(second * 1.08 + 6, 0, 255).astype(np.uint8)
    there, _ = estimator.there_and_back(ops.array(first), ops.array(brighter))
    error = np.abs(ops.host(there)[INNER] - np.array((3, -2), np.float32))
    assert np.median(error) < 0.2


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (65, 41)])
def test_flow_of_halves_works_on_small_frames(device: str | None, size: tuple[int, int]) -> None:
    ops, estimator = open_ops(*size, device)
    image = ops.array(texture(0, *estimator.half_size))
    for flow in estimator.there_and_back(image, image):
        assert np.abs(ops.host(flow)).max() < 0.01


def test_warping_along_the_flow_brings_the_second_frame_back() -> None:
    first, second = shifted(5, -3)
    flow = np.broadcast_to(np.array((5, -3), np.float32), (HEIGHT, WIDTH, 2))
    assert np.array_equal(warp(second, flow)[INNER], first[INNER])
    assert not np.array_equal(warp(second, -flow)[INNER], first[INNER])


def test_occlusion_is_where_the_way_back_leads_elsewhere() -> None:
    forward = np.zeros((40, 40, 2), np.float32)
    backward = np.zeros((40, 40, 2), np.float32)
    forward[..., 0], backward[..., 0] = 3, -3
    backward[10:20, 20:30, 0] = 5
    hidden = occlusion(forward, backward)
    assert hidden[10:20, 17:27].all()
    hidden[10:20, 16:28] = False
    assert not hidden.any()


def test_a_motion_boundary_is_where_the_flow_jumps() -> None:
    flow = np.zeros((20, 20, 2), np.float32)
    flow[:, 10:, 0] = 4
    edges = motion_boundary(flow)
    assert edges[:, 9].all()
    assert not edges[:, :8].any()
    assert not edges[:, 12:].any()


def test_a_motion_boundary_is_told_across_and_down() -> None:
    flow = np.zeros((20, 20, 2), np.float32)
    flow[:, 10:] = 3
    edges = motion_boundary(flow)
    assert edges[:, 9].all()
    assert np.array_equal(motion_boundary(flow.transpose(1, 0, 2).copy()), edges.T)


@pytest.mark.parametrize("level", [30, 220])
def test_what_is_seen_elsewhere_is_not_hidden_whatever_the_way_back(
    level: int, device: str | None
) -> None:
    """A square, darker or lighter than all else, is gone; the way back leads elsewhere all over."""
    ops, _ = open_ops(80, 120, device)
    after = np.full((40, 60, 3), 128, np.uint8)
    before, wanted = after.copy(), np.zeros((40, 60), bool)
    after[10:20, 10:20] = level
    wanted[7:23, 7:23] = True  # three pixels around it, too
    flow = ops.array(np.full((40, 60, 2), 3, np.float32))
    mask = hidden(ops.array(after), ops.array(before), flow, flow, ops)
    assert np.array_equal(ops.host(mask), wanted)


def test_a_thing_that_uncovers_what_was_behind_it_is_hidden_before(device: str | None) -> None:
    """A square moves right over a still ground: the strip on its left was not visible before."""
    ground, thing = texture(1), texture(2)
    before, after = ground.copy(), ground.copy()
    before[50:110, 60:120] = thing[50:110, 60:120]
    after[50:110, 76:136] = thing[50:110, 60:120]
    ops, estimator = open_ops(HEIGHT, WIDTH, device)
    halves = [ops.resized(ops.array(image), (80, 112), "area") for image in (after, before)]
    flows = estimator.there_and_back(*halves)
    mask = ops.host(hidden(*halves, *flows, ops))
    strip, far = mask[28:52, 31:37], mask[:, 90:]
    assert strip.mean() > 0.25
    assert far.mean() < 0.02


def test_cuts_are_told_from_motion_light_and_noise() -> None:
    first, second = shifted(12, 6)
    noise = np.random.default_rng(0).normal(0, 6, first.shape)
    brighter = np.clip(first * 1.15 + 8, 0, 255).astype(np.uint8)
    noisy = np.clip(first + noise, 0, 255).astype(np.uint8)
    assert is_cut(first, texture(9))
    for neighbour in (first, second, brighter, noisy):
        assert not is_cut(first, neighbour)


def slide(seed: int, down: int = 0) -> Image:
    """Lines of words, dark on a light ground."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 240, np.uint8)
    for row in range(30, HEIGHT - 30, 24):
        for column in range(20, WIDTH - 40, 36):
            if rng.random() < 0.5:
                picture[row + down : row + down + 8, column : column + 28] = 30
    return picture


def test_another_slide_is_a_cut_and_a_line_that_is_added_is_none() -> None:
    """Little of a slide changes, but all that it shows."""
    first, added = slide(0), slide(0)
    added[-24:-16, 20:120] = 30
    assert is_cut(first, slide(1))
    assert not is_cut(first, added)
    assert not is_cut(first, slide(0, down=4))


def title(row: int, width: int) -> Image:
    """A line of letters on black."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[row : row + 10, 20 : 20 + width : 2] = 235
    return picture


def test_another_title_is_a_cut_though_next_to_nothing_changes() -> None:
    first, second = title(30, 60), title(110, 90)
    assert np.abs(first.astype(int) - second).mean() < 0.03 * 255
    assert is_cut(first, second)


def test_pale_slides_and_empty_ones_are_cuts_as_well() -> None:
    first, second = (255 - (255 - slide(seed)) // 3 for seed in (0, 1))
    empty = np.full_like(first, 240)
    for a, b in ((first, second), (slide(0), empty), (empty, slide(1))):
        assert is_cut(a.astype(np.uint8), b.astype(np.uint8))


@pytest.mark.parametrize("contrast", [0, 3])
@pytest.mark.parametrize("noise", [6, 20])
def test_noise_on_flat_ground_and_in_fog_is_no_cut(contrast: float, noise: float) -> None:
    """It does not correlate with itself."""
    fog = 128 + contrast * np.sin(np.linspace(0, 9, WIDTH))[None, :, None]
    rng = np.random.default_rng(0)
    first, second = (
        np.clip(fog + rng.normal(0, noise, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
        for _ in range(2)
    )
    assert not is_cut(first, second)
