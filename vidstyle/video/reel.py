"""Several clips as the tiles of one small video in memory: tiles cannot drift apart."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt

import av
import numpy as np
from av.codec.context import Flags

from vidstyle.types import USUAL_RATE, Colour, Picture
from vidstyle.video.colour import YuvWriter, tag

_BASE = Fraction(1, 90_000)
_OPTIONS = {"crf": "26", "preset": "veryfast"}
_COLOUR = Colour("bt709", False, "bt709", "bt709")
_PIXELS = "yuv420p"


@dataclass(frozen=True)
class ReelVideo:
    """A finished reel."""

    data: bytes
    """An MP4 file with one H.264 track, which every browser plays."""
    times: tuple[float, ...]
    """Seconds at which each frame begins, the first at 0."""
    columns: int
    """Tiles lie in rows of so many, in the order of the clips."""
    rows: int


class Reel:
    """Writes the clips' frames as they come; holds nothing but the coded video."""

    def __init__(self, clips: int, height: int, width: int) -> None:
        """For frames of one size; both sides of it must be even."""
        self._columns = ceil(sqrt(clips))
        self._rows = ceil(clips / self._columns)
        self._tile = (height, width)
        self._file = io.BytesIO()
        self._output = av.open(self._file, "w", format="mp4")
        self._stream = self._output.add_stream(
            "libx264", USUAL_RATE, options=_OPTIONS, time_base=_BASE
        )
        context = self._stream.codec_context
        context.width, context.height = width * self._columns, height * self._rows
        context.pix_fmt = _PIXELS
        context.flags |= Flags.frame_duration
        tag(context, _COLOUR)
        self._yuv = YuvWriter(_COLOUR, _PIXELS)
        self._times: list[Fraction] = []

    def add(self, time: Fraction, images: Sequence[Picture]) -> None:
        """Append what all clips show from `time` on, in seconds; (height, width, 3) RGB each."""
        frame = self._yuv.write(self._mosaic(images))
        # Only the last frame's own length counts: that of the one before it is a good guess.
        length = time - self._times[-1] if self._times else 1 / USUAL_RATE
        self._times.append(time)
        frame.pts = round((time - self._times[0]) / _BASE)
        frame.duration, frame.time_base = round(length / _BASE), _BASE
        self._output.mux(self._stream.encode(frame))

    def finish(self) -> ReelVideo:
        """Close the video; nothing can be added any more."""
        self._output.mux(self._stream.encode(None))
        self._output.close()
        times = tuple(float(time - self._times[0]) for time in self._times)
        return ReelVideo(self._file.getvalue(), times, self._columns, self._rows)

    def _mosaic(self, images: Sequence[Picture]) -> Picture:
        height, width = self._tile
        mosaic = np.zeros((height * self._rows, width * self._columns, 3), np.uint8)
        for number, image in enumerate(images):
            row, column = divmod(number, self._columns)
            top, left = row * height, column * width
            mosaic[top : top + height, left : left + width] = image
        return mosaic
