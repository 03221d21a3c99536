"""How each track beside the painted one reaches the output: copied, converted, or not at all."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
from av.bitstream import BitStreamFilterContext

from vidstyle.video.info import is_cover
from vidstyle.video.opening import MUXERS
from vidstyle.video.timing import MOST_TICKS, follows

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.subtitles.codeccontext import SubtitleCodecContext

# MP4 fills the pauses between captions with texts of no length, which its muxer makes anew.
_NO_CAPTION = 2
_TEXT_CODECS = {"mp4": "mov_text", "mov": "mov_text", "mkv": "srt", "webm": "webvtt"}
_SOUND_CODECS = {"webm": "libopus"}
_BITS_PER_CHANNEL = 96_000
# The usual layout of so many channels.
_LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}
# Seconds by which stamps of sound may wander, as Matroska's milliseconds make them.
_WOBBLE = Fraction(1, 20)
# What muxers accept, and then leave out or write without a description.
_TAKEN_AND_LOST = {("attachment", "webm"), *(("data", name) for name in MUXERS)}
# Farther than any codec reorders; see `Copy`.
_LEAD_IN = 16


class Lane(ABC):
    """One track's way from the input to the output."""

    target: Stream

    @abstractmethod
    def feed(self, packet: Packet[Any]) -> Iterable[Packet[Any]]:
        """What goes to the muxer for one packet of the input, its times already shifted."""

    def flush(self) -> Iterable[Packet[Any]]:
        """What is still held back at the end."""
        return ()


class Copy(Lane):
    """The packets as they are, put right where their times would be refused.

    A muxer wants a dts on every packet, each later than the one before but not by days, and no pts
    before its dts.
    """

    def __init__(self, source: Stream, target: Stream) -> None:
        self.target = target
        self._sound = source.type == "audio"
        self._text = source.type == "subtitle"
        self._captions = self._text and source.name == "mov_text"
        self._last: int | None = None

    def feed(self, packet: Packet[Any]) -> Iterable[Packet[Any]]:
        if self._captions and packet.size <= _NO_CAPTION:
            return ()
        dts = self._dts(packet)
        if packet.pts is None or (self._sound and packet.dts != dts):
            packet.pts = dts
        packet.pts, packet.dts = max(packet.pts, dts), dts
        packet.stream = self.target
        self._last = dts
        return (packet,)

    def _dts(self, packet: Packet[Any]) -> int:
        if self._last is None:
            # The first packets of a track with reordering come before its parser knows its depth.
            lead_in = 0 if self._sound else _LEAD_IN
            return packet.dts if packet.dts is not None else (packet.pts or 0) - lead_in
        if self._text and packet.dts is not None:
            return max(packet.dts, self._last)  # two lines may appear at once
        if (
            packet.dts is not None
            and follows(packet.dts, self._last, packet.time_base)
            and packet.dts - self._last <= MOST_TICKS
        ):
            return packet.dts
        # Sound plays on from sample to sample, whatever its stamps say.
        return self._last + (max(1, packet.duration or 0) if self._sound else 1)


class Cover(Lane):
    """A picture about the clip: it has no time."""

    def __init__(self, target: Stream) -> None:
        self.target = target

    def feed(self, packet: Packet[Any]) -> Iterable[Packet[Any]]:
        packet.pts = packet.dts = 0
        packet.stream = self.target
        return (packet,)


class Sound(Lane):
    """Sound re-encoded, for containers that cannot hold the input's codec."""

    def __init__(self, source: Stream, output: OutputContainer, codec: str) -> None:
        context = cast("AudioCodecContext", source.codec_context)
        rates = av.codec.Codec(codec, "w").audio_rates or [48_000]
        rate = context.sample_rate if context.sample_rate in rates else 48_000
        layout = _LAYOUTS.get(context.layout.nb_channels, "stereo")
        target = cast("AudioStream", output.add_stream(codec, rate=rate, layout=layout))
        target.bit_rate = _BITS_PER_CHANNEL * target.layout.nb_channels
        self.target: Stream = target
        self.codec = target.codec_context.codec.canonical_name
        self._encoder = target.codec_context
        self._encoder.open()
        self._format = (self._encoder.format.name, layout, rate)
        self._cutter = av.AudioResampler(*self._format, frame_size=self._encoder.frame_size)
        self._resampler = av.AudioResampler(*self._format)
        self._kind: tuple[str, str, int] | None = None
        self._tick = Fraction(1, rate)
        self._next: int | None = None

    def feed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        for frame in _sound(packet):
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._kind not in (None, kind):  # a broadcast may go from stereo to 5.1 and back
                yield from self._cut(self._resampler.resample(None))
                self._resampler = av.AudioResampler(*self._format)
            self._kind = kind
            yield from self._cut(self._resampler.resample(frame))

    def flush(self) -> Iterator[Packet[Any]]:
        if self._kind is not None:
            yield from self._cut(self._resampler.resample(None))
            yield from self._encode(self._cutter.resample(None))
        yield from self._addressed(self._encoder.encode(None))

    def _cut(self, frames: list[AudioFrame]) -> Iterator[Packet[Any]]:
        """Encode in pieces of the length that the encoder wants."""
        for frame in frames:
            # What needed no conversion counts in the ticks of its packet.
            frame.pts = round((frame.pts or 0) * (frame.time_base or self._tick) / self._tick)
            frame.time_base = self._tick
            yield from self._encode(self._cutter.resample(frame))

    def _encode(self, pieces: list[AudioFrame]) -> Iterator[Packet[Any]]:
        for piece in pieces:
            self._place(piece)
            yield from self._addressed(self._encoder.encode(piece))

    def _place(self, piece: AudioFrame) -> None:
        """Sound runs on without a break unless its stamps say otherwise by more than a wobble."""
        stamp = round((piece.pts or 0) * (piece.time_base or self._tick) / self._tick)
        if self._next is None or abs(stamp - self._next) * self._tick > _WOBBLE:
            self._next = max(stamp, self._next or stamp)
        piece.pts, piece.time_base = self._next, self._tick
        self._next += piece.samples

    def _addressed(self, packets: list[Packet[Any]]) -> Iterator[Packet[Any]]:
        for packet in packets:
            packet.stream = self.target
            yield packet


class Text(Lane):
    """Subtitles rewritten in the text format that the container knows."""

    def __init__(self, source: Stream, output: OutputContainer, codec: str) -> None:
        self._decoder = cast("SubtitleCodecContext", source.codec_context)
        self._decoder.open(strict=False)
        target = output.add_stream(codec, time_base=source.time_base)
        self.codec = codec
        self.target: Stream = target
        self._encoder = cast("SubtitleCodecContext", target.codec_context)
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._last = -(1 << 62)

    def feed(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        try:
            lines = self._decoder.decode2(packet)
        except av.FFmpegError:
            return
        if lines:
            text = self._encoder.encode_subtitle(lines)
            self._last = text.pts = text.dts = max(packet.pts or 0, self._last)
            text.duration, text.time_base = packet.duration, packet.time_base
            text.stream = self.target
            yield text


def open_lane(output: OutputContainer, source: Stream, container: str) -> Lane | None:
    """Add a track for `source` to `output`: a copy if the container takes it, else converted.

    Returns:
        None where neither can be done.
    """
    lane = _lane(output, source, container)
    if lane is not None:
        lane.target.metadata.update(source.metadata)
        lane.target.disposition = source.disposition
    return lane


def _lane(output: OutputContainer, source: Stream, container: str) -> Lane | None:
    target = copy_track(output, source, container, getattr(source, "average_rate", None))
    if target is not None:
        return Cover(target) if is_cover(source) else Copy(source, target)
    context = getattr(source, "codec_context", None)
    if context is None:
        return None
    if source.type == "audio":
        return Sound(source, output, _SOUND_CODECS.get(container, "aac"))
    if source.type == "subtitle" and context.codec.text_sub:
        return Text(source, output, _TEXT_CODECS[container])
    return None


def copy_track(
    output: OutputContainer,
    source: Stream,
    container: str,
    rate: Fraction | None = None,
    tag: str = "",
) -> Stream | None:
    """Add a track to `output` that takes the packets of `source` as they are.

    Args:
        output: not begun.
        source: a track of an open input.
        container: what `output` is: "mp4", "mov", "mkv" or "webm".
        rate: frames a second to be declared, for moving pictures.
        tag: the four letters by which the container is to name the codec; its own choice without.

    Returns:
        None where the container cannot hold it. That is tried out on a scratch file, for only the
        muxer itself knows.
    """
    if (source.type, container) in _TAKEN_AND_LOST:
        return None
    with suppress(ValueError, av.FFmpegError):
        with av.open(io.BytesIO(), "w", format=MUXERS[container]) as scratch:
            model = scratch.add_stream_from_template(source, opaque=True)
            if tag:
                model.codec_context.codec_tag = tag
            _name_layout(model)
            scratch.start_encoding()
            moving = source.type == "video" and not is_cover(source)
            added = _add_video(output, source, model, rate) if moving else None
        return added or _name_layout(output.add_stream_from_template(source, opaque=True))
    return None


def _name_layout(track: Stream) -> Stream:
    """Sound of AVI and the like tells only how many channels it has, which MP4 refuses."""
    if track.type == "audio":
        context = cast("AudioCodecContext", track.codec_context)
        channels = context.layout.nb_channels
        if context.layout.name == f"{channels} channels" and channels in _LAYOUTS:
            context.layout = _LAYOUTS[channels]
    return track


def _add_video(
    output: OutputContainer, source: Stream, model: Stream, rate: Fraction | None
) -> Stream:
    """A copy that knows its frame rate, which a time code cannot do without.

    A track made from a template does not take the rate over; one made for packets alone does, and
    gets the model's parameters through a filter that does nothing.
    """
    target = output.add_mux_stream(source.codec_context.codec.canonical_name, rate or None)
    BitStreamFilterContext("null", model, target)
    target.time_base = source.time_base
    return target


def _sound(packet: Packet[Any]) -> list[AudioFrame]:
    try:
        return cast("list[AudioFrame]", packet.decode())
    except av.FFmpegError:  # one damaged packet of sound is a click, not the end
        return []
