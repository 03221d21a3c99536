"""The painted track as a GIF: 256 colours a frame, hundredths of a second, no sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.filter import Graph

from vidstyle.files import writing
from vidstyle.video.numbered import decoded
from vidstyle.video.opening import open_output

TICK = Fraction(1, 100)
_LEAST_STEP = 2
"""Ticks: viewers show a frame that is to stand for less than these for ten."""
_MOST_OFF = 1
"""Ticks by which a frame may be shown late; later, it takes the place of the one before."""
_COMMENT, _TRAILER = b"\x21\xfe", b"\x3b"  # GIF89a, sections 24 and 27
_LONGEST_BLOCK = 255


class Changes(NamedTuple):
    """What a GIF's clock cost, in frames."""

    moved: int
    """To another hundredth of a second."""
    left_out: int
    """There are at most 50 in a second."""


def write_gif(
    segments: Sequence[Path],
    output: Path,
    last: Fraction,
    stamp: str,
    shape: Fraction = Fraction(1),
    on_frame: Callable[[], None] = lambda: None,
) -> Changes:
    """Turn what `encode_track` wrote into a GIF that repeats for ever.

    Args:
        segments: the painted track, in order; one file or more.
        output: overwritten.
        last: seconds that the last picture is shown.
        stamp: the comment, where `stamp.read_stamp` finds it.
        shape: width over height of a pixel of the track; a GIF's are square.
        on_frame: called with each frame; what it raises ends the work.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    options = {"final_delay": str(max(_LEAST_STEP, round(last / TICK)))}
    with writing(output):
        clock = _Clock()
        pictures = clock.timed(frame for path in segments for frame in _frames(path, shape))
        with open_output(output, "gif", options) as target:
            stream = target.add_stream("gif", time_base=TICK)
            for frame in _with_palettes(pictures):
                on_frame()
                if not stream.codec_context.is_open:
                    stream.width, stream.height = frame.width, frame.height
                    stream.pix_fmt = "pal8"
                target.mux(stream.encode(frame))
            target.mux(stream.encode())
        _add_comment(output, stamp.encode())
    return Changes(clock.moved, clock.left_out)


class _Clock:
    """Counts in hundredths from the first frame on, two at least from frame to frame."""

    def __init__(self) -> None:
        self.moved = self.left_out = 0

    def timed(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        held: av.VideoFrame | None = None
        start, place, exact = None, 0, Fraction(0)
        for frame in frames:
            time = (frame.pts or 0) * Fraction(frame.time_base or TICK)
            start = time if start is None else start
            last, exact = exact, (time - start) / TICK
            if held is not None and place + _LEAST_STEP - exact > _MOST_OFF:
                self.left_out += 1
            elif held is not None:
                self.moved += place != last
                yield held
                place = max(round(exact), place + _LEAST_STEP)
            held, frame.pts, frame.time_base = frame, place, TICK
        if held is not None:
            self.moved += place != exact
            yield held


def _frames(path: Path, shape: Fraction) -> Iterator[av.VideoFrame]:
    for frame, image in decoded(path, shape):
        picture = av.VideoFrame.from_ndarray(image, "rgb24")
        picture.pts, picture.time_base = frame.pts, frame.time_base
        yield picture


def _with_palettes(frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Each frame in 256 colours of its own: one palette for all would need all frames at once."""
    graph: Graph | None = None
    for frame in frames:
        graph = graph or _palette_graph(frame)
        graph.vpush(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph)


def _palette_graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    entry = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=TICK
    )
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single")
    apply = graph.add("paletteuse", "new=1:dither=sierra2_4a")
    entry.link_to(split)
    split.link_to(apply, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(apply, 0, 1)
    apply.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


def _add_comment(path: Path, text: bytes) -> None:
    """FFmpeg's muxer writes none: put one before the trailer."""
    blocks = [text[at : at + _LONGEST_BLOCK] for at in range(0, len(text), _LONGEST_BLOCK)]
    body = b"".join(bytes([len(block)]) + block for block in blocks)
    with path.open("r+b") as file:
        file.seek(-len(_TRAILER), 2)
        file.write(_COMMENT + body + b"\0" + _TRAILER)
