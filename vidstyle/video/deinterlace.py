"""Interlaced frames to whole pictures, one for one, by FFmpeg's bwdif."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import av
from av.filter import Graph

if TYPE_CHECKING:
    Timed = tuple[av.VideoFrame, int]


def deinterlaced(frames: Iterable[Timed]) -> Iterator[tuple[av.VideoFrame, int, bool]]:
    """The same frames, each with its pts, and whether it was interlaced and is whole now.

    A clip without interlaced frames passes untouched and at no cost. From the first interlaced one
    on, a frame comes out when the next has gone in: bwdif looks at both neighbours.
    """
    deinterlacer: _Deinterlacer | None = None
    for frame, pts in frames:
        if deinterlacer is not None and deinterlacer.shape != _shape(frame):
            yield from deinterlacer.rest()
            deinterlacer = None
        if deinterlacer is None:
            if not frame.interlaced_frame:
                yield frame, pts, False
                continue
            deinterlacer = _Deinterlacer(frame)
        yield from deinterlacer.feed(frame, pts)
    if deinterlacer is not None:
        yield from deinterlacer.rest()


class _Deinterlacer:
    """bwdif for frames of one shape; whole frames among them pass as they are."""

    def __init__(self, first: av.VideoFrame) -> None:
        self.shape = _shape(first)
        self._waiting: deque[tuple[int, int, bool]] = deque()
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width,
            height=first.height,
            format=first.format,
            time_base=first.time_base,
        )
        bwdif = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        source.link_to(bwdif)
        bwdif.link_to(self._graph.add("buffersink"))
        self._graph.configure()

    def feed(self, frame: av.VideoFrame, pts: int) -> Iterator[tuple[av.VideoFrame, int, bool]]:
        self._waiting.append((pts, frame.duration, frame.interlaced_frame))
        self._graph.vpush(frame)
        return self._ready()

    def rest(self) -> Iterator[tuple[av.VideoFrame, int, bool]]:
        self._graph.vpush(None)
        return self._ready()

    def _ready(self) -> Iterator[tuple[av.VideoFrame, int, bool]]:
        while self._waiting:
            try:
                frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # The filter counts in ticks of half the length, for a picture a field.
            pts, frame.duration, was_interlaced = self._waiting.popleft()
            yield frame, pts, was_interlaced


def _shape(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
