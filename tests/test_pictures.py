"""Pictures as they are meant to be seen: upright whatever the tag says, on white, in 8 bits."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from vidstyle.pictures import BROKEN, as_seen, open_picture


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
@pytest.mark.parametrize("tag", range(10))
def test_every_orientation_is_turned_upright(tmp_path: Path, tag: int, suffix: str) -> None:
    path = tmp_path / f"side.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = tag
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    with open_picture(path) as picture, Image.open(path) as again:
        expected = ImageOps.exif_transpose(again)
        assert np.array_equal(as_seen(picture), expected)
        assert (expected.size == (24, 40)) == (tag in (5, 6, 7, 8))


def test_tags_that_make_no_sense_leave_a_picture_as_it_is(tmp_path: Path) -> None:
    """Pillow's own way to turn a picture writes its tags anew, and breaks on this one."""
    lies_on_its_side = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    samples_in_words = struct.pack("<HHI4s", 0x0115, 2, 4, b"RGB\0")
    tags = struct.pack("<2sHIH", b"II", 42, 8, 2) + lies_on_its_side + samples_in_words
    path = tmp_path / "odd.jpg"
    Image.new("RGB", (40, 20), "red").save(path, exif=b"Exif\0\0" + tags + bytes(4))
    with open_picture(path) as picture:
        assert as_seen(picture).size == (20, 40)
        with pytest.raises(struct.error):
            ImageOps.exif_transpose(picture)


def test_deep_grey_is_grey_and_holes_are_white(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(8, axis=0)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    with open_picture(tmp_path / "deep.png") as picture:
        assert np.array_equal(as_seen(picture), (ramp >> 8)[..., None].repeat(3, axis=2))
    cut_out = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    cut_out.paste((200, 30, 40, 255), (0, 0, 4, 8))
    cut_out.save(tmp_path / "cut-out.png")
    with open_picture(tmp_path / "cut-out.png") as picture:
        seen = np.asarray(as_seen(picture))
    assert (seen[:, :4] == (200, 30, 40)).all()
    assert (seen[:, 4:] == 255).all()


def test_programs_are_no_pictures(tmp_path: Path) -> None:
    """Pillow would have Ghostscript run this one."""
    (tmp_path / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with Image.open(tmp_path / "page.png") as page:
        assert page.format == "EPS"
    with pytest.raises(BROKEN), open_picture(tmp_path / "page.png"):
        pass


def test_what_would_block_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(BROKEN, match="not a regular file"), open_picture(tmp_path / "pipe.jpg"):
        pass


def test_levels_without_a_scale_are_no_picture(tmp_path: Path) -> None:
    """From 0 to 1 or to 255: taken for the other, a photograph is black."""
    Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)).save(tmp_path / "f.tif")
    with open_picture(tmp_path / "f.tif") as picture, pytest.raises(BROKEN):
        as_seen(picture)
