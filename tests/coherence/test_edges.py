"""What comes in over the edges of a frame is kept block by block."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.coherence import edges
from vidstyle.coherence.blend import Steadier
from vidstyle.coherence.edges import Edges
from vidstyle.motion.ops import open_ops

SIZE, HALF = (120, 160), (60, 80)
RIM, BLOCK = edges._RIM, int(edges._BLOCK)
NOTHING = np.zeros(HALF, bool)


class Frames:
    """A frame's edges, given NumPy's arrays."""

    def __init__(self, device: str | None) -> None:
        self.ops = open_ops(*SIZE, device)[0]
        self.edges = Edges(HALF, self.ops)

    def pan(self, step: float) -> None:
        """Move on to a frame that shows `step` half-size pixels more on the right."""
        self.move(np.broadcast_to(np.array((step, 0), np.float32), (*HALF, 2)).copy())

    def move(self, flow: np.ndarray) -> None:
        """Move on to a frame from which the (h, w, 2) `flow` leads to the last."""
        places = np.indices(HALF)[::-1].transpose(1, 2, 0).astype(np.float32) + flow
        self.edges.follow(*map(self.ops.array, (flow, places)))

    def entered(self) -> np.ndarray:
        return self.ops.host(self.edges.entered()) > 0


def test_what_comes_in_is_painted_anew_until_it_makes_a_block(device: str | None) -> None:
    frames = Frames(device)
    columns = []
    for _ in range(BLOCK):
        frames.pan(1)
        columns.append(int(frames.entered().any(0).sum()))
    # What is within for the first time is painted once more, whatever is kept.
    assert columns == [*(max(0, step - RIM) for step in range(1, BLOCK)), 1]
    frames.pan(1)
    assert not frames.entered()[:, : -RIM - 2].any()  # what was kept stays kept


@pytest.mark.parametrize("step", [0.5, 2, 3])
def test_all_that_comes_in_is_painted_anew_once_it_is_within(
    step: float, device: str | None
) -> None:
    """However fast: nothing stays as it was painted beside the edge, unless the picture stops."""
    frames = Frames(device)
    seen = np.zeros(400, bool)
    for number in range(1, 60):
        frames.pan(step)
        right = round(step * number) + HALF[1]
        seen[right - HALF[1] : right] |= frames.entered().any(0)
    assert seen[HALF[1] : right - RIM - BLOCK - 4].mean() > 0.9


def test_when_the_picture_stops_all_is_kept(device: str | None) -> None:
    frames = Frames(device)
    for _ in range(RIM + 1):
        frames.pan(1)
    assert frames.entered().any()
    frames.pan(0)
    assert not frames.entered().any()


def test_another_shot_knows_nothing_of_it(device: str | None) -> None:
    frames = Frames(device)
    for _ in range(RIM + 2):
        frames.pan(1)
    assert frames.entered().any()
    frames.edges.forget()
    assert not frames.entered().any()
    frames.pan(0.3)
    assert not frames.entered().any()


def test_a_thing_that_races_through_the_picture_makes_no_block(device: str | None) -> None:
    """What comes in depends on what moves beside the edge."""
    frames = Frames(device)
    flow = np.broadcast_to(np.array((1, 0), np.float32), (*HALF, 2)).copy()
    flow[20:40, 30:45] = 30
    for _ in range(BLOCK - 1):
        frames.move(flow)
    assert frames.entered()[:20].any(0).sum() == BLOCK - 1 - RIM


def test_noise_brings_nothing_in(device: str | None) -> None:
    frames, rng = Frames(device), np.random.default_rng(0)
    frames.edges.store(frames.ops.array(~NOTHING))
    for _ in range(50):
        flow = rng.normal(0, 0.005, (*HALF, 2)).astype(np.float32)
        flow[20:40, 30:45] = 5  # something moves in the middle
        frames.move(flow)
        assert not frames.entered().any()


def test_what_was_painted_beside_the_edge_is_painted_anew_further_in(device: str | None) -> None:
    """Painters paint otherwise there."""
    frames = Frames(device)
    frames.edges.store(frames.ops.array(~NOTHING))
    assert not frames.entered().any()
    for _ in range(3):
        frames.pan(-1)  # what lay on the left comes in
    assert frames.entered()[HALF[0] // 2, RIM : RIM + 3].all()
    assert not frames.entered()[:, RIM + 3 : -RIM].any(0).all()


def test_a_flat_area_that_comes_in_shows_its_strokes(device: str | None) -> None:
    """A painter whose strokes lie where the frame has them, and a ground that moves under them."""
    noise = np.random.default_rng(0).normal(size=(*SIZE, 1)).astype(np.float32)
    strokes = cv2.GaussianBlur(noise, (0, 0), 2)[..., None]
    painted = np.repeat(np.clip(128 + 30 * strokes / strokes.std(), 0, 255), 3, 2).astype(np.uint8)
    ground = cv2.GaussianBlur(np.random.default_rng(1).normal(size=(SIZE[0], 400, 1)), (0, 0), 4)
    wide = np.repeat((110 + 8 * ground / ground.std())[..., None], 3, 2).astype(np.uint8)
    steadier = Steadier(*SIZE, device=device)
    for step in range(40):
        held = steadier.step(wide[:, 2 * step : 2 * step + SIZE[1]].copy(), painted)
    shown = held if isinstance(held, np.ndarray) else held.cpu().numpy()
    came_in = np.s_[20:-20, -76:-16]
    assert shown[came_in].std() > 0.65 * painted[came_in].std()
