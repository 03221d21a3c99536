"""Packets to frames, past what is damaged; every loss is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.stream import Discard

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

# One bad packet is a scratch. After this many without a good one between them the decoder waits for
# the next key frame; if as many fail again from there on, the rest is taken for lost.
MAX_FAILURES = 8
# A damaged frame spoils others that are shown before it, but none shown so many earlier: no codec
# reorders as far.
_SPOILT = 16


class DamageMet(Exception):
    """Several threads met damage while they decoded; what is left of it, one tells best."""


@dataclass
class Losses:
    """What decoding went past; filled in while the frames are taken."""

    skipped: int = 0
    """Damaged packets: unreadable, undecodable, or marked so by the file's own checks."""
    gave_up: bool = False
    """Reading ended early, among nothing but damaged packets."""
    seen_until: Fraction = Fraction(0)
    """Seconds on the file's own clock at which the last packet of any watched track ends."""
    encrypted: bool = False
    """The packets are locked; they would decode to noise, if at all."""
    without_frame: int = 0
    """Packets to be seen that gave no frame, once the track was read to its end."""
    in_a_row: int = 0

    def fail(self) -> None:
        """Count one damaged packet."""
        self.skipped += 1
        self.in_a_row += 1
        self.gave_up = self.in_a_row >= 2 * MAX_FAILURES


def decoded(
    container: InputContainer,
    stream: VideoStream,
    losses: Losses,
    *,
    most_pixels: int,
    watch_all: bool = False,
    threads: int = 1,
) -> Iterator[av.VideoFrame]:
    """The frames of `stream` from where `container` stands, in presentation order.

    A frame of more than `most_pixels` is a damaged one: a clip may announce a small size, and then
    change it. With `watch_all` the other tracks' packets are read too, only to keep
    `losses.seen_until`; without, they are passed over, for damage in them may end the reading.

    One thread, and PyAV's slice threads, give every frame that can be had. Several decode as many
    frames at a time, but lose good frames behind a damaged one; at its first sign they raise, and
    no frame that it spoilt was given.

    Raises:
        DamageMet: `threads` are several, and something is damaged.
    """
    stream.codec_context.options = {"max_pixels": str(most_pixels)}
    if threads > 1:
        stream.thread_type, stream.codec_context.thread_count = "FRAME", threads
    streams: list[Stream] = list(container.streams) if watch_all else [stream]
    if not watch_all:
        for other in container.streams:
            other.discard = Discard.default if other.index == stream.index else Discard.all
    frames = _decoded(container, streams, stream, losses)
    return _trusted(frames, losses) if threads > 1 else frames


def _trusted(frames: Iterator[av.VideoFrame], losses: Losses) -> Iterator[av.VideoFrame]:
    held: deque[av.VideoFrame] = deque()
    for frame in frames:
        held.append(frame)
        if losses.skipped or frame.is_corrupt:
            raise DamageMet
        if len(held) > _SPOILT:
            yield held.popleft()
    if losses.skipped:
        raise DamageMet
    yield from held


def _decoded(
    container: InputContainer, streams: list[Stream], stream: VideoStream, losses: Losses
) -> Iterator[av.VideoFrame]:
    waiting, whole, given = False, 0, 0
    for packet in _packets(container, streams, losses):
        _watch(packet, losses)
        if packet.stream.index != stream.index:  # a flushing packet's own index is unset
            continue
        waiting = waiting and bool(packet.size) and not packet.is_keyframe
        if waiting:
            losses.skipped += 1
            continue
        if packet.has_sidedata("encryption_info"):
            losses.encrypted = True
            return
        frames = _frames(stream, packet, losses)
        yield from frames
        # Some are hidden by an edit list, and none can be seen before a key frame.
        hidden = packet.is_discard or not (whole or packet.is_keyframe)
        whole += packet.size > 0 and not hidden
        given += len(frames)
        if losses.gave_up:
            break
        waiting = losses.in_a_row == MAX_FAILURES
    if losses.gave_up:
        yield from _frames(stream, None, losses)
    losses.without_frame = max(0, whole - given)


def _packets(
    container: InputContainer, streams: list[Stream], losses: Losses
) -> Iterator[Packet[Stream]]:
    while not losses.gave_up:
        try:
            yield from container.demux(streams)
            return
        except av.FFmpegError:
            losses.fail()


def _frames(
    stream: VideoStream, packet: Packet[Stream] | None, losses: Losses
) -> list[av.VideoFrame]:
    try:
        frames = stream.decode(packet)
    except av.EOFError:
        return []
    except av.FFmpegError:
        losses.fail()
        return []
    losses.in_a_row = 0
    losses.skipped += packet is not None and packet.is_corrupt
    return frames


def _watch(packet: Packet[Stream], losses: Losses) -> None:
    if packet.pts is not None and packet.time_base:
        end = (packet.pts + (packet.duration or 0)) * packet.time_base
        losses.seen_until = max(losses.seen_until, end)
