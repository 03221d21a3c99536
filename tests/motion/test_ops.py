"""Both kinds of operations give the same, whatever the size."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vidstyle.motion.opencv_ops import OpenCvOps
from vidstyle.motion.ops import Array, Ops
from vidstyle.motion.torch_ops import TorchOps

SIZES = [(1, 1), (2, 9), (36, 64), (61, 45)]


class Inputs:
    """Pictures and what goes with them, the same for every kind of operations."""

    def __init__(self, ops: Ops, size: tuple[int, int]) -> None:
        random, (height, width) = np.random.default_rng(0), size
        rows, columns = np.mgrid[:height, :width]
        waves = [np.sin(rows / 5 + k) + np.cos(columns / 6 - k) for k in range(3)]
        smooth = (127 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)
        self.size = size
        self.picture, self.other = ops.array(smooth), ops.array(255 - smooth[::-1].copy())
        self.mask = ops.array(random.random(size) < 0.1)
        self.plane, self.second = (
            ops.array(random.random(size, np.float32) * 2 - 0.5) for _ in range(2)
        )
        self.flow = ops.array(random.normal(0, 3, (*size, 2)).astype(np.float32))
        self.labels = ops.array(random.integers(2, 5, size).astype(np.uint8))
        small = (max(height // 3, 1), max(width // 3, 1))
        self.fresh = ops.array(random.random(small, np.float32))
        self.tint = ops.array(random.normal(0, 9, (*small, 3)).astype(np.float32))


OPERATIONS: dict[str, Callable[[Ops, Inputs], Array | tuple[Array, ...]]] = {
    "zeros": lambda ops, x: (ops.zeros(*x.size), ops.zeros(3, *x.size, dtype="uint8")),
    "floats": lambda ops, x: ops.floats(x.picture),
    "grid": lambda ops, x: ops.grid(x.size),
    "where": lambda ops, x: (ops.where(x.mask, 1, x.plane), ops.where(x.mask, x.second, x.plane)),
    "maximum": lambda ops, x: (ops.maximum(x.plane, x.second), ops.maximum(x.picture, x.other)),
    "hypot": lambda ops, x: ops.hypot(x.plane, x.second),
    "stacked": lambda ops, x: tuple(ops.stacked((x.plane, x.second), axis) for axis in (0, -1)),
    "weighted": lambda ops, x: (ops.weighted(x.tint, x.fresh), ops.weighted(x.flow, x.plane)),
    "squared_length": lambda ops, x: ops.squared_length(x.flow),
    "products": lambda ops, x: ops.products(*quarters(ops, x)),
    "grey": lambda ops, x: ops.grey(x.picture),
    "largest": lambda ops, x: ops.largest(x.picture),
    "area": lambda ops, x: tuple(ops.resized(each, x.fresh.shape, "area") for each in smooth(x)),
    "half": lambda ops, x: ops.resized(x.plane, tuple(-(-n // 2) for n in x.size), "area"),
    "linear": lambda ops, x: tuple(ops.resized(each, (70, 80), "linear") for each in smooth(x)),
    "cubic": lambda ops, x: ops.resized(x.picture, (97, 110), "cubic"),
    "nearest": lambda ops, x: ops.resized(x.flow, (2 * x.size[0], 2 * x.size[1]), "nearest"),
    "fetch": lambda ops, x: ops.fetch(x.picture, ops.grid(x.size) + x.flow, "linear"),
    "fetch finely": lambda ops, x: ops.fetch(x.picture, ops.grid(x.size) + x.flow, "cubic"),
    "fetch labels": lambda ops, x: ops.fetch(x.labels, ops.grid(x.size) * 2 - 5, "nearest"),
    "fetch planes": lambda ops, x: ops.fetch(ops.grid(x.size) + 0, x.flow * 2, "linear"),
    "blur": lambda ops, x: (ops.blur(x.picture, 3), ops.blur(x.plane, 5)),
    "smooth": lambda ops, x: (ops.smooth(x.plane), ops.smooth(x.tint)),
    "slopes": lambda ops, x: ops.slopes(x.flow),
    "widened": lambda ops, x: (ops.widened(x.mask, 3), ops.widened(x.mask, 5)),
    "range_around": lambda ops, x: ops.range_around(x.picture),
    "excess": lambda ops, x: ops.excess(x.picture, x.other),
    "difference": lambda ops, x: ops.difference(x.picture, x.other),
    "mixed": lambda ops, x: ops.mixed(x.picture, x.other, x.fresh, x.tint),
    "averaged": lambda ops, x: ops.averaged(x.picture, x.other, 0.3),
    "rarest": lambda ops, x: ops.rarest(x.labels, 5),
}


def quarters(ops: Ops, x: Inputs) -> tuple[Array, Array]:
    planes = [x.plane, x.second, x.flow[..., 0], x.flow[..., 1]]
    return ops.stacked(planes, -1), ops.stacked(planes[::-1], -1)


def smooth(x: Inputs) -> tuple[Array, ...]:
    return x.picture, x.plane, x.flow


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_torch_gives_what_opencv_gives(name: str, size: tuple[int, int], torch_device: str) -> None:
    one, other = (
        results(ops, OPERATIONS[name](ops, Inputs(ops, size)))
        for ops in (OpenCvOps(), TorchOps(torch_device))
    )
    for wanted, found in zip(one, other, strict=True):
        assert found.shape == wanted.shape
        if name != "rarest":  # indices may be of any type of integer
            assert found.dtype == wanted.dtype
        # OpenCV fetches from places that it rounds to a 32nd of a pixel.
        close = 1 / 32 if name == "fetch planes" else 1e-3
        tolerance = 2 if wanted.dtype == np.uint8 else close * max(1, np.abs(wanted).max())
        assert np.abs(found.astype(float) - wanted).max() <= tolerance


def results(ops: Ops, output: Any) -> list[np.ndarray]:
    return [ops.host(array) for array in (output if isinstance(output, tuple) else (output,))]


def test_of_labels_that_occur_equally_rarely_the_first_is_taken(torch_device: str) -> None:
    labels = np.array([[0, 0, 1], [2, 5, 5]], np.uint8)
    for ops in (OpenCvOps(), TorchOps(torch_device)):
        assert ops.host(ops.rarest(ops.array(labels), 6)) == [3]
        assert ops.host(ops.rarest(ops.array(labels % 5), 3)) == [1]


def test_whole_pixels_are_fetched_as_they_are(torch_device: str) -> None:
    """From the last rows of a tall stack, too, whose places are largest."""
    ops, stack = TorchOps(torch_device), np.random.default_rng(1).integers(0, 256, (6500, 40, 3))
    stack = stack.astype(np.uint8)
    places = ops.grid((100, 40)) + ops.array(np.array((0, 6390), np.float32))
    for kernel in ("cubic", "linear"):
        fetched = ops.host(ops.fetch(ops.array(stack), places, kernel))
        assert np.array_equal(fetched, stack[6390:6490])
