"""A style ready to paint arrays."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vidstyle
from vidstyle.errors import StyleError, UsageError
from vidstyle.jobs.style import Style, load_style
from vidstyle.motion.scale import scaled
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.registry import StyleFile, user_folder
from vidstyle.stylizers.style_file import load_network, save_style

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
        np.zeros((0, 40, 3), np.uint8),
        np.zeros((0, 30, 40, 3), np.uint8),
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


def test_a_cpu_paints_a_frame_a_core_but_few_huge_ones(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.jobs.style.available_cores", lambda: 16)
    assert [style.batch(*size) for size in ((480, 848), (2160, 3840), (4320, 7680))] == [16, 2, 1]


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
    with pytest.raises(UsageError, match="engine 'steam' is unknown"):
        load_style(tiny_style, device="cpu", engine="steam")


def test_the_way_back_is_another_painter_under_another_name(
    tmp_path: Path, make_style: MakeStyle
) -> None:
    one, other = make_style("one", seed=1), make_style("other", seed=2)
    forth, back = (load_network(StyleFile(path, read_cards(path)[0])) for path in (one, other))
    both = tmp_path / "both.safetensors"
    save_style(both, forth, [replace(read_cards(one)[0], name="both")], reverse=back)
    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    for engine in ("torch", "openvino"):
        style, expected = (
            load_style(str(path), reverse=reverse, device="cpu", engine=engine)
            for path, reverse in ((both, True), (other, False))
        )
        assert style.card.name == "both-reverse"
        assert (style.paint(picture) == expected.paint(picture)).all()


def test_a_style_without_a_way_back_says_so(tiny_style: str) -> None:
    with pytest.raises(StyleError, match=r"no way back.*--keep-reverse"):
        load_style(tiny_style, reverse=True, device="cpu")


@given(height=st.integers(1, 60), width=st.integers(1, 60), brush=st.floats(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_a_large_brush_paints_a_smaller_picture_which_is_enlarged(
    tiny_style: str, style: Style, height: int, width: int, brush: float
) -> None:
    rng = np.random.default_rng(height * 61 + width)
    pictures = rng.integers(0, 256, (2, height, width, 3)).astype(np.uint8)
    large = load_style(tiny_style, device="cpu", engine="torch", brush=brush)
    canvas = large.canvas(height, width)
    assert canvas == (max(round(height / brush), 1), max(round(width / brush), 1))
    painted = [style.paint(scaled(picture, *canvas)) for picture in pictures]
    expected = np.stack([scaled(painting, height, width) for painting in painted])
    np.testing.assert_array_equal(large.paint(pictures), expected)


def test_the_usual_brush_paints_pictures_as_they_are(style: Style) -> None:
    assert style.canvas(31, 77) == (31, 77)


@pytest.mark.parametrize("brush", [0.99, 4.01, float("nan")])
def test_a_brush_that_there_is_none_of_is_refused(tiny_style: str, brush: float) -> None:
    with pytest.raises(UsageError, match="brush must be between 1 and 4"):
        load_style(tiny_style, device="cpu", brush=brush)


def test_a_gpu_paints_as_many_frames_as_half_of_its_free_memory_holds(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    gib, free = 2**30, 8 * 2**30
    monkeypatch.setattr(style, "_device", "cuda:1")
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free, 80 * gib))
    assert [style.batch(*size) for size in ((480, 848), (1080, 1920), (4320, 7680))] == [8, 2, 1]
    free = 80 * gib  # what is recorded for two frames stays
    assert [style.batch(*size) for size in ((1080, 1920), (1080, 1918))] == [2, 8]


def test_frames_stay_on_a_gpu_alone(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    assert style.tensors_on is None
    for device, kept in (("mps", None), ("cuda", "cuda"), ("cuda:1", "cuda:1")):
        monkeypatch.setattr(style, "_device", device)
        assert style.tensors_on == kept


def test_a_mixture_says_that_it_needs_the_other_tier(
    make_style: MakeStyle, make_collection: Callable[..., Path]
) -> None:
    for name in ("sea", "sun"):
        make_style(name, "fast", folder=user_folder())
    make_collection("sea", "sun", folder=user_folder())
    assert load_style("sea", device="cpu").notes == ()
    mixed = load_style("sea,sun", device="cpu")
    assert mixed.card.tier == "best"
    assert mixed.notes == ("these can be mixed in best only: painting with best",)


def test_a_tier_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of fast, best"):
        load_style("monet", tier="huge")  # type: ignore[arg-type]
