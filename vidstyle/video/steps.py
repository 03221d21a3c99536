"""The steps of reading and writing, one at a time, so that each can be timed by itself.

`read_frames` and `encode_track` take the same steps in pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.files import writing
from vidstyle.types import USUAL_RATE, EncodeOptions, Frame, Picture, VideoInfo
from vidstyle.video.colour import YuvWriter, output_colour
from vidstyle.video.opening import open_output
from vidstyle.video.read import ReadReport, upright, wanted_frames
from vidstyle.video.write import open_encoder

if TYPE_CHECKING:
    import av

    Decoded = tuple[av.VideoFrame, int]


def decode(info: VideoInfo, threads: int = 1) -> Iterator[Decoded]:
    """A clip's frames as its codec gives them, each with its pts."""
    return wanted_frames(info, None, None, ReadReport(), threads)


def to_rgb(frames: Iterable[Decoded], info: VideoInfo, threads: int = 1) -> Iterator[Frame]:
    """What `decode` gave as (H, W, 3) RGB, upright: together they are `read_frames`."""
    return upright(iter(frames), info, ReadReport(), threads)


def to_yuv(
    images: Iterable[Picture], info: VideoInfo, pixel_format: str
) -> Iterator[av.VideoFrame]:
    """(H, W, 3) RGB as what an encoder takes."""
    yuv = YuvWriter(output_colour(info.colour, pixel_format), pixel_format)
    return map(yuv.write, images)


def encode(
    pictures: Iterable[av.VideoFrame], path: Path, info: VideoInfo, options: EncodeOptions
) -> None:
    """Encode what `to_yuv` gave into `path`, a NUT file, at the clip's average frame rate.

    Raises:
        UsageError, ResourceError: as `encode_track` does.
    """
    with writing(path), open_output(path, "nut", {}) as output:
        stream, _ = open_encoder(output, info, options)
        ticks = round(1 / (info.average_rate or USUAL_RATE) / info.time_base)
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number * ticks, info.time_base
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
