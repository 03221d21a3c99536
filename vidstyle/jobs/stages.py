"""The stops between a decoder and an encoder, and the threads that let them work side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidstyle.jobs.prefetch import close, prefetch
from vidstyle.jobs.stopwatch import Stopwatch
from vidstyle.types import Frame

T = TypeVar("T")
Image = NDArray[np.uint8]

DECODING, PAINTING, STEADYING = "decoding", "painting", "steadying"
ENCODING, JOINING = "encoding", "joining"
"""Names of the stages as a user reads them."""

_AHEAD = 3
"""Items that wait between two threads: enough to even out jitter, few enough to bound memory."""


class Painter(Protocol):
    """What paints, as far as the stages care."""

    def paint(self, batch: Image, /) -> Image:
        """Paint (N, H, W, 3) RGB pictures, 0-255; as many come back, of the same size."""


class Blender(Protocol):
    """What holds a painting still."""

    def step(self, frame: Image, painted: Image, /) -> Image:
        """The steady form of the next `painted`; all are (H, W, 3) RGB, 0-255."""


@dataclass(frozen=True)
class Brush:
    """How frames are painted."""

    painter: Painter
    blender: Blender | None
    """None takes frames as they are painted."""
    strength: float = 1.0
    """Share of the painting, 0 to 1."""
    batch: int = 1
    """Frames that are painted at a time; the painter always gets this many."""


@contextmanager
def painted(frames: Iterable[Frame], brush: Brush, watch: Stopwatch) -> Iterator[Iterator[Frame]]:
    """The frames, painted, in order. Decoding, painting and steadying have a thread each.

    The threads end with the block, however it ends. Memory does not grow with the clip.
    """
    with ExitStack() as stack:

        def threaded(stage: Generator[T, None, None]) -> Generator[T, None, None]:
            ahead = prefetch(stage, _AHEAD)
            stack.callback(stage.close)
            stack.callback(ahead.close)  # runs first: it stops the thread that runs the stage
            return ahead

        stack.callback(close, frames)
        decoded = threaded(watch.pulling(DECODING, frames))
        pairs = threaded(_paint(decoded, brush, watch))
        yield threaded(_steady(pairs, brush, watch))


def _paint(
    frames: Iterator[Frame], brush: Brush, watch: Stopwatch
) -> Generator[tuple[Frame, Image], None, None]:
    while group := list(islice(frames, brush.batch)):
        # The last group is filled up: one shape means one plan, and one way of rounding.
        filler = [group[-1]] * (brush.batch - len(group))
        with watch.timing(PAINTING):
            paintings = brush.painter.paint(np.stack([frame.image for frame in group + filler]))
        yield from zip(group, paintings, strict=False)


def _steady(
    pairs: Iterable[tuple[Frame, Image]], brush: Brush, watch: Stopwatch
) -> Generator[Frame, None, None]:
    for frame, painting in pairs:
        with watch.timing(STEADYING):
            steady = painting
            if brush.blender is not None:
                steady = brush.blender.step(frame.image, painting)
            image = mix(frame.image, steady, brush.strength)
        yield replace(frame, image=image)


def mix(image: Image, painting: Image, strength: float) -> Image:
    """Blend two pictures of one shape, 0-255: strength 0 is `image` exactly, 1 is `painting`.

    In between, strength is rounded to a 256th and the result to the nearest level.
    """
    if strength == 1:
        return painting
    share = np.uint16(round(strength * 256))
    total = image * (np.uint16(256) - share) + painting * share
    return ((total + np.uint16(128)) >> np.uint16(8)).astype(np.uint8)
