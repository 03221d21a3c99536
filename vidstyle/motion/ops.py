"""What is computed on pictures to follow and hold them, apart from what computes it.

There are two kinds of arrays: NumPy's, on which OpenCV works, and torch's, wherever that computes.
The algorithms are written once, in these operations and in what arrays of both kinds know:
arithmetic, comparisons, slices, `shape`, `clip`, `abs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

Array = Any
"""NumPy's or torch's. A picture is (H, W, 3) uint8 RGB, a plane (H, W) float32, a mask (H, W) bool,
a flow (H, W, 2) float32: x and y offsets in pixels."""
Size = tuple[int, int]
"""Height and width."""
_LEAST_HALF = 32
"""Dense inverse search needs room for its coarsest patches."""
Work = Callable[..., tuple[Array, ...]]
Type = Literal["bool", "float32", "uint8"]


def half_size(height: int, width: int) -> Size:
    """Of the frames between which flow is found for blending."""
    return max(height // 2, _LEAST_HALF), max(width // 2, _LEAST_HALF)


class Ops(Protocol):
    """Operations on arrays of one kind. What comes from uint8 is rounded and clamped to uint8."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as expected, a sentence each."""

    def recorded(self, work: Work) -> Work:
        """Make `work` quicker to repeat, if that is possible.

        It must always do the same, on arrays of the same shapes, whatever they hold; what it
        remembers it changes in place.
        """

    def array(self, values: NDArray[Any] | Array) -> Array:
        """An array of this kind with these values: the same one, if it is of this kind."""

    def host(self, array: Array) -> NDArray[Any]:
        """The array as one of NumPy's."""

    def zeros(self, *shape: int, dtype: Type = "float32") -> Array:
        """A new array of zeros."""

    def floats(self, array: Array) -> Array:
        """The array in float32."""

    def grid(self, size: Size) -> Array:
        """(H, W, 2): x and y of every pixel. Shared: do not write into it."""

    def where(self, mask: Array, chosen: Array | int, other: Array) -> Array:
        """`chosen` where the mask is True, else `other`; of the type of `other`."""

    def maximum(self, a: Array, b: Array) -> Array:
        """The larger of two elements."""

    def hypot(self, a: Array, b: Array) -> Array:
        """The root of the sum of two elements' squares."""

    def stacked(self, arrays: Sequence[Array], axis: int = 0) -> Array:
        """Arrays of one shape as one, along a new axis."""

    def weighted(self, image: Array, weight: Array) -> Array:
        """Float32 (h, w, C) times (h, w), channel by channel; C is 2 at least."""

    def squared_length(self, flow: Array) -> Array:
        """x² + y² as a plane."""

    def products(self, a: Array, b: Array) -> Array:
        """(H, W, 4) of two such: each pixel holds a 2x2 matrix, row by row, and so does a @ b."""

    def grey(self, picture: Array) -> Array:
        """(H, W): the luma of a picture (BT.601) as uint8."""

    def largest(self, picture: Array) -> Array:
        """(H, W): the largest of each pixel's channels."""

    def resized(
        self, image: Array, size: Size, kernel: Literal["area", "cubic", "linear", "nearest"]
    ) -> Array:
        """(h, w) or (h, w, C) with other numbers of rows and columns."""

    def fetch(
        self, image: Array, places: Array, kernel: Literal["cubic", "linear", "nearest"]
    ) -> Array:
        """`image` (h, w[, C]) at the x and y of (H, W, 2) `places`; outside is as its border is."""

    def blur(self, image: Array, side: int) -> Array:
        """Means of squares of `side` pixels; the border mirrors."""

    def smooth(self, image: Array) -> Array:
        """(h, w[, C]) float32, filtered with (1, 4, 6, 4, 1) / 16 both ways; the border mirrors."""

    def slopes(self, flow: Array) -> tuple[Array, Array]:
        """How the flow changes from pixel to pixel across, and down (Sobel); the border mirrors."""

    def widened(self, mask: Array, side: int) -> Array:
        """True wherever the square of `side` pixels around holds a True."""

    def range_around(self, picture: Array) -> tuple[Array, Array]:
        """The least and the greatest level of each channel in the 3x3 pixels around."""

    def excess(self, a: Array, b: Array) -> Array:
        """Levels by which `a` is above `b`, uint8; 0 where it is not."""

    def difference(self, a: Array, b: Array) -> Array:
        """a - b of two pictures in float32."""

    def mixed(self, old: Array, new: Array, fresh: Array, tint: Array) -> Array:
        """The picture old + fresh * (new - old) + tint; plane and tint may be smaller pictures."""

    def tinted(self, picture: Array, tint: Array) -> Array:
        """The picture + tint; the tint (h, w, 3) float32 may be smaller."""

    def averaged(self, a: Array, b: Array, share: float) -> Array:
        """The picture share * a + (1 - share) * b."""

    def rarest(self, labels: Array, count: int) -> Array:
        """Which of the labels 0 to count - 1 occurs least, the first of them; to be an index."""


def ramp(value: Array, begin: float, end: float) -> Array:
    """0 up to `begin`, 1 from `end`."""
    return ((value - begin) / (end - begin)).clip(0, 1)


class Estimator(Protocol):
    """Finds motion between frames of one size, at half their width and height."""

    half_size: Size

    def there_and_back(self, a: Array, b: Array) -> tuple[Array, Array]:
        """The flow from picture `a` of half size to `b`, and a rougher one from `b` to `a`."""


def open_ops(height: int, width: int, device: str | None) -> tuple[Ops, Estimator]:
    """What computes on frames of one size: OpenCV where `device` is None, else torch there."""
    if device is None:
        from vidstyle.motion.flow import FlowEstimator
        from vidstyle.motion.opencv_ops import OpenCvOps

        return OpenCvOps(), FlowEstimator(height, width)
    from vidstyle.motion.torch_flow import TorchFlowEstimator
    from vidstyle.motion.torch_ops import TorchOps

    return TorchOps(device), TorchFlowEstimator(height, width)
