"""The operations of `Ops` on NumPy's arrays, by OpenCV: the quickest on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.ops import Size, Type, Work
from vidstyle.motion.warp import grid

Array = NDArray[Any]

_KERNELS: Final = {
    "area": cv2.INTER_AREA,
    "cubic": cv2.INTER_CUBIC,
    "linear": cv2.INTER_LINEAR,
    "nearest": cv2.INTER_NEAREST,
}


class OpenCvOps:
    """See `Ops`."""

    notes: tuple[str, ...] = ()

    def recorded(self, work: Work) -> Work:
        return work

    def array(self, values: Array) -> Array:
        return values

    def host(self, array: Array) -> Array:
        return array

    def zeros(self, *shape: int, dtype: Type = "float32") -> Array:
        return np.zeros(shape, dtype)

    def floats(self, array: Array) -> Array:
        return array.astype(np.float32)

    def grid(self, size: Size) -> Array:
        return grid(*size)

    def where(self, mask: Array, chosen: Array | int, other: Array) -> Array:
        return np.where(mask, chosen, other).astype(other.dtype, copy=False)

    def maximum(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def hypot(self, a: Array, b: Array) -> Array:
        return np.hypot(a, b)

    def stacked(self, arrays: Sequence[Array], axis: int = 0) -> Array:
        return np.stack(arrays, axis)

    def weighted(self, image: Array, weight: Array) -> Array:
        # NumPy would loop over the channels, of which there are few.
        return image * cv2.merge((weight,) * image.shape[2])

    def squared_length(self, flow: Array) -> Array:
        x, y = flow[..., 0], flow[..., 1]
        return x * x + y * y

    def products(self, a: Array, b: Array) -> Array:
        (p, q, r, s), (t, u, v, w) = cv2.split(a), cv2.split(b)
        return cv2.merge((p * t + q * v, p * u + q * w, r * t + s * v, r * u + s * w))

    def grey(self, picture: Array) -> Array:
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)

    def largest(self, picture: Array) -> Array:
        red, green, blue = cv2.split(picture)  # much faster than NumPy's `max`
        return cv2.max(cv2.max(red, green), blue)

    def resized(self, image: Array, size: Size, kernel: str) -> Array:
        return cv2.resize(image, size[::-1], interpolation=_KERNELS[kernel])

    def fetch(self, image: Array, places: Array, kernel: str) -> Array:
        return cv2.remap(image, places, None, _KERNELS[kernel], borderMode=cv2.BORDER_REPLICATE)

    def blur(self, image: Array, side: int) -> Array:
        return cv2.blur(image, (side, side))

    def smooth(self, image: Array) -> Array:
        return cv2.GaussianBlur(image, (5, 5), 0)

    def slopes(self, flow: Array) -> tuple[Array, Array]:
        across, down = (
            cv2.Sobel(flow, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))
        )
        return across, down

    def widened(self, mask: Array, side: int) -> Array:
        return cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8)) > 0

    def range_around(self, picture: Array) -> tuple[Array, Array]:
        around = np.ones((3, 3), np.uint8)
        return cv2.erode(picture, around), cv2.dilate(picture, around)

    def excess(self, a: Array, b: Array) -> Array:
        return cv2.subtract(a, b)

    def difference(self, a: Array, b: Array) -> Array:
        return cv2.subtract(a, b, dtype=cv2.CV_32F)

    def mixed(self, old: Array, new: Array, fresh: Array, tint: Array) -> Array:
        weight = self.resized(fresh, old.shape[:2], "linear")
        return self.tinted(cv2.blendLinear(old, new, 1 - weight, weight), tint)

    def tinted(self, picture: Array, tint: Array) -> Array:
        shift = self.resized(np.rint(tint).astype(np.int16), picture.shape[:2], "linear")
        return cv2.add(picture, shift, dtype=cv2.CV_8U)

    def averaged(self, a: Array, b: Array, share: float) -> Array:
        return cv2.addWeighted(a, share, b, 1 - share, 0)

    def rarest(self, labels: Array, count: int) -> Array:
        return np.bincount(labels.ravel(), minlength=count).argmin(axis=0, keepdims=True)
