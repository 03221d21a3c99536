"""The painted track as numbered pictures: no sound and no times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.types import Picture
from vidstyle.video.colour import RgbReader, colour_of
from vidstyle.video.images import write_image
from vidstyle.video.opening import open_input

if TYPE_CHECKING:
    from av import VideoFrame


def write_pictures(
    segments: Sequence[Path],
    pattern: Path,
    number_of: Callable[[VideoFrame], int],
    stamp: dict[str, Any],
    shape: Fraction = Fraction(1),
    on_picture: Callable[[], None] = lambda: None,
) -> tuple[Path, ...]:
    """Turn what `encode_track` wrote into a picture a frame.

    Args:
        segments: the painted track, in order; one file or more.
        pattern: a numbered name (`opening.is_numbered`); files of such names are overwritten.
        number_of: gives each frame its number.
        stamp: goes into each of them, where `stamp.read_stamp` finds it.
        shape: width over height of a pixel of the track; a picture's are square.
        on_picture: called with each picture; what it raises ends the work.

    Returns:
        The pictures.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    pictures = []
    for frame, image in chain.from_iterable(decoded(path, shape) for path in segments):
        on_picture()
        pictures.append(pattern.with_name(pattern.name % number_of(frame)))
        write_image(pictures[-1], image, stamp)
    return tuple(pictures)


def decoded(path: Path, shape: Fraction) -> Iterator[tuple[VideoFrame, Picture]]:
    """The frames of a painted track, each with its picture (H, W, 3) uint8 RGB.

    Pixels of another `shape` than 1 become square ones, of which there are more.
    """
    with open_input(path) as painted:
        rgb = None
        for frame in painted.decode(video=0):
            width = round(frame.width * max(shape, Fraction(1)))
            height = round(frame.height / min(shape, Fraction(1)))
            rgb = rgb or RgbReader(width, height, colour_of(frame))
            yield frame, rgb.read(frame)
