"""What has come in over the edges of a frame, and when it has come to stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.ops import Array, Ops, Size

# Pixels of the half-size frame beside an edge, where painters paint otherwise than in the middle.
_RIM = 6
# Half-size pixels that the rim moves until what has come in meanwhile is kept: a block that strokes
# fit into; and those a frame below which a place stands still.
_BLOCK, _STILL = 8.0, 0.02
# What is known of a pixel beside the rest: it was painted in the rim or has just come in; it has
# been painted further in since.
_OF_RIM, _WITHIN = 1, 2
# Steps of Roberts's sequence R2 (2018, after the plastic number), which fills a square evenly.
_R2 = np.array((0.7548776662, 0.5698402910), np.float32)


class Edges:
    """Lets what comes in over the edges of a frame be kept block by block.

    A flat area's strokes lie where the frame has them, whatever comes in under them. Kept line by
    line as it comes in, it would be all smears of the few strokes that lie beside the edge. So it
    is painted anew in every frame until there is enough of it, and then kept all at once.
    """

    def __init__(self, half_size: Size, ops: Ops) -> None:
        self._ops = ops
        self._rim = ops.array(_rim(*half_size))
        self._weights = ops.floats(self._rim) / float(_rim(*half_size).sum())
        self._known = ops.zeros(*half_size, dtype="uint8")
        self._travelled = ops.zeros(1)
        self._step, self._dither = ops.array(_R2), ops.zeros(2)

    def arrays(self) -> tuple[Array, ...]:
        """All that it remembers, see `Memory.arrays`."""
        return self._known, self._travelled, self._dither

    def follow(self, flow: Array, origin: Array) -> None:
        """Move on to the next frame.

        Args:
            flow: (h, w, 2), from it to the last.
            origin: (h, w, 2): the places in the last that this leads to.
        """
        ops = self._ops
        length = ops.squared_length(flow) ** 0.5
        entering = (length * self._weights).sum()
        self._travelled += entering
        keeping = (self._travelled >= _BLOCK) | (entering < _STILL)
        self._travelled *= ~keeping
        # Rounded to the next pixel, slow motion would be none: it is rounded up as often as is due.
        self._dither[...] = (self._dither + self._step) % 1
        moves = ops.floats(length >= _STILL)[..., None]  # what noise takes for motion, does not
        places = origin + moves * (self._dither - 0.5)
        known = ops.fetch(self._known, places, "nearest")
        known = ops.where(outside(places, (known.shape[0], known.shape[1])), _OF_RIM, known)
        known = ops.where((known == _WITHIN) & keeping, 0, known)
        self._known[...] = ops.where((known == _OF_RIM) & ~self._rim, _WITHIN, known)

    def forget(self) -> None:
        """Begin another shot."""
        self._known[...] = 0
        self._travelled[...] = 0

    def store(self, touched: Array) -> None:
        """Remember what is painted in the rim: it must be painted anew when it moves further in."""
        self._known[...] = self._ops.where(touched & self._rim, _OF_RIM, self._known)

    def entered(self) -> Array:
        """(h, w): 1 where it is not to be kept yet."""
        return self._ops.floats((self._known == _WITHIN) & ~self._rim)


def outside(places: Array, size: Size) -> Array:
    """Which (x, y) of `places` (H, W, 2), in pixels, lie off a picture of `size`."""
    x, y = places[..., 0], places[..., 1]
    return (x < -0.5) | (y < -0.5) | (x > size[1] - 0.5) | (y > size[0] - 0.5)


def _rim(height: int, width: int) -> NDArray[np.bool_]:
    rim = np.ones((height, width), bool)
    rim[_RIM : height - _RIM, _RIM : width - _RIM] = False
    return rim
