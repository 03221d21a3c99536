"""The decoding times and durations that a NUT file leaves out, from the order of its packets."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

    Packets = Iterable[Packet[VideoStream]]

MOST_TICKS = 2**31 - 1
"""MP4 counts those from one packet to the next, and from decoding to showing, in 31 bits."""
# A clock that stands still for so many seconds is broken.
_LONGEST_STEP = 12 * 3600
# No encoder holds more frames back than this to reorder them (H.264 and HEVC allow 16).
_DEPTH = 32


def follows(time: int, last: int, base: Fraction) -> bool:
    """Whether `time` can come right after `last`, in ticks of `base`: later, but not by days."""
    return last < time <= last + int(_LONGEST_STEP / base)


@dataclass
class Survey:
    """What a track is like, in ticks of its packets."""

    count: int = 0
    """How many packets there are."""
    first: int | None = None
    """The first pts."""
    ahead: int = 0
    """How far ahead of showing it must be decoded: the fewest ticks for which every picture is
    decoded in time, if the n-th to be decoded is decoded so long before the n-th to be shown."""
    longest: int = 0
    """From one picture to the next, at most."""

    def excess(self, last_duration: int) -> int:
        """How many times too fine these ticks are for MP4; 1 where they are not."""
        return -(-(self.ahead + max(self.longest, last_duration)) // MOST_TICKS) or 1


def survey(packets: Packets) -> Survey:
    """Look all packets through, in decoding order."""
    found, last = Survey(), None
    for packet, shown in _in_turn(packets):
        found.count += 1
        found.first = shown if found.first is None else found.first
        found.ahead = max(found.ahead, shown - (packet.pts or 0))
        found.longest = max(found.longest, shown - (shown if last is None else last))
        last = shown
    return found


def settled(packets: Packets, ahead: int, last_duration: int) -> Iterator[Packet[VideoStream]]:
    """Packets in decoding order, each with its dts and with the time until the next picture.

    The dts are the times of showing in order, `ahead` ticks earlier. So the steps between them are
    the very durations of the pictures, and MP4, which stores nothing but these steps, gives the
    track its true length also where the frame rate varies.

    Args:
        packets: in decoding order, with a pts each.
        ahead: from `survey`.
        last_duration: ticks that the last picture is shown; 0 for as long as the one before.
    """
    for packet, shown, duration in _with_durations(packets, last_duration):
        packet.dts = shown - ahead
        packet.duration = duration
        yield packet


def _in_turn(packets: Packets) -> Iterator[tuple[Packet[VideoStream], int]]:
    """Each packet, with the pts of the picture that is shown when its turn comes."""
    held: deque[Packet[VideoStream]] = deque()
    times: list[int] = []
    for packet in packets:
        heappush(times, packet.pts or 0)
        held.append(packet)
        if len(held) > _DEPTH:
            yield held.popleft(), heappop(times)
    for packet in held:
        yield packet, heappop(times)


def _with_durations(
    packets: Packets, last_duration: int
) -> Iterator[tuple[Packet[VideoStream], int, int]]:
    held: deque[tuple[Packet[VideoStream], int]] = deque()
    times: list[int] = []
    for item in _in_turn(packets):
        insort(times, item[0].pts or 0)
        held.append(item)
        if len(held) > _DEPTH:
            packet, shown = held.popleft()
            yield packet, shown, _until_next(packet, times, 0)
            del times[: -3 * _DEPTH]
    for packet, shown in held:
        yield packet, shown, _until_next(packet, times, last_duration)


def _until_next(packet: Packet[VideoStream], times: list[int], last_duration: int) -> int:
    following = bisect_right(times, packet.pts or 0)
    if following < len(times):
        return times[following] - (packet.pts or 0)
    if last_duration or len(times) < 2:
        return last_duration
    return times[-1] - times[-2]
