from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.types import Limits
from vidstyle.video.images import (
    check_size,
    image_stamp_text,
    image_suffix,
    is_image,
    read_image,
    write_image,
)
from vidstyle.video.stamp import read_stamp

Noise = Callable[..., Any]
STAMP = {"style": "monet", "note": "naïve"}


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".png"), ("BMP", ".png"), ("TIFF", ".png")],
)
def test_pictures_are_told_by_content(tmp_path: Path, noise: Noise, kind: str, suffix: str) -> None:
    path = tmp_path / "holiday.mp4"
    Image.fromarray(noise(40, 30)).save(path, format=kind, quality=95)
    assert is_image(path)
    assert image_suffix(path) == suffix
    image = read_image(path)
    assert (image.shape, image.dtype) == ((30, 40, 3), np.uint8)
    assert image.flags.c_contiguous
    assert image.flags.writeable


def test_clips_and_rubbish_are_no_pictures(
    tmp_path: Path, make_media: Callable[..., Path], noise: Noise
) -> None:
    frames = [Image.fromarray(noise(40, 30, seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "still.gif")
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    (tmp_path / "text").write_text("Dear diary")
    (tmp_path / "empty").touch()
    mpeg = make_media("a.mpg", codec="mpeg1video", pixel_format="yuv420p", options={})
    for name in ("a.gif", "still.gif", "a.webp", "a.png", "text", "empty", "missing"):
        assert not is_image(tmp_path / name), name
    assert not is_image(mpeg)
    assert not is_image(make_media())


def test_exif_orientation_is_honoured(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.png", noise(40, 30)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path), np.rot90(pixels, -1))


def test_see_through_pictures_lie_on_white(tmp_path: Path) -> None:
    layers = np.zeros((4, 4, 4), np.uint8)
    layers[:2] = (200, 0, 0, 255)
    for name in ("a.png", "palette.png"):
        image = Image.fromarray(layers)
        (image.quantize() if name == "palette.png" else image).save(tmp_path / name)
        pixels = read_image(tmp_path / name)
        assert pixels[0, 0].tolist() == [200, 0, 0]
        assert pixels[3, 3].tolist() == [255, 255, 255]


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    levels = np.array([[0, 255, 0x8000, 0xFFFF]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 0, 128, 255]


def test_grey_and_printers_colours_become_rgb(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 90).save(tmp_path / "grey.png")
    assert read_image(tmp_path / "grey.png")[0, 0].tolist() == [90, 90, 90]
    Image.new("CMYK", (8, 8), (0, 0, 0, 0)).save(tmp_path / "print.jpg")
    assert read_image(tmp_path / "print.jpg")[0, 0].tolist() == [255, 255, 255]


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile whose red is blue: their entries in its table of tags have changed places.
    swapped = srgb.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1)
    profiles = {
        "same": (srgb, [10, 120, 240]),
        "swapped": (swapped.replace(b"????", b"bXYZ", 1), [240, 120, 10]),
        "rubbish": (b"rubbish", [10, 120, 240]),
    }
    for name, (profile, expected) in profiles.items():
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (8, 8), (10, 120, 240)).save(path, icc_profile=profile)
        assert np.abs(read_image(path)[0, 0] - np.array(expected)).max() <= 1, name


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".JPG"])
def test_the_stamp_comes_back(tmp_path: Path, noise: Noise, suffix: str) -> None:
    path, pixels = tmp_path / f"a{suffix}", noise(40, 30)
    write_image(path, pixels, STAMP)
    assert read_stamp(path) == STAMP
    difference = np.abs(read_image(path).astype(int) - pixels)
    assert difference.mean() < (6 if suffix != ".png" else 0.001)


def test_foreign_comments_are_no_stamps(tmp_path: Path, noise: Noise) -> None:
    for comment in (b"", b"nice", b'{"a": 1}', b"[1]", b'{"vidstyle": 1}', b"\xff\xfe"):
        Image.fromarray(noise(8, 8)).save(tmp_path / "a.jpg", comment=comment)
        assert read_stamp(tmp_path / "a.jpg") is None


def test_what_cannot_be_read_or_written_is_one_line(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.png"
    write_image(path, noise(40, 30), STAMP)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_image(path)
    with pytest.raises(InputError, match="does not exist"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)
    Image.new("F", (8, 8)).save(tmp_path / "depth.tif")
    with pytest.raises(InputError, match=r"depth\.tif: holds floating-point levels"):
        read_image(tmp_path / "depth.tif")
    with pytest.raises(UsageError, match=r"png or \.jpg"):
        write_image(tmp_path / "a.webp", noise(8, 8), STAMP)
    with pytest.raises(ResourceError, match="folder does not exist"):
        write_image(tmp_path / "no" / "a.png", noise(8, 8), STAMP)


def test_an_absurd_picture_is_refused(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.png", noise(64, 64), STAMP)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert is_image(tmp_path / "a.png")
    assert image_stamp_text(tmp_path / "a.png") == ""
    for look in (read_image, lambda path: check_size(path, Limits())):
        with pytest.raises(InputError, match="too large"):
            look(tmp_path / "a.png")


def test_a_large_picture_needs_trust(tmp_path: Path, noise: Noise) -> None:
    write_image(tmp_path / "a.png", noise(64, 64), STAMP)
    check_size(tmp_path / "a.png", Limits(pixels=4096))
    with pytest.raises(InputError, match=r"64x64.*--limit pixels=4096"):
        check_size(tmp_path / "a.png", Limits(pixels=4095))
