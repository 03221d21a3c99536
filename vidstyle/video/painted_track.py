"""The painted track on its way from its NUT files to the output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.errors import InputError
from vidstyle.types import VideoInfo
from vidstyle.video.opening import open_input
from vidstyle.video.part import move
from vidstyle.video.timing import settled, survey
from vidstyle.video.write import nut_offset

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream


class PaintedTrack:
    """What `encode_track` wrote, segment after segment, looked through once."""

    def __init__(self, segments: Sequence[Path], info: VideoInfo, last_duration: int) -> None:
        """Look it through; the arguments are those of `mux`.

        Raises:
            InputError: it holds no frame.
        """
        self.segments = segments
        with open_input(segments[0]) as painted:
            self.base: Fraction = painted.streams.video[0].time_base or info.time_base
        found = survey(self._joined())
        if found.first is None:
            raise InputError(f"{info.path}: not a single frame was painted")
        self._count, self._ahead = found.count, found.ahead
        self._offset = nut_offset(info) * info.time_base
        self._last_duration = round(last_duration * info.time_base / self.base)
        excess = found.excess(self._last_duration)
        self._is_too_fine = excess > 1
        self.tick: Fraction = info.time_base
        """Seconds that the output counts in: more where MP4 could not count the clip's own."""
        if self._is_too_fine:  # a picture stands for minutes, by a clock of 10 MHz
            self.tick = 1 / Fraction(int(1 / (info.time_base * excess)))
        self.first: Fraction = found.first * self.base - self._offset
        """Seconds of the first picture on the clip's own clock."""

    def starts_while_reordering(self, shift: Fraction) -> bool:
        """Whether, moved by `shift`, the first pictures are shown after zero and decoded before it.

        What MP4 then tells of a track's beginning is understood in two ways: see `Joining`.
        """
        return 0 < self.first + shift <= self._ahead * self.base

    def packets(self, target: Stream, shift: Fraction) -> Iterator[Packet[Any]]:
        """All packets for `target`, moved from the clip's own clock by `shift` seconds."""
        last = None
        for packet in settled(self._joined(), self._ahead, self._last_duration):
            move(packet, round((shift - self._offset) / packet.time_base))
            if self._is_too_fine:
                last = _retime(packet, self.tick, last)
            ready: Packet[Any] = packet
            ready.stream = target
            yield ready

    def is_whole_in(self, output: Path) -> bool:
        """Whether `output` holds all of the pictures in its first moving track."""
        with open_input(output) as written:
            return sum(1 for _ in _packets(written)) == self._count

    def _joined(self) -> Iterator[Packet[VideoStream]]:
        for segment in self.segments:
            with open_input(segment) as painted:
                yield from _packets(painted)


def _retime(packet: Packet[VideoStream], tick: Fraction, last: int | None) -> int:
    """Count in coarser ticks, and later than the `last` dts: neighbours may fall into one."""
    pts, dts, duration = (
        round((value or 0) * packet.time_base / tick)
        for value in (packet.pts, packet.dts, packet.duration)
    )
    dts = dts if last is None else max(dts, last + 1)
    packet.pts, packet.dts, packet.duration = max(pts, dts), dts, max(1, duration)
    packet.time_base = tick
    return dts


def _packets(painted: InputContainer) -> Iterator[Packet[VideoStream]]:
    return (packet for packet in painted.demux(painted.streams.video[0]) if packet.size)
