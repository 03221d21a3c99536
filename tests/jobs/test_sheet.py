"""The contact sheet: every style once, beside the picture itself."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from vidstyle.errors import ResourceError, UsageError
from vidstyle.jobs.sheet import COLUMNS, WIDTH, contact_sheet, first_picture, write_sheet
from vidstyle.jobs.style import load_style
from vidstyle.stylizers.card import CARD_KEY, cards_text, read_cards


def test_pictures_hang_in_rows_each_above_its_own_caption() -> None:
    pictures = [np.full((90, 120, 3), 50 * k, np.uint8) for k in range(4)]
    sheet = contact_sheet(pictures, ["a", "b", "c", "d"])
    assert sheet.shape[1] == COLUMNS * 120
    height = sheet.shape[0] // 2
    for number, picture in enumerate(pictures):
        top, left = number // COLUMNS * height, number % COLUMNS * 120
        assert (sheet[top : top + 90, left : left + 120] == picture).all()
        assert sheet[top + 90 : top + height, left : left + 120].min() < 100  # ink


@pytest.mark.parametrize("size", [(10, 4000), (4000, 10), (1, 1)])
def test_a_picture_of_any_shape_fits_a_sheet(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "odd.png")
    shown = first_picture(tmp_path / "odd.png")
    assert max(shown.shape[0] / 2, shown.shape[1]) == WIDTH or size == (1, 1)
    assert min(shown.shape[:2]) >= 1


def test_a_clips_first_frame_is_shown_in_every_style(
    make_clip: Callable[..., Path],
    make_style: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "styles"
    for seed, name in enumerate(("one", "two")):
        make_style(name, folder=folder, seed=seed)
    monkeypatch.setenv("VIDSTYLE_STYLES", str(folder))
    monkeypatch.setattr("vidstyle.stylizers.registry.shipped_folder", lambda: tmp_path / "none")
    clip = make_clip(frames=2)
    assert write_sheet(clip, tmp_path / "sheet.png", device="cpu") == ("one", "two")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    first = first_picture(clip)
    height = round(first.shape[0] * WIDTH / first.shape[1])
    shown = np.asarray(Image.fromarray(first).resize((WIDTH, height), Image.Resampling.LANCZOS))
    assert np.array_equal(sheet[:height, :WIDTH], shown)
    painting = load_style("two", device="cpu").paint(shown)
    assert np.array_equal(sheet[:height, 2 * WIDTH :], painting)


def test_black_bars_stay_as_in_a_run(
    tiny_style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.stylizers.registry.shipped_folder", lambda: tmp_path / "none")
    picture = np.random.default_rng(0).integers(60, 256, (300, WIDTH, 3), np.uint8)
    picture[:40] = picture[-40:] = 0
    Image.fromarray(picture).save(tmp_path / "film.png")
    write_sheet(tmp_path / "film.png", tmp_path / "sheet.png", device="cpu")
    painting = np.asarray(Image.open(tmp_path / "sheet.png"))[:300, WIDTH:]
    assert not painting[:40].any()
    assert not painting[260:].any()
    assert painting[40:260].any()


def test_a_broken_style_is_left_out_and_told_of(
    make_clip: Callable[..., Path],
    make_style: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, notes = tmp_path / "styles", list[str]()
    make_style("one", folder=folder)
    path = make_style("two", folder=folder)
    weights = {name: t * math.nan for name, t in load_file(path).items()}
    save_file(weights, path, {CARD_KEY: cards_text(read_cards(path))})
    monkeypatch.setenv("VIDSTYLE_STYLES", str(folder))
    monkeypatch.setattr("vidstyle.stylizers.registry.shipped_folder", lambda: tmp_path / "none")
    clip, sheet = make_clip(frames=1), tmp_path / "sheet.png"
    assert write_sheet(clip, sheet, device="cpu", on_note=notes.append) == ("one",)
    assert sheet.exists()
    assert len(notes) == 1
    assert "two" in notes[0]


def test_an_output_that_cannot_be_is_refused_before_anything_is_painted(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png or \.jpg"):
        write_sheet(tmp_path / "none.mp4", tmp_path / "sheet.webp")
    with pytest.raises(UsageError, match="no such folder"):
        write_sheet(tmp_path / "none.mp4", tmp_path / "none" / "sheet.png")


def test_a_sheet_that_fails_leaves_the_older_one(
    make_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ResourceError("no room")

    monkeypatch.setattr("vidstyle.jobs.sheet.load_style", fail)
    (sheet := tmp_path / "sheet.png").write_bytes(b"older")
    with pytest.raises(ResourceError, match="no room"):
        write_sheet(make_clip(frames=1), sheet, overwrite=True)
    assert sheet.read_bytes() == b"older"
    assert not list(tmp_path.glob(".*"))


def test_without_styles_there_is_no_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path))
    monkeypatch.setattr("vidstyle.stylizers.registry.shipped_folder", lambda: tmp_path)
    with pytest.raises(UsageError, match="no styles"):
        write_sheet(tmp_path / "a.png", tmp_path / "sheet.png")
