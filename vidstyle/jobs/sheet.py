"""A contact sheet: one picture in every style, so that a style can be chosen by eye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vidstyle.errors import StyleError, UsageError
from vidstyle.jobs.publish import published, refuse_taken
from vidstyle.jobs.style import load_style
from vidstyle.motion.scale import scaled
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.types import Limits, Picture
from vidstyle.video.bars import Bars
from vidstyle.video.images import check_size, is_image, picture_format, read_image, write_image
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

COLUMNS: Final = 3
WIDTH: Final = 640
"""Of each painting, in pixels."""
_MOST_HEIGHT = 1280
_CAPTION = 44
_PAPER, _INK = (250, 248, 244), (40, 40, 40)
"""Colours of the sheet and of its captions."""


def write_sheet(
    source: Path,
    output: Path,
    *,
    overwrite: bool = False,
    device: str = "auto",
    on_note: Callable[[str], None] = lambda _: None,
) -> tuple[str, ...]:
    """Paint a picture, or a clip's first frame, in every style; gives the names of the styles.

    A style that is broken is left out, and `on_note` told why.

    Raises:
        InputError: the source is neither a picture nor a clip.
        UsageError: there are no styles, or the output's name is no picture's, that of the source,
            or taken.
        StyleError: every style is broken.
        ResourceError: a style cannot be used here, or the output not written.
    """
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"{output}: is what the sheet is to show; give the sheet another name")
    refuse_taken(output, overwrite=overwrite)
    picture_format(output)
    names = StyleRegistry().names()
    if not names:
        raise UsageError("there are no styles to show")
    with published(output, overwrite=overwrite) as part:
        picture = first_picture(source)
        bars = Bars.of_pictures([picture])
        paintings: dict[str, Picture] = {}
        for name in names:
            try:
                painting = load_style(name, device=device).paint(bars.cut(picture))
                paintings[name] = bars.filled(picture, painting)
            except StyleError as error:
                on_note(f"left out: {error}")
        if not paintings:
            raise StyleError("every style is broken: there is nothing to show")
        sheet = contact_sheet([picture, *paintings.values()], ["as it is", *paintings])
        write_image(part, sheet, {"styles": list(paintings)})
    return tuple(paintings)


def first_picture(source: Path) -> Picture:
    """Read a picture, or the first frame of a clip: (H, W, 3) RGB, 0-255, square pixels.

    W is WIDTH, or less where it would be too high for a sheet.

    Raises:
        InputError: it is neither, or too large to be read safely.
    """
    if is_image(source):
        check_size(source, Limits())
        return _fitting(read_image(source))
    info = probe(source)
    return _fitting(next(iter(read_frames(info))).image, info.sample_aspect_ratio)


def _fitting(picture: Picture, shape: Fraction = Fraction(1)) -> Picture:
    """The picture in the sheet's size; its pixels are `shape` times as wide as they are high."""
    height, width = picture.shape[0], picture.shape[1] * shape
    scale = min(WIDTH / width, _MOST_HEIGHT / height)
    return scaled(picture, max(1, round(height * scale)), max(1, round(width * scale)))


def contact_sheet(pictures: Sequence[Picture], captions: Sequence[str]) -> Picture:
    """Hang pictures (H, W, 3) of one size side by side, each above its caption."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // COLUMNS)
    columns = min(COLUMNS, len(pictures))
    sheet = Image.new("RGB", (columns * width, rows * (height + _CAPTION)), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(22)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = number % COLUMNS * width, number // COLUMNS * (height + _CAPTION)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left + 10, top + height + 8), caption, _INK, font)
    return np.asarray(sheet)
