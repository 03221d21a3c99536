"""Training data: found below folders, cropped by seed and step alone, broken ones passed over."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.training.data import (
    PhotoBatches,
    find_photos,
    find_pictures,
    hold_out,
    load_picture,
    middle,
    usable_pictures,
)


def test_finds_pictures_below_and_refuses_too_few(photos: Path, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no picture")
    assert len(find_photos(photos)) == 20
    (photos / "00.jpg").unlink()
    with pytest.raises(InputError, match="19 pictures found, at least 20"):
        find_photos(photos)
    with pytest.raises(InputError, match="no such folder"):
        find_photos(tmp_path / "missing")


def test_the_middle_of_a_picture_is_as_far_from_opposite_sides() -> None:
    columns, rows = np.meshgrid(np.arange(90), np.arange(70))
    picture = Image.fromarray(np.stack([columns, rows, rows * 0], axis=2).astype(np.uint8))
    cut = np.asarray(middle(picture, 64))
    assert cut.shape == (64, 64, 3)
    assert (cut[0, 0, :2] == (13, 3)).all()
    assert np.array_equal(middle(picture.crop((0, 0, 64, 64)), 64), picture.crop((0, 0, 64, 64)))


def test_batches_follow_from_seed_and_step_alone(photos: Path) -> None:
    files = find_photos(photos)
    one, other = PhotoBatches(files, 3, 48, seed=7), PhotoBatches(files, 3, 48, seed=7)
    assert one[5].shape == (3, 3, 48, 48)
    assert torch.equal(one[5], other[5])
    assert not torch.equal(one[5], one[6])
    assert not torch.equal(one[5], PhotoBatches(files, 3, 48, seed=8)[5])


def test_crops_are_cut_out_of_pictures_of_the_size_that_is_asked_for(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 200).astype(np.uint8)
    picture = np.broadcast_to(ramp[None, :, None], (200, 200, 3))
    Image.fromarray(np.ascontiguousarray(picture)).save(tmp_path / "ramp.png")

    def slope(picture_side: int) -> float:
        batch = PhotoBatches([tmp_path / "ramp.png"], 4, 40, seed=0, picture_side=picture_side)[0]
        return float(batch.diff(dim=3).abs().mean())

    assert slope(0) == slope(40) == pytest.approx(1 / 45, rel=0.1)
    assert slope(160) == pytest.approx(1 / 180, rel=0.1)


def test_around_a_crop_lies_its_mirror_image(photos: Path) -> None:
    batch = PhotoBatches(find_photos(photos), 2, 40, seed=0, border=5)[0]
    assert batch.shape == (2, 3, 50, 50)
    assert torch.equal(batch[..., :5], batch[..., 6:11].flip(-1))
    assert torch.equal(batch[..., -5:, :], batch[..., -11:-6, :].flip(-2))


def test_small_photographs_are_enlarged_to_the_crop(photos: Path) -> None:
    assert PhotoBatches(find_photos(photos), 1, 160, seed=0)[0].shape == (1, 3, 160, 160)


def test_broken_photographs_are_passed_over_but_not_for_ever(photos: Path) -> None:
    files = find_photos(photos)
    for path in files[1:]:
        path.write_bytes(path.read_bytes()[:100])
    assert PhotoBatches(files, 2, 48, seed=0)[0].shape == (2, 3, 48, 48)
    files[0].write_bytes(b"")
    with pytest.raises(InputError, match="in a row"):
        PhotoBatches(files, 2, 48, seed=0)[0]


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.new("RGB", (40, 20)).save(tmp_path / "side.jpg", exif=exif)
    assert load_picture(tmp_path / "side.jpg").size == (20, 40)
    assert load_picture(tmp_path / "side.jpg", short_side=10).size == (10, 20)


def test_a_cut_out_painting_is_learnt_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 20), (0, 0, 0, 0)).save(tmp_path / "hole.png")
    assert (np.asarray(load_picture(tmp_path / "hole.png")) == 255).all()


def test_what_trainings_have_left_is_not_learnt_from(photos: Path) -> None:
    """Their output may lie among the photographs; stills for a demonstration lie in it."""
    run = photos / "below" / "monet.run"
    (run / "stills").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(run / "preview.png")
    assert len(find_pictures(photos)) == 21, "no training was here"
    (run / "checkpoint.safetensors").touch()
    Image.new("RGB", (64, 64)).save(run / "stills" / "0.png")
    assert len(find_pictures(photos)) == 20
    assert find_pictures(run / "stills") == [run / "stills" / "0.png"]
    assert find_pictures(run) == [run / "preview.png", run / "stills" / "0.png"]


def test_pictures_of_no_use_are_named_each_with_its_fault(photos: Path) -> None:
    Image.new("RGB", (300, 30)).save(photos / "thin.png")
    (photos / "empty.jpg").touch()
    whole = (photos / "00.jpg").read_bytes()
    (photos / "below" / "cut.jpg").write_bytes(whole[: len(whole) - 100])
    Image.new("CMYK", (64, 64)).save(photos / "print.jpg")
    Image.new("F", (64, 64)).save(photos / "depth.tif")
    Image.new("RGB", (64, 64)).save(photos / "chunk.png")
    header = (photos / "chunk.png").read_bytes()[:33]
    (photos / "chunk.png").write_bytes(header + b"\0\0\0\2pHYs\0\0" + b"\xd7\xa2\x1b\xc4")
    notes: list[str] = []
    usable = usable_pictures(photos, 40, notes.append)
    assert len(usable) == 21
    assert photos / "print.jpg" in usable
    assert notes == [
        f"{photos}: left out below/cut.jpg (not readable), chunk.png (not readable), "
        "depth.tif (not readable), "
        "empty.jpg (not readable), "
        "thin.png (300x30 is too small)"
    ]


def test_a_picture_that_is_too_large_is_not_called_broken(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (400, 300)).save(photos / "scan.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    notes: list[str] = []
    usable_pictures(photos, 40, notes.append)
    assert notes == [f"{photos}: left out scan.png (too large to be safe; scale it down)"]
    with pytest.raises(InputError, match="too large"):
        load_picture(photos / "scan.png")


def test_a_folder_without_fault_needs_no_words_and_one_of_many_few(photos: Path) -> None:
    notes: list[str] = []
    assert len(usable_pictures(photos, 40, notes.append)) == 20
    assert notes == []
    for k in range(13):
        (photos / f"broken{k:02}.jpg").touch()
    usable_pictures(photos, 40, notes.append)
    assert notes[0].endswith("broken09.jpg (not readable) and 3 more")


def test_photographs_in_a_file_are_no_folder(photos: Path) -> None:
    with pytest.raises(InputError, match="is a file, not a folder of pictures"):
        find_photos(next(photos.rglob("*.jpg")))


@given(st.integers(20, 300), st.floats(0, 1))
def test_what_is_held_out_is_not_learnt_from(count: int, share: float) -> None:
    pictures = [Path(f"{k:03}.jpg") for k in range(count)]
    size, learnt, held_out = split = hold_out(pictures, share, 80)
    assert sorted(learnt + held_out) == pictures
    assert len(held_out) == pytest.approx(min(share, 0.5) * count, abs=1)
    assert bool(held_out) == (share > 0)
    assert size == 80
    assert split.shown == (held_out or learnt)
    if held_out:
        places = [pictures.index(path) for path in held_out]
        assert places[0] == 0
        assert np.ptp(np.diff([*places, count])) <= 1, "they are not spread evenly"
