"""Painted frames to a video-only file in NUT, whose time base is exact whatever the input's is."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.context import OptionType

from vidstyle.errors import UsageError
from vidstyle.files import writing
from vidstyle.types import USUAL_RATE, EncodeOptions, Frame, VideoInfo
from vidstyle.video.colour import YuvWriter, output_colour, tag
from vidstyle.video.opening import MUXERS, open_output
from vidstyle.video.timing import follows

if TYPE_CHECKING:
    from av.codec.context import CodecOption
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

# The time stamps go into the file as they are; NUT rebuilds what decoding order needs.
_NUT_OPTIONS = {"avoid_negative_ts": "disabled"}
# In these an odd side is possible only where every pixel has its own colour sample.
_EVEN_CODECS = {"h264", "hevc"}
# x264's code for AVX-512 reads memory that nobody wrote, and encodes the same frames in another way
# each time. Without it the same frames make the same file, which resuming promises.
_REPEATABLE = "asm=AVX2,BMI2,LZCNT"
_USUAL_CODECS = "libx264, libx265, libsvtav1 or libvpx-vp9"


# Above these x264 and x265 say nothing, and take these.
_MOST_CRF = {"libx264": 51, "libx264rgb": 51, "libx265": 51}
_MOST_CRF_ELSEWHERE = 63
WITHOUT_LOSS = EncodeOptions(codec="libx264rgb", crf=0, preset="ultrafast", pixel_format="rgb24")
"""Every pixel as it is painted, at some 2 bytes each."""


@dataclass(frozen=True)
class EncodeSummary:
    """What `encode_track` wrote."""

    frames: int
    nudged: int
    """Frames whose pts was no time to follow the one before, and was moved right behind it."""
    last_pts: int
    """Of the last frame as it came, in ticks of `VideoInfo.time_base`."""
    last_placed: int
    """The time that the last frame got in the file; the next segment goes on `after` it."""
    last_duration: int
    """Ticks that the last frame is shown; hand it to `mux`, for NUT does not keep it."""
    pixel_format: str
    notes: tuple[str, ...] = ()
    """What differs from what was asked for, a line each."""


def check_encoding(
    info: VideoInfo, options: EncodeOptions, container: str | None
) -> tuple[str, ...]:
    """Try out an encoder for a clip without writing anything.

    Args:
        info: the clip.
        options: codec, quality, preset and pixel format.
        container: "mp4", "mov", "mkv", "webm" or "gif", or None for the track alone.

    Returns:
        The notes that `encode_track` would give.

    Raises:
        UsageError: a name is unknown, or these options do not go together.
    """
    if container is not None and container not in MUXERS:
        raise UsageError(f"unknown container {container!r}; there are {', '.join(MUXERS)}")
    muxer = None if container is None else MUXERS[container]
    # Segments are NUT, whatever they become; a GIF is made of them, whatever the codec.
    names = {"nut": "nut"} | ({container: muxer} if container and muxer != "gif" else {})
    for said, name in names.items():
        with av.open(io.BytesIO(), "w", format=name) as trial:
            _, notes = open_encoder(trial, info, options)
            with _fitting(options.codec, said):
                trial.start_encoding()
    return notes


def encode_track(
    frames: Iterable[Frame],
    path: Path,
    info: VideoInfo,
    options: EncodeOptions,
    *,
    after: int | None = None,
) -> EncodeSummary:
    """Encode frames into `path`, a NUT file with one video track and nothing else.

    A track may be written in segments, a file each: all begin with a key frame, and `mux` joins
    them without a trace.

    The time stamps are the frames' own, so variable frame rates stay variable. Only where a clip
    starts before zero are all moved by as much, for NUT has no negative times (`nut_offset`).

    Args:
        frames: upright, (info.height, info.width, 3); pts in ticks of `info.time_base`.
        path: overwritten.
        info: the clip they come from: size, pixel shape, colour and time base.
        options: codec, quality, preset and pixel format.
        after: `EncodeSummary.last_placed` of the segment before, None for the first one.

    Raises:
        UsageError: a name is unknown, these options do not go together, or the encoder fails.
        ResourceError: the disk is full, or the place cannot be written.
    """
    with writing(path), open_output(path, "nut", _NUT_OPTIONS) as output:
        stream, notes = open_encoder(output, info, options)
        pixel_format = stream.codec_context.pix_fmt or ""
        yuv = YuvWriter(output_colour(info.colour, pixel_format), pixel_format)
        placement, count, last, duration = Placement(info, after), 0, 0, 0
        for frame in frames:
            before, last = placement.placed, frame.pts
            pts = placement.place(frame.pts)
            duration = _shown(frame, pts, before, placement.usual, info.time_base)
            picture = yuv.write(frame.image)
            picture.pts, picture.time_base = pts, info.time_base
            output.mux(_encoded(stream, picture))
            count += 1
        if count:
            output.mux(_encoded(stream))
    return EncodeSummary(
        frames=count,
        nudged=placement.nudged,
        last_pts=last,
        last_placed=placement.placed or 0,
        last_duration=duration,
        pixel_format=pixel_format,
        notes=notes,
    )


def _encoded(
    stream: VideoStream, picture: av.VideoFrame | None = None
) -> list[Packet[VideoStream]]:
    try:
        return stream.encode(picture)
    except MemoryError:
        raise
    except av.FFmpegError as error:
        name = stream.codec_context.name
        raise UsageError(
            f"{name} fails while it encodes ({error.strerror}); try another codec"
        ) from error


def nut_offset(info: VideoInfo) -> int:
    """Ticks by which `encode_track` moves every frame of a clip that starts before zero."""
    return max(0, -info.start_pts)


class Placement:
    """Gives each frame of a track its time in the file, in order.

    Attributes:
        placed: the time of the last one; None before the first of all.
        nudged: frames that could not keep their own time.
    """

    def __init__(self, info: VideoInfo, after: int | None) -> None:
        """Go on behind the time `after`; None is the clip's beginning."""
        self._base, self._offset = info.time_base, nut_offset(info)
        self.usual = round(1 / info.average_rate / self._base) if info.average_rate else 1
        """Ticks from one frame to the next."""
        self.placed, self.nudged = after, 0

    def place(self, pts: int) -> int:
        """The time of the next frame, whose own is `pts`; both in ticks of `info.time_base`."""
        pts += self._offset
        if self.placed is None:
            place = max(0, pts)
        elif follows(pts, self.placed, self._base):
            place = pts
        else:
            place = self.placed + (1 if pts <= self.placed else max(1, self.usual))
        self.nudged += place != pts
        self.placed = place
        return place


def _shown(frame: Frame, pts: int, before: int | None, usual: int, base: Fraction) -> int:
    """Ticks that a frame is shown: no longer than usual where the file does not say.

    A pause before it is no pause after.
    """
    if follows(pts + frame.duration, pts, base):
        return frame.duration
    gap = usual if before is None else pts - before
    return max(1, min(gap, usual))


def open_encoder(
    output: OutputContainer, info: VideoInfo, options: EncodeOptions
) -> tuple[VideoStream, tuple[str, ...]]:
    """Add the painted track to an output; also give what differs from what was asked for.

    Raises:
        UsageError: a name is unknown, or the encoder or the container refuses this clip.
    """
    codec = _codec(options.codec)
    pixel_format, notes = _pixel_format(codec, info, options)
    _silence(codec)
    rate = info.average_rate or USUAL_RATE
    with _fitting(codec.name, output.format.name):
        stream = cast("VideoStream", output.add_stream(codec.name, rate, time_base=info.time_base))
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = info.width, info.height, pixel_format
    context.sample_aspect_ratio = info.sample_aspect_ratio
    tag(context, output_colour(info.colour, pixel_format))
    private = {option.name: option for option in context.supported_options.private}
    most = _MOST_CRF.get(codec.name, _MOST_CRF_ELSEWHERE)
    if "crf" in private and not 0 <= options.crf <= most:
        raise UsageError(f"{codec.name} knows a crf of 0 to {most}, not {options.crf}")
    context.options = _private_options(private, options)
    try:
        context.open()
    except av.FFmpegError as error:
        told = "".join(f", {key} {value}" for key, value in context.options.items())
        raise UsageError(
            f"{codec.name} refuses {info.width}x{info.height} {pixel_format} at {float(rate):.6g} "
            f"frames a second{told}; change what it was told, or try {_USUAL_CODECS}"
        ) from error
    if "crf" not in private:
        notes += (f"{codec.name} has no crf; it writes at its own default quality",)
    return stream, notes


@contextmanager
def _fitting(codec: str, container: str) -> Iterator[None]:
    """Say in one line that a muxer does not take a codec."""
    try:
        yield
    except (ValueError, av.FFmpegError) as error:
        place = "here" if container == "nut" else f"in {container}"
        usual = "libvpx-vp9 or libsvtav1" if container == "webm" else _USUAL_CODECS
        raise UsageError(f"{codec} cannot be written {place}; try {usual}") from error


def _codec(name: str) -> Codec:
    try:
        codec = Codec(name, "w")
    except UnknownCodecError as error:
        raise UsageError(f"unknown codec {name!r}; try {_USUAL_CODECS}") from error
    if codec.type != "video":
        raise UsageError(f"{name} codes {codec.type}, not video; try libx264")
    return codec


def _is_pixel_format(name: str) -> bool:
    try:
        av.VideoFormat(name)
    except ValueError:
        return False
    return True


def _pixel_format(
    codec: Codec, info: VideoInfo, options: EncodeOptions
) -> tuple[str, tuple[str, ...]]:
    """The pixel format to use, with a note where it cannot be the wanted one.

    H.264 and HEVC crop in whole chroma samples, so with 4:2:0 they can show even sizes only; with
    4:4:4 every size is exact.
    """
    wanted = options.pixel_format
    known = [fmt.name for fmt in codec.video_formats or ()]
    if known and wanted not in known:
        raise UsageError(
            f"{codec.name} cannot write {wanted!r}; try --pix-fmt " + ", ".join(known[:6])
        )
    if not known and not _is_pixel_format(wanted):
        raise UsageError(f"there is no pixel format {wanted!r}; try --pix-fmt yuv420p")
    odd = info.width % 2 or info.height % 2
    full = wanted.replace("420", "444").replace("422", "444")
    if not odd or codec.canonical_name not in _EVEN_CODECS or wanted == full:
        return wanted, ()
    return full, (
        f"{info.width}x{info.height} has an odd side, which {codec.canonical_name} cannot show in "
        f"{wanted}; written as {full} to keep the size",
    )


def _private_options(known: dict[str, CodecOption], options: EncodeOptions) -> dict[str, str]:
    """`options` in the words of an encoder; what it has no word for is left to its default."""
    chosen = {}
    if "crf" in known:
        chosen["crf"] = str(options.crf)
    if "preset" in known:
        preset = known["preset"]
        names = {choice.name for choice in preset.choices}
        if preset.type == OptionType.STRING or options.preset in names or options.preset.isdigit():
            chosen["preset"] = options.preset
    if "row-mt" in known:  # libvpx, which takes ten times as long if it is not told to hurry
        chosen |= {"deadline": "good", "cpu-used": "5", "row-mt": "1"}
    if "x264-params" in known and _has_avx512():
        chosen["x264-params"] = _REPEATABLE
    if "x265-params" in known:
        chosen["x265-params"] = "log-level=none"
    return chosen


@lru_cache
def _has_avx512() -> bool:
    """Whether the processor has it, where that is known; it has AVX2, BMI2 and LZCNT then, too."""
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512f" in cpu.read_text()


def _silence(codec: Codec) -> None:
    """SVT-AV1 writes past FFmpeg's log, straight to stderr, unless the environment says no."""
    if codec.name == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "0")
