"""The clip that is painted: it moves, it is the same every time, and has the size asked for."""

from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from vidstyle.jobs.bench.footage import found_footage, make_footage, to_and_fro
from vidstyle.jobs.bench.scene import moving_scene
from vidstyle.motion.cuts import is_cut
from vidstyle.motion.flow import fine_flow
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

MakeClip = Callable[..., Path]


def test_the_scene_is_the_same_every_time() -> None:
    one, two = (list(moving_scene(96, 64, 3)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert {frame.shape for frame in one} == {(64, 96, 3)}


def test_the_scene_has_texture_and_moves_without_cuts() -> None:
    frames = list(moving_scene(256, 144, 12))
    assert all(frame.std() > 25 for frame in frames)
    lengths = [np.hypot(*np.moveaxis(fine_flow(a, b), -1, 0)).mean() for a, b in pairwise(frames)]
    assert min(lengths) > 0.1
    assert max(lengths) < 8
    assert not any(is_cut(a, b) for a, b in pairwise(frames))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_to_and_fro_visits_neighbours_only(count: int) -> None:
    steps = list(islice(to_and_fro(range(count)), 23))
    assert steps[:count] == list(range(count))
    assert set(steps) == set(range(count))
    assert all(abs(b - a) == (1 if count > 1 else 0) for a, b in pairwise(steps))


def test_made_footage_is_a_clip_of_that_size_and_length(tmp_path: Path) -> None:
    footage = make_footage(tmp_path / "a.nut", (96, 64), 20, None)
    frames = [frame.image for frame in read_frames(footage.info)]
    assert len(frames) == footage.frames == 20
    assert frames[0].shape == (64, 96, 3)
    assert footage.rate == 25
    assert footage.seconds(5) * footage.rate == 5
    drawn = next(moving_scene(96, 64, 1)).astype(float)
    assert np.abs(frames[0] - drawn).mean() < 8


def test_footage_from_a_clip_shows_it_scaled_as_long_as_wanted(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    clip = make_clip(frames=10, size=(64, 48))
    footage = make_footage(tmp_path / "b.nut", (128, 96), 25, clip)
    (first, *_), frames = (
        [f.image for f in read_frames(probe(clip))],
        list(read_frames(footage.info)),
    )
    assert len(frames) == 25
    assert frames[0].image.shape == (96, 128, 3)
    again = frames[0].image[::2, ::2].astype(float)
    assert np.abs(again - first).mean() < 20
    to, fro = frames[8].image.astype(float), frames[10].image
    assert np.abs(to - fro).mean() < 8


def test_found_footage_is_the_file_itself(make_clip: MakeClip) -> None:
    clip = make_clip(frames=20)
    assert found_footage(probe(clip), 12).frames == 12
    whole = found_footage(probe(clip), 200)
    assert (whole.frames, whole.info.path) == (20, clip)
