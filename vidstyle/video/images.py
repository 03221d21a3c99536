"""Still pictures in and out (Pillow)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from vidstyle.errors import InputError, UsageError
from vidstyle.files import writing
from vidstyle.pictures import BROKEN, LevelsError, as_seen, exif_orientation, open_picture
from vidstyle.types import Limits, Picture
from vidstyle.video.opening import check_limit

IMAGE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
"""Suffixes of the pictures that can be written, with Pillow's names for them."""
_MOVING = ("PNG", "WEBP", "AVIF")
_STAMP = "vidstyle"
# Degrees counter-clockwise, after a flip left to right or without one (CIPA DC-008, Orientation).
_UPRIGHT = {
    2: (0, True),
    3: (180, False),
    4: (180, True),
    5: (90, True),
    6: (270, False),
    7: (270, True),
    8: (90, False),
}
_TOO_LARGE = "is too large to be painted; make it smaller first"


def is_image(path: Path) -> bool:
    """Whether a file is a still picture, judged by its content and not by its name.

    A GIF is a clip even with a single frame, and so is any other moving picture.
    """
    try:
        with open_picture(path) as image:
            moving = image.format in _MOVING and getattr(image, "is_animated", False)
            return not moving
    except Image.DecompressionBombError:
        return True
    except BROKEN:
        return False


def check_size(path: Path, limits: Limits) -> None:
    """Refuse a picture that is larger than `limits` allow, by its header.

    Raises:
        InputError: it is, or it is larger than Pillow ever opens (179 million pixels).
    """
    try:
        with open_picture(path) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: {_TOO_LARGE}") from error
    check_limit(path, limits, "pixels", width * height, f"is {width}x{height}: {{}} pixels")


def image_suffix(path: Path) -> str:
    """The suffix of a painted picture: .jpg for a JPEG, .png for everything else."""
    with open_picture(path) as image:
        return ".jpg" if image.format in ("JPEG", "MPO") else ".png"


def read_image(path: Path) -> Picture:
    """A picture as it is meant to be seen: upright by its EXIF tag, in sRGB, on white.

    Returns:
        (H, W, 3) uint8 RGB, contiguous.

    Raises:
        InputError: the picture cannot be decoded.
    """
    try:
        with open_picture(path) as image:
            return np.array(as_seen(image), dtype=np.uint8)
    except FileNotFoundError as error:
        raise InputError(f"{path}: does not exist; check the name") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: {_TOO_LARGE}") from error
    except BROKEN as error:
        raise InputError(f"{path}: {_why_unreadable(path, error)}") from error


def _why_unreadable(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "is a folder; name a picture"
    if isinstance(error, LevelsError):
        return f"holds {error}; convert it to 8 or 16 bits first"
    return "cannot be read as a picture; it is damaged or cut off"


def picture_orientation(path: Path) -> tuple[int, bool]:
    """How a picture's EXIF tag turns it upright, as `vidstyle.video.info.orientation` says it."""
    try:
        with open_picture(path) as image:
            return _UPRIGHT.get(exif_orientation(image), (0, False))
    except (*BROKEN, Image.DecompressionBombError):  # of a kind that only FFmpeg knows
        return 0, False


def is_see_through(path: Path) -> bool:
    """Whether a readable picture has a pixel that is not solid."""
    with open_picture(path) as image:
        if not image.has_transparency_data:
            return False
        return bool((np.asarray(image.convert("RGBA"))[..., 3] < 255).any())


def picture_format(path: Path) -> str:
    """The format that a picture's name asks for, as Pillow calls it.

    Raises:
        UsageError: neither PNG nor JPEG.
    """
    try:
        return IMAGE_FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"{path}: cannot be written: pictures become .png or .jpg") from None


def write_image(path: Path, array: Picture, stamp: dict[str, Any]) -> None:
    """Save a picture, with `stamp` in a PNG text chunk or a JPEG comment.

    Args:
        path: where to write; overwritten.
        array: (H, W, 3) uint8 RGB.
        stamp: what JSON can hold.

    Raises:
        UsageError: neither PNG nor JPEG.
        ResourceError: the place cannot be written, or the disk is full.
    """
    format_name = picture_format(path)
    text = json.dumps({_STAMP: stamp})
    if format_name == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text(_STAMP, text)
        options: dict[str, Any] = {"pnginfo": info}
    else:
        options = {"comment": text.encode(), "quality": 95, "subsampling": 0}
    with writing(path):
        Image.fromarray(array).save(path, format=format_name, **options)


def image_stamp_text(path: Path) -> str:
    """The text in which `write_image` keeps its stamp, empty where there is none to be read."""
    try:
        with open_picture(path) as image:
            text = image.info.get(_STAMP) or image.info.get("comment", b"")
    except (*BROKEN, Image.DecompressionBombError):
        return ""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
