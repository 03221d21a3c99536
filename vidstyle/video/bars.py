"""Black bars, which fill a picture up to the shape of its frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.types import Picture, VideoInfo
from vidstyle.video.decode import Losses, decoded
from vidstyle.video.opening import open_input
from vidstyle.video.read import ReadReport, expected_frames, upright

if TYPE_CHECKING:
    from av.video.stream import VideoStream


# Places in a clip that are looked at, key frames that are enough to go by, and frames that are
# decoded one after the other where there are fewer.
_SAMPLES, _ENOUGH, _IN_A_ROW = 8, 4, 300
# Luma, 0-255, up to which a pixel is black: encoders leave some noise in bars.
_BLACK = 24
# Part of a line, of what the fullest line shows, that titles and logos in a bar may fill ...
_TITLED = 0.25
# ... and that the picture fills, somewhere in time, within so many lines from the bar.
_FILLED, _SHARP = 0.75, 3
# Part of its lines that a picture fills at least: less are titles on black, and no picture.
_WIDE = 0.5
# A thinner bar is not worth an edge, a thicker one is a dark scene; shares of all lines.
_THINNEST, _THICKEST = 0.01, 0.36


@dataclass(frozen=True)
class Bars:
    """How many lines of the upright picture are bars on each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @classmethod
    def of_clip(cls, info: VideoInfo) -> Self:
        """The bars of a clip, judged by frames from all over it."""
        shown = ((frame, frame.pts or 0) for frame in _spread(info))
        frames = upright(shown, info, ReadReport(), threads=1)
        return cls.of_pictures(frame.image for frame in frames)

    @classmethod
    def of_pictures(cls, images: Iterable[Picture]) -> Self:
        """What is black on two opposite sides of all pictures, (H, W, 3) RGB of one size.

        Black on one side alone is taken for a part of the picture: a dark ground, or a night sky.
        """
        lit, rows, columns = np.zeros((1, 1), bool), np.zeros(1), np.zeros(1)
        for image in images:
            shown = np.asarray(Image.fromarray(image).convert("L")) > _BLACK
            lit = lit | shown
            rows, columns = np.maximum(rows, shown.mean(1)), np.maximum(columns, shown.mean(0))
        bars = cls(*_pair(rows, lit.mean(axis=1)), *_pair(columns, lit.mean(axis=0)))
        return bars if bars._shows_a_picture(lit) else cls()

    def _shows_a_picture(self, lit: NDArray[np.bool_]) -> bool:
        """Whether what lies between them is no mere line of letters; `lit` (H, W) ever was."""
        inside = lit[self._place(lit)]
        ends = ((self.top, 1), (self.left, 0))
        return all(inside.mean(axis=axis).max() >= _WIDE for bar, axis in ends if bar)

    @classmethod
    def of_stamp(cls, stamp: dict[str, Any]) -> Self:
        """The bars that a painting was given, by a stamp of `video.stamp.read_stamp`."""
        return cls(*map(int, stamp.get("bars", ())))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any(astuple(self))

    def inside(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what they leave of a frame."""
        return height - self.top - self.bottom, width - self.left - self.right

    def cut(self, image: Picture) -> Picture:
        """An (H, W, 3) picture without its bars, contiguous."""
        return np.ascontiguousarray(image[self._place(image)])

    def filled(self, image: Picture, part: Picture) -> Picture:
        """An (H, W, 3) picture with `part` in place of what `cut` gives."""
        if not self:
            return part
        out = image.copy()
        out[self._place(image)] = part
        return out

    def _place(self, image: NDArray[Any]) -> tuple[slice, slice]:
        height, width = image.shape[:2]
        return slice(self.top, height - self.bottom), slice(self.left, width - self.right)


def _pair(most: NDArray[np.float64], ever: NDArray[np.float64]) -> tuple[int, int]:
    """Lines of a bar at the beginning and at the end; none at all unless there are both.

    Takes, for each line, the part of it that is lit at most, and that is ever lit.
    """
    first, last = _bar(most, ever), _bar(most[::-1], ever[::-1])
    return (first, last) if first and last else (0, 0)


def _bar(most: NDArray[np.float64], ever: NDArray[np.float64]) -> int:
    fullest = ever.max()
    bar = int((most > _TITLED * fullest).argmax())
    is_sharp = ever[bar : bar + _SHARP].max() >= _FILLED * fullest
    return bar if is_sharp and _THINNEST <= bar / len(most) <= _THICKEST else 0


def _spread(info: VideoInfo) -> Iterator[av.VideoFrame]:
    """Key frames from all over a clip, which cost little; where there are few, frames that follow
    one another as well, for one key frame may be the only one for ten seconds."""
    keys = {frame.pts: frame for frame in _key_frames(info)}
    yield from keys.values()
    if len(keys) >= _ENOUGH:
        return
    count = min(expected_frames(info) or _IN_A_ROW, _IN_A_ROW)
    with open_input(info.path, info.average_rate) as container:
        stream: VideoStream = container.streams[info.track]  # type: ignore[assignment]
        frames = decoded(container, stream, Losses(), most_pixels=info.limits.pixels)
        yield from islice(frames, 0, _IN_A_ROW, max(1, count // _SAMPLES))


def _key_frames(info: VideoInfo) -> Iterator[av.VideoFrame]:
    """The one before each of some places, as far as they can be had; a clip without a length has
    no places."""
    if not info.duration:
        return
    with open_input(info.path, info.average_rate) as container:
        stream: VideoStream = container.streams[info.track]  # type: ignore[assignment]
        stream.codec_context.options = {"max_pixels": str(info.limits.pixels)}
        stream.codec_context.skip_frame = "NONKEY"
        for number in range(_SAMPLES):
            place = info.start_pts + round(info.duration * number / _SAMPLES / info.time_base)
            with suppress(av.FFmpegError):
                container.seek(place, stream=stream)
                yield from islice(container.decode(stream), 1)
