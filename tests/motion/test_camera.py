"""Flow follows what moves and the camera, and no noise."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.motion.camera import camera_motion, without_noise
from vidstyle.motion.opencv_ops import OpenCvOps
from vidstyle.motion.ops import open_ops
from vidstyle.motion.warp import grid

Image = NDArray[np.uint8]
Flow = NDArray[np.float32]

SIZE = HEIGHT, WIDTH = 180, 320
OPS = OpenCvOps()
NO_DOUBT = np.zeros(SIZE, np.float32)


def similar(shift_x: float, shift_y: float, zoom: float, turn: float) -> Flow:
    """The flow of a camera, about the middle of the picture."""
    x, y = np.moveaxis(grid(*SIZE) - np.float32([(WIDTH - 1) / 2, (HEIGHT - 1) / 2]), -1, 0)
    flow = shift_x + zoom * x - turn * y, shift_y + turn * x + zoom * y
    return np.stack(flow, axis=-1).astype(np.float32)


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-0.03, 0.03), st.floats(-0.03, 0.03))
def test_the_camera_is_what_most_of_the_picture_follows(
    shift_x: float, shift_y: float, zoom: float, turn: float
) -> None:
    camera = similar(shift_x, shift_y, zoom, turn)
    flow = camera.copy()
    flow[40:120, :80] += (4, -3)  # a ninth of it moves by itself
    found, share = camera_motion(flow, np.ones(SIZE, np.float32), NO_DOUBT, OPS)
    inside = (slice(4, -4), slice(4, -4))  # the border of a reduced flow is that of its last cell
    np.testing.assert_allclose(found[inside], camera[inside], atol=0.1)
    assert share[90, 300] > 0.95
    assert share[80, 10] < 0.6


def test_what_is_not_to_be_believed_has_no_say() -> None:
    flow = np.full((*SIZE, 2), 7, np.float32)
    flow[:, :40] = 1
    weight = np.zeros(SIZE, np.float32)
    weight[:, :40] = 1
    found, share = camera_motion(flow, weight, NO_DOUBT, OPS)
    np.testing.assert_allclose(found, 1, atol=0.05)
    assert share[50, 20] > 0.95


def test_what_may_be_an_error_of_the_flow_moves_with_the_camera() -> None:
    """Half a pixel more or less is a motion of its own only where the flow is sure."""
    flow = np.full((*SIZE, 2), 1.5, np.float32)
    flow[np.arange(HEIGHT) % 32 < 16] += 1
    weight = np.ones(SIZE, np.float32)
    _, when_sure = camera_motion(flow, weight, NO_DOUBT, OPS)
    found, in_doubt = camera_motion(flow, weight, NO_DOUBT + 1, OPS)
    assert when_sure.mean() < 0.6
    assert in_doubt.min() > 0.99
    np.testing.assert_allclose(found, 2, atol=0.25)


def scene(contrast: float = 2, seed: int = 0) -> Image:
    """Strong texture on the left half, weak on the right; 20 pixels larger on each side."""
    plane = np.random.default_rng(seed).normal(size=(HEIGHT + 40, WIDTH + 40)).astype(np.float32)
    plane = cv2.GaussianBlur(plane, (0, 0), 2.5)
    plane *= np.where(np.arange(WIDTH + 40) < WIDTH / 2 + 20, 25, contrast) / plane.std()
    return np.repeat(np.clip(90 + plane, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def shifted(picture: Image, by: int) -> Image:
    return picture[20 : 20 + HEIGHT, 20 + by : 20 + by + WIDTH].copy()


def noisy(picture: Image, seed: int) -> Image:
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape[:2])[..., None]
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def flows(a: Image, b: Image, device: str | None) -> tuple[Flow, Flow, Flow]:
    """The flow from a to b as it is found, less its noise, and that back less its noise."""
    ops, estimator = open_ops(2 * HEIGHT, 2 * WIDTH, device)
    first, second = ops.array(a), ops.array(b)
    there, back = estimator.there_and_back(first, second)
    quiet, quiet_back = without_noise(first, second, there, back, ops)
    return ops.host(there), ops.host(quiet), ops.host(quiet_back)


def error(flow: Flow, by: float) -> float:
    """Root of the mean squared distance to the true motion where texture is weak."""
    apart = (flow - (by, 0))[12:-12, 190:-12]
    return float(np.sqrt((apart**2).sum(axis=-1).mean()))


@pytest.mark.parametrize("by", [0, 2])
def test_noise_gets_no_motion_of_its_own(by: int, device: str | None) -> None:
    """Neither before a fixed camera nor before one that turns."""
    a, b = noisy(shifted(scene(), by), 1), noisy(shifted(scene(), 0), 2)
    there, quiet, back = flows(a, b, device)
    assert error(there, by) > 0.5
    assert error(quiet, by) < 0.1
    assert error(back, -by) < 0.1


def test_a_clean_picture_keeps_its_flow(device: str | None) -> None:
    there, quiet, _ = flows(shifted(scene(), 2), shifted(scene(), 0), device)
    assert np.abs(quiet - there).mean() < 0.02


def test_flow_along_a_straight_edge_is_no_motion(device: str | None) -> None:
    """It cannot be told there, however strong the edge is."""
    picture = scene()
    picture[:, 260:266] = 180
    a, b = noisy(shifted(picture, 0), 1), noisy(shifted(picture, 0), 2)
    there, quiet, _ = flows(a, b, device)
    beside = (slice(12, -12), slice(230, 260))
    assert np.abs(quiet[beside]).mean() < 0.35 * np.abs(there[beside]).mean()


def test_what_the_camera_does_not_explain_is_left_as_it_is(device: str | None) -> None:
    """A square of little texture that goes to the right, before a fixed camera."""
    still, mover = shifted(scene(), 0), 25 + scene(contrast=5, seed=3)[100:180, 220:300]
    pictures = []
    for number in (0, 1):
        picture = still.copy()
        picture[60:140, 200 + 3 * number : 280 + 3 * number] = mover
        pictures.append(noisy(picture, number))
    _, quiet, _ = flows(pictures[1], pictures[0], device)
    assert np.median(quiet[70:130, 210:270, 0]) == pytest.approx(-3, abs=0.4)


def test_the_camera_has_no_say_where_all_around_moves_otherwise(device: str | None) -> None:
    """More than half of the picture goes one way, the rest, with a flat strip in it, the other."""
    strong, other = scene(25, seed=1), scene(25, seed=2)
    other[:, 240:320] = scene(0.3)[:, 240:320]
    pictures = []
    for number in (0, 1):
        picture = shifted(strong, 2 * number)
        picture[:, 190:] = shifted(other, -2 * number)[:, 190:]
        pictures.append(noisy(picture, number))
    _, quiet, _ = flows(pictures[1], pictures[0], device)
    assert np.median(quiet[20:-20, 20:180, 0]) == pytest.approx(2, abs=0.1)
    assert np.median(quiet[20:-20, 235:285, 0]) < -1


def test_what_moves_in_the_noise_goes_on_moving(device: str | None) -> None:
    """A square that goes to the right, before a fixed camera."""
    still, mover = shifted(scene(), 0), scene(25)[:60, :60]
    pictures = []
    for number in (0, 1):
        picture = still.copy()
        left = 200 + 3 * number
        picture[100:160, left : left + 60] = mover
        pictures.append(noisy(picture, number))
    there, quiet, _ = flows(pictures[1], pictures[0], device)
    inside = (slice(105, 155), slice(208, 258))
    np.testing.assert_allclose(quiet[inside].mean(axis=(0, 1)), (-3, 0), atol=0.1)
    still_flow, still_quiet = (np.abs(flow[:50, 180:]).mean() for flow in (there, quiet))
    assert still_quiet < 0.6 * still_flow
