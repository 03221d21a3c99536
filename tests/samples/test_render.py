"""The sample clip: its flow is true, its cut is one, its file is what the script renders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def small(script: ModuleType) -> Any:
    return script.Sample(0.25)


@pytest.fixture(scope="module")
def decoded() -> list[np.ndarray]:
    with av.open(str(SAMPLES / "sample.mp4")) as clip:
        return [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]


def look_up(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The image at each pixel's place plus its flow."""
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return cv2.remap(image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC)


def differences(sample: Any, t: int, step: int, flow: np.ndarray) -> np.ndarray:
    """(H, W) levels between frame t and the frame it leads to, looked up along the flow."""
    there = look_up(sample.frame(t + step).astype(np.float32), flow)
    return np.abs(there - sample.frame(t)).mean(axis=2)


PAIRS = [(10, 1), (66, 1), (66, -1), (125, 1), (140, 1), (200, -1), (238, 1)]


@pytest.mark.parametrize(("t", "step"), PAIRS)
def test_the_flow_leads_to_the_same_point_of_the_neighbouring_frame(
    sample: Any, t: int, step: int
) -> None:
    flow, hidden = sample.flow(t, step)
    right = differences(sample, t, step, flow)[~hidden].mean()
    wrong = differences(sample, t, step, -flow)[~hidden].mean()
    none = differences(sample, t, step, np.zeros_like(flow))[~hidden].mean()
    assert flow.shape == (360, 640, 2)
    assert flow.dtype == np.float32
    assert right < 1.6
    assert wrong > 3 * right
    assert none > 2 * right


@pytest.mark.parametrize(("t", "step"), PAIRS)
def test_the_mask_is_small_and_holds_what_cannot_be_found(sample: Any, t: int, step: int) -> None:
    flow, hidden = sample.flow(t, step)
    off = differences(sample, t, step, flow)
    assert hidden.dtype == np.bool_
    assert 0.002 < hidden.mean() < 0.08
    assert off[hidden].mean() > 5 * off[~hidden].mean()


def test_points_that_leave_the_frame_are_in_the_mask(sample: Any) -> None:
    flow, hidden = sample.flow(66)
    y, x = np.mgrid[:360, :640]
    to_x, to_y = x + flow[..., 0], y + flow[..., 1]
    outside = (to_x < -0.5) | (to_x > 639.5) | (to_y < -0.5) | (to_y > 359.5)
    assert outside.sum() > 300
    assert hidden[outside].all()


@pytest.mark.parametrize("t", [30, 100, 180])
def test_there_and_back_again(sample: Any, t: int) -> None:
    there, hidden = sample.flow(t)
    back, uncovered = sample.flow(t + 1, -1)
    returned = there + look_up(back, there)
    seen = ~hidden & (look_up(uncovered.astype(np.float32), there) < 0.01)
    off = np.linalg.norm(returned, axis=2)[seen]
    assert seen.mean() > 0.85
    assert np.quantile(off, 0.9) < 0.02


def test_motion_has_parallax(sample: Any) -> None:
    flow, _ = sample.flow(66)
    sky, meadow = flow[20, 300:400, 0].mean(), flow[355, :, 0].mean()
    assert -0.5 < sky < -0.2
    assert meadow < 8 * sky


def test_across_the_cut_nothing_is_seen(sample: Any) -> None:
    for t, step in ((sample.cut_at - 1, 1), (sample.cut_at, -1)):
        flow, hidden = sample.flow(t, step)
        assert not flow.any()
        assert hidden.all()


def test_there_are_no_frames_outside_the_clip(small: Any) -> None:
    for t in (-1, small.frame_count):
        with pytest.raises(IndexError, match=f"frame {t}: the clip has frames 0 to 239"):
            small.frame(t)
    with pytest.raises(IndexError, match="frame 240"):
        small.flow(239)


def test_frames_do_not_depend_on_what_was_asked_before(script: ModuleType, small: Any) -> None:
    small.frame(230)
    first = small.frame(150)
    assert np.array_equal(first, script.Sample(0.25).frame(150))


def test_the_small_clip_is_the_large_one_seen_from_afar(sample: Any, small: Any) -> None:
    for t in (150, 200):
        shrunk = cv2.resize(sample.frame(t), (160, 90), interpolation=cv2.INTER_AREA)
        off = np.abs(shrunk.astype(int) - small.frame(t))
        assert small.frame(t).shape == (90, 160, 3)
        assert off.mean() < 4


def test_the_committed_clip_has_one_cut(sample: Any, decoded: list[np.ndarray]) -> None:
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(decoded)]
    assert int(np.argmax(steps)) + 1 == sample.cut_at
    assert sorted(steps)[-1] > 4 * sorted(steps)[-2]


@pytest.mark.parametrize("t", [0, 66, 131, 132, 239])
def test_the_committed_clip_is_what_the_script_renders(
    sample: Any, decoded: list[np.ndarray], t: int
) -> None:
    off = decoded[t].astype(float) - sample.frame(t)
    assert 10 * np.log10(255**2 / np.mean(off**2)) > 30


def test_the_committed_clip_has_ten_seconds_of_picture_and_sound() -> None:
    path = SAMPLES / "sample.mp4"
    with av.open(str(path)) as clip:
        picture, tone = clip.streams.video[0], clip.streams.audio[0]
        assert (picture.width, picture.height, picture.frames) == (640, 360, 240)
        assert picture.average_rate == 24
        assert (picture.codec_context.colorspace, picture.codec_context.color_range) == (1, 1)
        assert (tone.codec_context.name, tone.rate, tone.channels) == ("aac", 48000, 2)
        assert clip.duration == 10 * av.time_base
    assert path.stat().st_size < 3_000_000


def test_the_script_writes_every_frame_and_the_sound(small: Any, tmp_path: Path) -> None:
    small.render(tmp_path / "small.mp4")
    with av.open(str(tmp_path / "small.mp4")) as clip:
        times = [frame.time for frame in clip.decode(video=0)]
        clip.seek(0)
        samples = sum(frame.samples for frame in clip.decode(audio=0))
    assert times == pytest.approx([t / 24 for t in range(240)])
    assert 0 <= samples - 480_000 < 1024


def test_the_sound_is_full_and_marks_the_cut(small: Any) -> None:
    sound = small.sound()
    cut, quarter = round(small.cut_at / 24 * 48_000), 12_000
    loud = [
        float(np.sqrt(np.mean(part**2)))
        for part in (sound[cut - quarter : cut], sound[cut : cut + quarter])
    ]
    assert sound.shape == (480_000, 2)
    assert 0.3 < np.abs(sound).max() < 1
    assert loud[1] > 1.5 * loud[0]
    assert not np.array_equal(sound[:, 0], sound[:, 1])
