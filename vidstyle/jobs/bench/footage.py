"""The clip that a benchmark paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from typing import TypeVar

from vidstyle.jobs.bench.scene import moving_scene
from vidstyle.types import USUAL_RATE, Colour, EncodeOptions, Frame, Picture, VideoInfo
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames
from vidstyle.video.write import encode_track

T = TypeVar("T")

_MOST_BYTES = 400_000_000
_FEWEST_KEPT = 12


@dataclass(frozen=True)
class Footage:
    """A clip, and how much of it is painted."""

    info: VideoInfo
    frames: int

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.info.average_rate or USUAL_RATE

    def seconds(self, frames: int) -> Fraction:
        """How long so many frames are shown."""
        return frames / self.rate


@lru_cache(maxsize=1)
def make_footage(path: Path, size: tuple[int, int], frames: int, source: Path | None) -> Footage:
    """Write a clip of `frames` frames of `size`, (width, height), to `path`.

    Its pictures come from the clip `source`, scaled, or else are made. They run to and fro, so that
    a long clip needs few of them and has no cuts. The same call as before finds the file there.

    Raises:
        InputError: `source` cannot be read.
        ResourceError: `path` cannot be written.
    """
    kept = min(frames, max(_FEWEST_KEPT, _MOST_BYTES // (3 * size[0] * size[1])))
    pictures = list(_scaled(source, size, kept) if source else moving_scene(*size, kept))
    info = _info(path, size)
    encode_track(_timed(islice(to_and_fro(pictures), frames)), path, info, EncodeOptions())
    return Footage(probe(path), frames)


def found_footage(info: VideoInfo, frames: int) -> Footage:
    """The first `frames` frames of a clip, as they are; all of them where there are fewer.

    Raises:
        InputError: not one can be decoded.
    """
    return Footage(info, sum(1 for _ in islice(read_frames(info), frames)))


def to_and_fro(items: Sequence[T]) -> Iterator[T]:
    """`items` forwards, backwards, forwards again, without end: neighbours stay neighbours."""
    return cycle([*items, *items[-2:0:-1]])


def _scaled(source: Path, size: tuple[int, int], count: int) -> Iterator[Picture]:
    info = replace(probe(source), width=size[0], height=size[1])
    return (frame.image for frame in islice(read_frames(info), count))


def _timed(pictures: Iterable[Picture]) -> Iterator[Frame]:
    return (Frame(picture, pts, 1) for pts, picture in enumerate(pictures))


def _info(path: Path, size: tuple[int, int]) -> VideoInfo:
    """What `encode_track` has to know of a clip that is not there yet."""
    width, height = size
    return VideoInfo(
        path=path,
        container="nut",
        track=0,
        codec="h264",
        width=width,
        height=height,
        sample_aspect_ratio=Fraction(1),
        time_base=1 / USUAL_RATE,
        average_rate=USUAL_RATE,
        start_pts=0,
        duration=None,
        frame_count=None,
        colour=Colour("bt709" if height >= 720 else "smpte170m", full_range=False),
    )
