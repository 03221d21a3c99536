"""The tracks of one output, led from the input to the muxer side by side."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Set
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.stream import Discard

from vidstyle.errors import UsageError
from vidstyle.types import VideoInfo
from vidstyle.video.info import is_cover
from vidstyle.video.lanes import Copy, Cover, Lane, Sound, Text, copy_track, open_lane
from vidstyle.video.opening import open_input
from vidstyle.video.painted_track import PaintedTrack
from vidstyle.video.part import Part
from vidstyle.video.stamp import painted_tags

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

_SEEK_MARGIN = Fraction(3)
# Captions may have appeared long before the part during which they are still to be read.
_CAPTION_MARGIN = Fraction(60)
_MAX_REFUSED = 100
# Every sample of a damaged piece of sound may end a reading.
_MAX_FRUITLESS = 100
_DAMAGED = "sound or subtitles are damaged in places: what can be read is kept"
# Sound may end this much before its declared end, in seconds and as a share of it.
_SLACK, _SLACK_SHARE = Fraction(1, 2), Fraction(1, 100)


class Joining:
    """One attempt at an output."""

    def __init__(
        self,
        source: InputContainer,
        info: VideoInfo,
        container: str,
        part: Part,
        left_out: Set[int],
    ) -> None:
        self._source, self._info, self._left_out = source, info, left_out
        self.container, self.part = container, part
        self.copied: list[str] = []
        self.notes: list[str] = []
        self.refused = 0
        """Packets that the muxer did not take."""
        self._lanes: dict[int, Lane] = {}
        self._fed: set[int] = set()
        self._ends: dict[int, Fraction] = {}
        """Seconds on the input's clock at which what was read of each track ends."""

    def run(
        self, target: OutputContainer, picture: PaintedTrack, on_packet: Callable[[], None]
    ) -> None:
        """Add all tracks to `target`, which is not begun, and write them.

        `on_packet` is called with each packet; what it raises ends the work.

        Raises:
            UsageError: the container cannot hold the painted track.
            av.FFmpegError: it does not take what it is given.
        """
        with open_input(picture.segments[0]) as painted:
            template = painted.streams.video[0]
            for stream in self._source.streams:
                if stream.index == self._info.track:
                    track = self._add_painted(target, stream, template, picture.tick)
                elif not _is_rewritten(stream):
                    self._add(target, stream)
            target.set_chapters(self.part.chapters(self._source.chapters()))
            pictures = picture.packets(track, self.part.shift)
            for packet in heapq.merge(pictures, self._others(), key=_decode_time):
                on_packet()
                self._write(target, packet)
        for lane in self._lanes.values():
            for packet in lane.flush():
                self._write(target, packet)
        self._sum_up()

    def suspects(self) -> Set[int]:
        """The tracks that may have made an attempt fail: those without a packet, else all."""
        return (self._lanes.keys() - self._fed) or self._lanes.keys()

    def _write(self, target: OutputContainer, packet: Packet[Any]) -> None:
        """Hand a packet to the muxer; one that it refuses is lost, but not the whole painting."""
        try:
            target.mux(packet)
        except OSError:
            raise
        except av.FFmpegError:
            # Sometimes it is not this packet but a damaged one that waited in the muxer.
            self.refused += 1
            if self.refused >= _MAX_REFUSED:
                raise

    def _add_painted(
        self, target: OutputContainer, source: Stream, painted: VideoStream, tick: Fraction
    ) -> Stream:
        name = painted.codec_context.codec.canonical_name
        # Of the two tags for HEVC in MP4, Apple's players take only this one.
        tag = "hvc1" if name == "hevc" and self.container != "mkv" else ""
        track = copy_track(target, painted, self.container, self._info.average_rate, tag)
        if track is None:
            other = "with --codec libx264" if self.container == "mkv" else "to a .mkv"
            raise UsageError(f"{self.container} cannot hold {name}; write {other} instead")
        track.time_base = tick
        track.metadata.update(painted_tags(self._tags(source.metadata)))
        track.disposition = source.disposition
        return track

    def tags(self) -> dict[str, str]:
        """Those of the input that are still true."""
        return self._tags(self._source.metadata)

    def _tags(self, tags: dict[str, str]) -> dict[str, str]:
        """A time code is that of the first frame, with which a part does not begin."""
        if self.part.begin is None:
            return tags
        return {key: tags[key] for key in tags if key.lower() != "timecode"}

    def _add(self, target: OutputContainer, stream: Stream) -> None:
        name = self._name(stream)
        if stream.index in self._left_out:
            self.notes.append(f"{name} left out: it is empty or damaged")
            return
        if is_cover(stream) and self.container == "mkv":
            _attach_cover(target, stream, self._info.path)
            self.copied.append(name)
            return
        lane = None
        if not is_cover(stream) or self.container == "mp4":
            lane = open_lane(target, stream, self.container)
        if lane is None:
            known = getattr(stream, "codec_context", None) or stream.type in ("data", "attachment")
            reason = f"{self.container} cannot hold it" if known else "its format is unknown"
            self.notes.append(f"{name} left out: {reason}")
            return
        self._lanes[stream.index] = lane

    def _others(self) -> Iterator[Packet[Any]]:
        """The packets of all tracks but the painted one, ready for the muxer."""
        wanted = [self._source.streams[index] for index in self._lanes]
        if not wanted:
            return
        for stream in self._source.streams:
            if stream.index not in self._lanes:
                stream.discard = Discard.all
        if self.part.begin is not None:
            has_captions = any(stream.type == "subtitle" for stream in wanted)
            early = _CAPTION_MARGIN if has_captions else _SEEK_MARGIN
            with suppress(av.FFmpegError):
                self._source.seek(int((self.part.begin - early) * av.time_base))
        for packet in self._readable(wanted):
            if self.part.is_over(packet):
                return
            self._ends[packet.stream.index] = _end(packet)
            lane = self._lanes[packet.stream.index]
            if isinstance(lane, Cover) or self.part.place(packet):
                self._fed.add(packet.stream.index)
                try:
                    yield from lane.feed(packet)
                except av.FFmpegError:
                    self._tell(_DAMAGED)

    def _readable(self, wanted: list[Stream]) -> Iterator[Packet[Any]]:
        """The packets of these tracks. A damaged one ends a reading, but there may be more."""
        fruitless, again = 0, False
        while fruitless < _MAX_FRUITLESS:
            fruitless += 1
            try:
                for packet in self._source.demux(wanted):
                    if packet.size:
                        fruitless = 0
                        if again:
                            self._tell(_DAMAGED)
                        yield packet
            except av.FFmpegError:
                self._tell(_DAMAGED)
            again = True

    def _tell(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _sum_up(self) -> None:
        for index, lane in self._lanes.items():
            stream = self._source.streams[index]
            name, instead = self._name(stream), f": {self.container} cannot hold it"
            if index not in self._fed and stream.type != "attachment":
                self.notes.append(f"{name} is empty")
            elif isinstance(lane, Sound):
                self.notes.append(f"{name} re-encoded to {lane.codec}{instead}")
            elif isinstance(lane, Text):
                self.notes.append(f"{name} rewritten as {lane.codec}{instead}")
            else:
                self.copied.append(name)
                if isinstance(lane, Copy) and stream.type == "video":
                    self.notes.append(f"{name} copied unpainted: one track is painted")
            self.notes.extend(self._ends_early(stream))
        in_milliseconds = self.container in ("mkv", "webm")
        if in_milliseconds and (self._info.time_base * 1000).denominator != 1:
            self.notes.append(
                f"times are rounded to milliseconds: {self.container} has no finer ones"
            )
        if self.refused:
            self.notes.append(f"{self.refused} damaged packets of sound or subtitles left out")

    def _ends_early(self, stream: Stream) -> Iterator[str]:
        """A note on sound that ends before its time."""
        end, base = self._ends.get(stream.index), stream.time_base
        if stream.type != "audio" or self.part.end is not None or end is None or base is None:
            return
        length = (stream.duration or 0) * base
        missing = (stream.start_time or 0) * base + length - end
        if missing > max(_SLACK, _SLACK_SHARE * length):
            yield (
                f"{self._name(stream)} ends {float(missing):.1f} s early: "
                "the file is cut short or damaged there"
            )

    def _name(self, stream: Stream) -> str:
        def kind(stream: Stream) -> str:
            return "cover picture" if is_cover(stream) else f"{stream.type} track"

        same = [s.index for s in self._source.streams if kind(s) == kind(stream)]
        context = getattr(stream, "codec_context", None)
        codec = f" ({context.codec.canonical_name})" if context else ""
        return f"{kind(stream)} {same.index(stream.index) + 1}{codec}"


def _is_rewritten(stream: Stream) -> bool:
    """Tracks that the muxer makes anew, of the chapters and of the painted track's time code."""
    is_timecode = stream.type == "data" and "timecode" in stream.metadata
    return stream.discard == Discard.all or is_timecode


def _attach_cover(target: OutputContainer, stream: Stream, path: Path) -> None:
    """Matroska keeps cover pictures as attachments, whole, in its header."""
    with open_input(path) as again:
        packet = next(again.demux(again.streams[stream.index]))
    kind = "png" if bytes(packet).startswith(b"\x89PNG") else "jpeg"
    name = stream.metadata.get("filename", f"cover.{kind.replace('e', '')}")
    target.add_attachment(name, f"image/{kind}", bytes(packet))


def _end(packet: Packet[Any]) -> Fraction:
    start = packet.pts if packet.pts is not None else packet.dts
    return ((start or 0) + (packet.duration or 0)) * packet.time_base


def _decode_time(packet: Packet[Any]) -> Fraction:
    return (packet.dts or 0) * packet.time_base
