"""A style ready to paint arrays."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vidstyle
from vidstyle.errors import StyleError, UsageError
from vidstyle.jobs.style import Style, load_style
from vidstyle.stylizers.registry import user_folder

MakeStyle = Callable[..., Path]


@pytest.fixture
def style(tiny_style: str) -> Style:
    return vidstyle.load_style(tiny_style, device="cpu", engine="torch")


def test_a_picture_and_a_batch_keep_their_shape(style: Style) -> None:
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 256, (3, 30, 41, 3)).astype(np.uint8)
    painted = style.paint(batch)
    assert painted.shape == batch.shape
    assert painted.dtype == np.uint8
    assert (style.paint(batch[1]) == painted[1]).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((30, 40), np.uint8),
        np.zeros((30, 40, 4), np.uint8),
        np.zeros((30, 40, 3), np.float32),
        np.zeros((1, 1, 30, 40, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(style: Style, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        style.paint(array)


def test_an_engine_is_opened_once_for_a_size_and_few_are_kept(style: Style) -> None:
    first = style.engine(32, 32)
    assert style.engine(32, 32) is first
    for side in (36, 40, 44):
        style.engine(side, side)
    assert style.engine(32, 32) is not first


def test_on_a_cpu_frames_are_painted_one_by_one(style: Style) -> None:
    assert style.batch(1080, 1920) == 1


def test_a_file_is_what_it_is(make_style: MakeStyle) -> None:
    path = make_style(tier="best")
    assert load_style(str(path), device="cpu").notes == ()
    assert load_style(str(path), device="cpu", tier="fast").notes == (
        f"{path} has no fast tier yet: painting with best",
    )


def test_the_default_on_a_cpu_is_fast(make_style: MakeStyle, tiny_style: str) -> None:
    make_style("tiny", "best", folder=user_folder())
    style = load_style(tiny_style, device="cpu")
    assert (style.card.tier, style.notes) == ("fast", ())
    assert load_style(tiny_style, device="cpu", tier="best").card.tier == "best"


def test_unknown_styles_and_devices_are_refused(tiny_style: str) -> None:
    with pytest.raises(StyleError, match="tiny"):
        load_style("tinny", device="cpu")
    with pytest.raises(UsageError, match="gramophone"):
        load_style(tiny_style, device="gramophone")
