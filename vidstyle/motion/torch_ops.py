"""The operations of `Ops` on torch's tensors, wherever they lie.

None of them waits for the device, or asks it anything: but `host` they can all become parts of one
CUDA graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vidstyle.cuda import Recording, download, upload
from vidstyle.motion.ops import Size, Type, Work

GREY: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in luma (BT.601)."""
_KERNELS: Final = {"cubic": "bicubic", "linear": "bilinear", "nearest": "nearest"}


class TorchOps:
    """See `Ops`."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)
        self._recordings: list[Recording] = []

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(recording.note for recording in self._recordings if recording.note)

    def recorded(self, work: Work) -> Work:
        self._recordings.append(Recording(work, self.device))
        return self._recordings[-1]

    def array(self, values: NDArray[Any] | Tensor) -> Tensor:
        return values if isinstance(values, Tensor) else upload(values, self.device)

    def host(self, array: Tensor) -> NDArray[Any]:
        return download(array)

    def zeros(self, *shape: int, dtype: Type = "float32") -> Tensor:
        return torch.zeros(*shape, dtype=getattr(torch, dtype), device=self.device)

    def floats(self, array: Tensor) -> Tensor:
        return array.float()

    def grid(self, size: Size) -> Tensor:
        return grid(size, self.device)

    def where(self, mask: Tensor, chosen: Tensor | int, other: Tensor) -> Tensor:
        return torch.where(mask, chosen, other).to(other.dtype)

    def maximum(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.maximum(a, b)

    def hypot(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.hypot(a, b)

    def stacked(self, arrays: Sequence[Tensor], axis: int = 0) -> Tensor:
        return torch.stack(tuple(arrays), axis)

    def weighted(self, image: Tensor, weight: Tensor) -> Tensor:
        return image * weight[..., None]

    def squared_length(self, flow: Tensor) -> Tensor:
        return flow.square().sum(dim=-1)

    def products(self, a: Tensor, b: Tensor) -> Tensor:
        size = a.shape[:2]  # libraries of matrices are made for few large ones
        return (a.reshape(*size, 2, 2, 1) * b.reshape(*size, 1, 2, 2)).sum(dim=-2).flatten(-2)

    def grey(self, picture: Tensor) -> Tensor:
        return _levels((picture * constant(GREY, picture.device)).sum(dim=-1))

    def largest(self, picture: Tensor) -> Tensor:
        return picture.amax(dim=-1)

    def resized(self, image: Tensor, size: Size, kernel: str) -> Tensor:
        if kernel == "area" and size[0] <= image.shape[0] and size[1] <= image.shape[1]:
            return _filtered(image, lambda x: _means(x, size))
        smooth = {} if kernel == "nearest" else {"align_corners": False}
        mode = _KERNELS.get(kernel, "bilinear")
        return _filtered(image, lambda x: F.interpolate(x, size, mode=mode, **smooth))

    def fetch(self, image: Tensor, places: Tensor, kernel: str) -> Tensor:
        return _filtered(image, lambda x: sample(x, places[None], _KERNELS[kernel]))

    def blur(self, image: Tensor, side: int) -> Tensor:
        return _filtered(image, lambda x: F.avg_pool2d(_mirrored(x, side // 2), side, stride=1))

    def smooth(self, image: Tensor) -> Tensor:
        return _filtered(image, lambda x: _binomial(_binomial(_mirrored(x, 2), -1), -2))

    def slopes(self, flow: Tensor) -> tuple[Tensor, Tensor]:
        x = _mirrored(_to_planes(flow), 1)
        across = (x[..., 2:] - x[..., :-2]) / 8
        across = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
        down = (x[..., 2:, :] - x[..., :-2, :]) / 8
        down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
        return _from_planes(across, flow), _from_planes(down, flow)

    def widened(self, mask: Tensor, side: int) -> Tensor:
        return _from_planes(_most(_to_planes(mask), side), mask) > 0

    def range_around(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        least = _filtered(picture, lambda x: -_most(-x, 3))
        return least, _filtered(picture, lambda x: _most(x, 3))

    def excess(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(a > b, a - b, 0)

    def difference(self, a: Tensor, b: Tensor) -> Tensor:
        return a.float() - b.float()

    def mixed(self, old: Tensor, new: Tensor, fresh: Tensor, tint: Tensor) -> Tensor:
        weight = self.resized(fresh, (old.shape[0], old.shape[1]), "linear")[..., None]
        return self.tinted(torch.lerp(old.float(), new.float(), weight).round(), tint)

    def tinted(self, picture: Tensor, tint: Tensor) -> Tensor:
        shift = self.resized(tint.round(), (picture.shape[0], picture.shape[1]), "linear")
        return _levels(picture + shift.round())

    def averaged(self, a: Tensor, b: Tensor, share: float) -> Tensor:
        return _levels(torch.lerp(b.float(), a.float(), share))

    def rarest(self, labels: Tensor, count: int) -> Tensor:
        each = torch.arange(count, device=labels.device)
        uses = (labels.flatten() == each[:, None]).sum(dim=1)
        return (uses * count + each).argmin(keepdim=True)  # no two are alike, so it is the first


def sample(image: Tensor, places: Tensor, kernel: str = "bilinear") -> Tensor:
    """Fetch (N, C, H, W) at (N, h, w, 2) x and y; outside is the nearest pixel of the border."""
    height, width = image.shape[-2:]
    scale = constant((2 / max(width - 1, 1), 2 / max(height - 1, 1)), image.device)
    return F.grid_sample(
        image, places * scale - 1, mode=kernel, padding_mode="border", align_corners=True
    )


# One clip needs a dozen of each of these; they must outlive what was recorded with them.


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """The values as a tensor. Shared: do not write into it."""
    return torch.tensor(values, dtype=torch.float32, device=device)


@lru_cache(maxsize=64)
def grid(size: Size, device: torch.device) -> Tensor:
    """(H, W, 2): x and y of every pixel. Shared: do not write into it."""
    rows, columns = (torch.arange(n, dtype=torch.float32, device=device) for n in size)
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)


def _filtered(image: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
    """`work` takes and gives (1, C, H, W) float32, the image is (H, W) or (H, W, C) of any type."""
    return _from_planes(work(_to_planes(image)), image)


def _to_planes(image: Tensor) -> Tensor:
    return image.reshape(1, *image.shape[:2], -1).permute(0, 3, 1, 2).float()


def _from_planes(planes: Tensor, image: Tensor) -> Tensor:
    """(1, C, H, W) float32 in the form and the type of `image`."""
    result = planes[0].permute(1, 2, 0)
    result = result if image.ndim == 3 else result[..., 0]
    return _levels(result) if image.dtype == torch.uint8 else result


def _levels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


def _binomial(planes: Tensor, dim: int) -> Tensor:
    a, b, c, d, e = (planes.narrow(dim, k, planes.shape[dim] - 4) for k in range(5))
    return (a + e + 4 * (b + d) + 6 * c) / 16


def _most(planes: Tensor, side: int) -> Tensor:
    return F.max_pool2d(planes, side, stride=1, padding=side // 2)


def _mirrored(planes: Tensor, margin: int) -> Tensor:
    """With `margin` more pixels on all sides, by mirroring about the outermost ones."""
    rows, columns = (_mirror(n, margin, planes.device) for n in planes.shape[-2:])
    return planes.index_select(-2, rows).index_select(-1, columns)


@lru_cache(maxsize=64)
def _mirror(count: int, margin: int, device: torch.device) -> Tensor:
    places = np.pad(np.arange(count), margin, mode="reflect")  # any margin: it mirrors again
    return torch.from_numpy(places).to(device)


def _means(planes: Tensor, size: Size) -> Tensor:
    """Each new pixel is the mean of the area that it covers."""
    height, width = planes.shape[-2:]
    if height % size[0] == 0 and width % size[1] == 0:
        return F.avg_pool2d(planes, (height // size[0], width // size[1]))
    rows, columns = (_shares(*n, planes.device) for n in ((height, size[0]), (width, size[1])))
    return rows @ planes @ columns.T


@lru_cache(maxsize=64)
def _shares(old: int, new: int, device: torch.device) -> Tensor:
    """(new, old): the share that each of `old` pixels in a row has in each of `new` ones."""
    edges = torch.arange(new + 1, dtype=torch.float64) * old / new
    pixels = torch.arange(old, dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (overlap.clamp(min=0) * new / old).float().to(device)
