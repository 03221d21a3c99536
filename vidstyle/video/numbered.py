"""The painted track as numbered pictures: every pixel as it was painted, no sound and no times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.video.colour import RgbReader, colour_of
from vidstyle.video.images import write_image
from vidstyle.video.opening import open_input

if TYPE_CHECKING:
    import numpy as np
    from av import VideoFrame
    from numpy.typing import NDArray


def write_pictures(
    segments: Sequence[Path],
    pattern: Path,
    first: int,
    stamp: dict[str, Any],
    on_picture: Callable[[], None] = lambda: None,
) -> int:
    """Turn what `encode_track` wrote into a picture a frame.

    Args:
        segments: the painted track, in order; one file or more.
        pattern: a name with %d or %04d for the number; files of such names are overwritten.
        first: the first number.
        stamp: goes into each of them, where `stamp.read_stamp` finds it.
        on_picture: called with each picture; what it raises ends the work.

    Returns:
        How many there are.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    number = first - 1
    pictures = (picture for path in segments for picture in decoded(path))
    for number, (_, image) in enumerate(pictures, first):
        on_picture()
        write_image(pattern.with_name(pattern.name % number), image, stamp)
    return number - first + 1


def decoded(path: Path) -> Iterator[tuple[VideoFrame, NDArray[np.uint8]]]:
    """The frames of a painted track, each with its picture (H, W, 3) uint8 RGB."""
    with open_input(path) as painted:
        rgb = None
        for frame in painted.decode(video=0):
            rgb = rgb or RgbReader(frame.width, frame.height, colour_of(frame))
            yield frame, rgb.read(frame)
