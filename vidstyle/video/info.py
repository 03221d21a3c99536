"""What there is to know about a clip before it is painted."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.sidedata.sidedata import Type
from av.stream import Disposition

from vidstyle.errors import InputError
from vidstyle.types import Limits, VideoInfo
from vidstyle.video.colour import colour_of
from vidstyle.video.decode import Losses, decoded
from vidstyle.video.images import picture_orientation
from vidstyle.video.opening import (
    ENCRYPTED,
    UNDECODABLE,
    check_limit,
    is_sequence,
    open_input,
    sequence_files,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer
    from av.sidedata.sidedata import SideData
    from av.stream import Stream
    from av.video.stream import VideoStream

_MOST_OBLONG = 16
_CLOCK = re.compile(r"([0-9]{1,6}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,12})?)")
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "mkv": ".mkv"}


def probe(path: Path, limits: Limits | None = None, *, rate: Fraction | None = None) -> VideoInfo:
    """Look at a clip, or at a sequence of pictures (see `open_input`), and decode its first frame.

    The painted track is the first video stream that is no cover picture and gives a frame.

    Raises:
        InputError: the file is no readable video, has no picture that can be decoded, or asks for
            more than `limits` allow.
    """
    limits = limits or Limits()
    with open_input(path, rate) as container:
        _check_tracks(container, path, limits)
        stream, frame = _painted_track(container, path, limits)
        duration = _declared_duration(container, stream)
        if duration is not None:
            check_limit(path, limits, "hours", math.ceil(duration / 3600), "lasts {} hours")
        rotation, mirrored = _upright(path, frame)
        sideways = rotation in (90, 270)
        width, height = frame.width, frame.height
        aspect = _pixel_shape(stream)
        return VideoInfo(
            path=path,
            container=_container_name(container, path),
            track=stream.index,
            codec=stream.codec_context.codec.canonical_name,
            width=height if sideways else width,
            height=width if sideways else height,
            sample_aspect_ratio=1 / aspect if sideways else aspect,
            time_base=_time_base(stream),
            average_rate=_rate(stream),
            start_pts=frame.pts or 0,
            duration=duration,
            frame_count=stream.frames or None,
            colour=colour_of(frame),
            depth=max(component.bits for component in frame.format.components),
            rotation=rotation,
            mirrored=mirrored,
            other_tracks=len(container.streams) - 1,
            limits=limits,
        )


def output_suffix(info: VideoInfo) -> str:
    """The suffix of the painted clip: its input's container where that can hold it, else .mp4."""
    return _SUFFIXES.get(info.container, ".mp4")


def is_cover(stream: Stream) -> bool:
    """Whether a stream is a picture about the clip rather than the clip."""
    return bool(stream.disposition & _COVER)


def _upright(path: Path, frame: av.VideoFrame) -> tuple[int, bool]:
    """What `orientation` says; for numbered pictures, what the first one says itself."""
    if is_sequence(path):
        return picture_orientation(next(iter(sequence_files(path).values())))
    return orientation(frame)


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How a stored frame becomes upright, from its display matrix.

    Returns:
        Degrees counter-clockwise (0, 90, 180 or 270), and whether the stored picture is to be
        flipped left to right first. The matrix (ISO/IEC 14496-12, section 8.3.2) takes a point
        (x, y), y pointing down, to (a x + c y, b x + d y); any other angle goes to the nearest.
    """
    try:
        side_data = cast("Mapping[Type, SideData]", frame.side_data)
    except ValueError:  # PyAV knows no name for some of it, as for a photograph's EXIF data
        return round(frame.rotation / 90) % 4 * 90, False
    if Type.DISPLAYMATRIX not in side_data:
        return 0, False
    matrix = memoryview(bytes(side_data[Type.DISPLAYMATRIX])).cast("i")
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0
    if mirrored:  # the flip undone, a rotation is left
        a, b = -a, -b
    quarter_turns = round(math.degrees(math.atan2(-b, a)) / 90)
    return quarter_turns % 4 * 90, mirrored


def _painted_track(
    container: InputContainer, path: Path, limits: Limits
) -> tuple[VideoStream, av.VideoFrame]:
    candidates = [s for s in container.streams.video if not is_cover(s)]
    if not candidates:
        raise InputError(f"{path}: has no video track{_what_else(container)}")
    readable = [s for s in candidates if s.codec_context is not None]
    if not readable:
        raise InputError(f"{path}: is coded in a way that cannot be decoded here; convert it first")
    encrypted = any("enc_key_id" in s.metadata for s in readable)
    # A moving AVIF begins with a still, as a track of its own.
    for stream in sorted(readable, key=lambda s: s.frames == 1):
        _check_size(stream, path, limits)
        losses = Losses()
        for frame in decoded(container, stream, losses, most_pixels=limits.pixels):
            return stream, frame
        encrypted = encrypted or losses.encrypted
        with suppress(av.FFmpegError):  # nothing there: back to the start for the next one
            container.seek(0)
    raise InputError(f"{path}: {ENCRYPTED if encrypted else UNDECODABLE}")


def _check_tracks(container: InputContainer, path: Path, limits: Limits) -> None:
    check_limit(path, limits, "tracks", len(container.streams), "has {} tracks")
    attached = sum(len(s.data or b"") for s in container.streams.attachments) >> 20
    check_limit(path, limits, "attachments", attached, "has attachments of {} MB")


def _check_size(stream: VideoStream, path: Path, limits: Limits) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    check_limit(path, limits, "pixels", width * height, f"is {width}x{height}: {{}} pixels")


def _what_else(container: InputContainer) -> str:
    if container.streams.video:
        return ", only a cover picture; there is nothing to paint"
    if container.streams.audio:
        return ", only sound; there is nothing to paint"
    return "; there is nothing to paint"


def _container_name(container: InputContainer, path: Path) -> str:
    name = container.format.name
    if name.startswith("mov"):
        # QuickTime files say so by their brand, and the oldest have none.
        return "mov" if container.metadata.get("major_brand", "qt  ") == "qt  " else "mp4"
    if name.startswith("matroska"):
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "mkv"
    return name.split(",")[0]


def _time_base(stream: VideoStream) -> Fraction:
    base = stream.time_base
    return Fraction(base.numerator, base.denominator) if base else Fraction(1, 90_000)


def _rate(stream: VideoStream) -> Fraction | None:
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate.numerator, rate.denominator) if rate else None


def _declared_duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    for key, value in stream.metadata.items():
        if key.upper().startswith("DURATION"):
            return _clock(value)
    if container.duration and len(container.streams) == 1:
        return Fraction(container.duration, av.time_base)
    return None


def _pixel_shape(stream: VideoStream) -> Fraction:
    """Width over height of a stored pixel; one that no camera has is a mistake."""
    shape = stream.sample_aspect_ratio or Fraction(1)
    return shape if 1 / _MOST_OBLONG <= shape <= _MOST_OBLONG else Fraction(1)


def _clock(text: str) -> Fraction | None:
    """Seconds of Matroska's "00:01:02.345000000"; None of anything else, which any tag may hold."""
    if not (found := _CLOCK.fullmatch(text)):
        return None
    hours, minutes, seconds = map(Fraction, found.groups())
    return hours * 3600 + minutes * 60 + seconds
