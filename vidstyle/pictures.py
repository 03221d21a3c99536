"""Still pictures as they are meant to be seen (Pillow): what is painted and what is learnt from."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from PIL import ExifTags, Image, ImageCms

BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError)
"""What Pillow raises on files that are no whole picture."""
# Pillow knows more, among them MPEG streams, which are no pictures, and programs to be run.
_READABLE: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class LevelsError(ValueError):
    """Levels that nobody can tell the light of; one of `BROKEN`."""


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture of a kind that is read here, in silence.

    Raises one of `BROKEN`, or Image.DecompressionBombError above 179 million pixels.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise OSError("not a regular file")
    # Pillow warns of very large pictures on stderr; the absurd ones it refuses.
    Image.init()
    formats: list[str] = [name for name in _READABLE if name in Image.OPEN]  # AVIF needs a library
    with warnings.catch_warnings(action="ignore"), Image.open(path, formats=formats) as image:
        yield image


def as_seen(image: Image.Image) -> Image.Image:
    """The RGB picture that is meant: upright by its EXIF tag, in sRGB, on white.

    Raises one of `BROKEN`.
    """
    image.load()  # a TIFF is turned by that already, and loses its tag
    turn = _TURNS.get(exif_orientation(image))
    return _flatten(_to_srgb(image if turn is None else image.transpose(turn)))


def exif_orientation(image: Image.Image) -> int:
    """The EXIF tag that says how a picture lies (CIPA DC-008, Orientation); 1 is upright."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (*BROKEN, struct.error, KeyError, TypeError):  # tags of a kind that is not theirs
        return 1


def _to_srgb(image: Image.Image) -> Image.Image:
    """Pixels in sRGB: a phone's Display P3 would otherwise look pale once its profile is gone."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError):  # a profile that makes no sense
        return image


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert(
            "RGB"
        )
    if image.mode == "F":
        raise LevelsError("floating-point levels, which have no agreed scale")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
