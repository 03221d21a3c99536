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
from vidstyle.video.lanes import Cover, Lane, copy_track, open_lane
from vidstyle.video.opening import MUXERS, open_input, open_output
from vidstyle.video.painted_track import PaintedTrack
from vidstyle.video.part import Part, movie_timescale
from vidstyle.video.stamp import output_tags, painted_tags
from vidstyle.video.track_notes import TrackNotes

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
        self._container, self._part = container, part
        self.notes = TrackNotes(source, container)
        self._refused = 0
        """Packets that the muxer did not take."""
        self._lanes: dict[int, Lane] = {}
        self._fed: set[int] = set()
        self._ends: dict[int, Fraction] = {}
        """Seconds on the input's clock at which what was read of each track ends."""

    def write(
        self,
        output: Path,
        picture: PaintedTrack,
        stamp: dict[str, Any],
        on_packet: Callable[[], None],
    ) -> bool:
        """Write all tracks to `output`, inside `writing(output)`; whether it holds the painting.

        It does not where a track spoils it: see `suspects`. `on_packet` is called with each packet;
        what it raises ends the work.

        Raises:
            UsageError: the container cannot hold the painted track.
            OSError: the output cannot be written.
        """
        tags, free_keys = self._tags_beside(stamp)
        options = self._muxer_options(picture, free_keys=free_keys)
        try:
            with open_output(output, MUXERS[self._container], options) as target:
                target.metadata.update(tags)
                self._run(target, picture, on_packet)
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            return False
        return not self._refused or picture.is_whole_in(output)

    def suspects(self) -> Set[int]:
        """The tracks that may have made an attempt fail: those without a packet, else all."""
        return (self._lanes.keys() - self._fed) or self._lanes.keys()

    def _tags_beside(self, stamp: dict[str, Any]) -> tuple[dict[str, str], bool]:
        """The tags of the output, and whether they need free keys."""
        has_cover = any(is_cover(stream) for stream in self._source.streams.video)
        kept = self._still_true(self._source.metadata)
        tags, free_keys, lost = output_tags(kept, stamp, self._container, has_cover=has_cover)
        if lost:
            self.notes.say(f"tags left out: {self._container} cannot hold {', '.join(lost)}")
        return tags, free_keys

    def _muxer_options(self, picture: PaintedTrack, *, free_keys: bool) -> dict[str, str]:
        if self._container not in ("mp4", "mov"):
            return {"fflags": "+bitexact"}  # no random numbers: the same painting, the same file
        # By default the time from decoding to showing is positive, and an edit takes off what comes
        # before the first picture. FFmpeg reads that as another shift where a track is `late`.
        late = picture.starts_while_reordering(self._part.shift)
        flags = ["+faststart", *["use_metadata_tags"] * free_keys, *["negative_cts_offsets"] * late]
        timescale = movie_timescale(self._source, picture.first, picture.tick, self._part)
        return {"movflags": "+".join(flags), "movie_timescale": str(timescale)}

    def _run(
        self, target: OutputContainer, picture: PaintedTrack, on_packet: Callable[[], None]
    ) -> None:
        """Add all tracks to `target`, which is not begun, and lead their packets into it."""
        with open_input(picture.segments[0]) as painted:
            template = painted.streams.video[0]
            for stream in self._source.streams:
                if stream.index == self._info.track:
                    track = self._add_painted(target, stream, template, picture.tick)
                elif not _is_rewritten(stream):
                    self._add(target, stream)
            target.set_chapters(self._part.chapters(self._source.chapters()))
            pictures = picture.packets(track, self._part.shift)
            for packet in heapq.merge(pictures, self._others(), key=_decode_time):
                on_packet()
                self._hand_over(target, packet)
        for lane in self._lanes.values():
            for packet in lane.flush():
                self._hand_over(target, packet)
        self._sum_up()

    def _hand_over(self, target: OutputContainer, packet: Packet[Any]) -> None:
        """Give a packet to the muxer; one that it refuses is lost, but not the whole painting."""
        try:
            target.mux(packet)
        except OSError:
            raise
        except av.FFmpegError:
            # Sometimes it is not this packet but a damaged one that waited in the muxer.
            self._refused += 1
            if self._refused >= _MAX_REFUSED:
                raise

    def _add_painted(
        self, target: OutputContainer, source: Stream, painted: VideoStream, tick: Fraction
    ) -> Stream:
        name = painted.codec_context.codec.canonical_name
        # Of the two tags for HEVC in MP4, Apple's players take only this one.
        tag = "hvc1" if name == "hevc" and self._container != "mkv" else ""
        track = copy_track(target, painted, self._container, self._info.average_rate, tag)
        if track is None:
            other = "with --codec libx264" if self._container == "mkv" else "to a .mkv"
            raise UsageError(f"{self._container} cannot hold {name}; write {other} instead")
        track.time_base = tick
        track.metadata.update(painted_tags(self._still_true(source.metadata)))
        track.disposition = source.disposition
        return track

    def _still_true(self, tags: dict[str, str]) -> dict[str, str]:
        """A time code is that of the first frame, with which a part does not begin."""
        if self._part.begin is None:
            return tags
        return {key: tags[key] for key in tags if key.lower() != "timecode"}

    def _add(self, target: OutputContainer, stream: Stream) -> None:
        if stream.index in self._left_out:
            self.notes.damaged(stream)
        elif is_cover(stream) and self._container == "mkv":
            _attach_cover(target, stream, self._info.path)
            self.notes.taken_over(stream)
        elif lane := self._lane(target, stream):
            self._lanes[stream.index] = lane
        else:
            self.notes.unfit(stream)

    def _lane(self, target: OutputContainer, stream: Stream) -> Lane | None:
        if is_cover(stream) and self._container != "mp4":
            return None
        return open_lane(target, stream, self._container)

    def _others(self) -> Iterator[Packet[Any]]:
        """The packets of all tracks but the painted one, ready for the muxer."""
        wanted = [self._source.streams[index] for index in self._lanes]
        if not wanted:
            return
        for stream in self._source.streams:
            if stream.index not in self._lanes:
                stream.discard = Discard.all
        if self._part.begin is not None:
            has_captions = any(stream.type == "subtitle" for stream in wanted)
            early = _CAPTION_MARGIN if has_captions else _SEEK_MARGIN
            with suppress(av.FFmpegError):
                self._source.seek(int((self._part.begin - early) * av.time_base))
        for packet in self._readable(wanted):
            if self._part.is_over(packet):
                return
            self._ends[packet.stream.index] = _end(packet)
            lane = self._lanes[packet.stream.index]
            if isinstance(lane, Cover) or self._part.place(packet):
                self._fed.add(packet.stream.index)
                try:
                    yield from lane.feed(packet)
                except av.FFmpegError:
                    self.notes.say(_DAMAGED)

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
                            self.notes.say(_DAMAGED)
                        yield packet
            except av.FFmpegError:
                self.notes.say(_DAMAGED)
            again = True

    def _sum_up(self) -> None:
        for index, lane in self._lanes.items():
            stream = self._source.streams[index]
            if index not in self._fed and stream.type != "attachment":
                self.notes.empty(stream)
            else:
                self.notes.led(stream, lane)
            if index in self._ends and self._part.end is None:
                self.notes.ended(stream, self._ends[index])
        in_milliseconds = self._container in ("mkv", "webm")
        if in_milliseconds and (self._info.time_base * 1000).denominator != 1:
            finest = f"{self._container} has no finer ones"
            self.notes.say(f"times are rounded to milliseconds: {finest}")
        if self._refused:
            self.notes.say(f"{self._refused} damaged packets of sound or subtitles left out")


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
