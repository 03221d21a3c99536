"""Which part of a clip goes into the output, and what its times become."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from vidstyle.types import VideoInfo
from vidstyle.video.info import is_cover

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.container.core import Chapter
    from av.packet import Packet

# Their clocks run from an arbitrary time, a day in for some broadcasts: players start where they
# start, and so does the output.
_FREE_CLOCKS = {"mpegts", "mpeg"}
# Seconds by which the tracks of a file may lie apart from each other.
_INTERLEAVING = 10
_LARGEST_TIMESCALE = 2**31 - 1


@dataclass(frozen=True)
class Part:
    """Which part of a clip goes into the output, and how far it is moved; in seconds."""

    shift: Fraction
    """Added to all times of the clip's own clock."""
    begin: Fraction | None = None
    end: Fraction | None = None

    @staticmethod
    def of(
        source: InputContainer,
        info: VideoInfo,
        first: Fraction,
        start: Fraction | None,
        duration: Fraction | None,
    ) -> Part:
        end = None
        if duration is not None:
            end = info.start_pts * info.time_base + (start or 0) + duration
        if start:
            return Part(-first, first, end)
        if info.container in _FREE_CLOCKS:
            return Part(-min(starts(source), default=first), None, end)
        return Part(max(Fraction(0), -first), None, end)

    def is_over(self, packet: Packet[Any]) -> bool:
        """Whether a packet lies so far behind the part that none of it can follow."""
        if self.end is None or packet.dts is None:
            return False
        return packet.dts * packet.time_base > self.end + _INTERLEAVING

    def place(self, packet: Packet[Any]) -> bool:
        """Move a packet to its time in the output; False if it has no place there."""
        start = packet.pts if packet.pts is not None else packet.dts
        if start is not None:
            if packet.stream.type == "subtitle":
                start = self._trim(packet, start)
            time = start * packet.time_base
            if self.end is not None and time >= self.end:
                return False
            if self.begin is not None and time < self.begin:
                return False
        move(packet, round(self.shift / packet.time_base))
        return True

    def _trim(self, packet: Packet[Any], start: int) -> int:
        """Cut a line of text to the part, as far as it overlaps it; gives when it appears."""
        stop = start + (packet.duration or 0)
        if self.begin is not None and stop * packet.time_base > self.begin:
            start = max(start, math.ceil(self.begin / packet.time_base))
        if self.end is not None:
            stop = min(stop, math.ceil(self.end / packet.time_base))
        packet.pts = packet.dts = start
        packet.duration = max(0, stop - start)
        return start

    def chapters(self, chapters: list[Chapter]) -> list[Chapter]:
        """The chapters that overlap the part, cut to it and moved with it."""
        kept = []
        for chapter in chapters:
            base = chapter["time_base"] or Fraction(1)
            start, end = chapter["start"] * base, chapter["end"] * base
            start = start if self.begin is None else max(start, self.begin)
            end = end if self.end is None else min(end, self.end)
            if start < end:
                moved = {
                    "start": round((start + self.shift) / base),
                    "end": round((end + self.shift) / base),
                }
                kept.append(cast("Chapter", {**chapter, **moved}))
        return kept


def movie_timescale(source: InputContainer, first: Fraction, tick: Fraction, part: Part) -> int:
    """Ticks a second in which MP4 writes when each track starts and how long it is: enough to be
    exact for pictures that count in `tick`s.

    The usual 1000 rounds a start at 1940/44100 s, and with it the offset of sound to picture; and
    pictures that lie closer together than a millisecond would be cut off at the end.
    """
    if part.begin is None:
        moved = [start + part.shift for start in (first, *starts(source))]
        finest = [start for start in moved if start > 0]
    else:  # the first packet of a part may lie anywhere
        finest = [stream.time_base for stream in source.streams if stream.time_base]
    scale = math.lcm(1000, tick.denominator, *(time.denominator for time in finest))
    return scale if scale <= _LARGEST_TIMESCALE else 1_000_000


def starts(source: InputContainer) -> list[Fraction]:
    return [
        stream.start_time * stream.time_base
        for stream in source.streams
        if stream.start_time is not None and stream.time_base and not is_cover(stream)
    ]


def move(packet: Packet[Any], ticks: int) -> None:
    if packet.pts is not None:
        packet.pts += ticks
    if packet.dts is not None:
        packet.dts += ticks
