"""Painting a frame in tiles whose seams cannot be seen, where memory does not hold it whole.

What is painted somewhere depends on the pixels around it, which a tile can bring along, and on the
statistics of the whole frame that each instance norm takes. These are gathered first: all tiles run
up to the first norm, which then knows its statistics; then up to the second; and so on. A network
with n norms is run n + 1 times, half of it on average: slow, but exact, and for any network.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from vidstyle.stylizers.networks import InstanceNorm, StyleNetwork, norms

Slices = tuple[slice, slice]

# Filters that are no modules see a little farther than the convolutions alone.
_SLACK: Final = 4


class TiledNetwork:
    """Paints what a network paints, with one tile of it in memory at a time.

    Attributes:
        tiles: how many times a tile was run so far.
    """

    def __init__(self, network: StyleNetwork, side: int) -> None:
        """`side` is that of a tile without its surroundings, a multiple of `network.multiple`.

        Raises ValueError when it is none.
        """
        if side < 1 or side % network.multiple:
            raise ValueError(f"side must be a multiple of {network.multiple}, not {side}")
        self.side = side
        self.tiles = 0
        self._halo = _reach(network)
        own = {id(norm): norm for norm in norms(network).values()}  # what they paint may change
        self._network = copy.deepcopy(network, own)
        self._norms = _share_norms(self._network)

    def __call__(self, x: Tensor) -> Tensor:
        """Paint (1, 3, H, W) in [0, 1], H and W as the network wants them."""
        for norm in self._norms:
            norm.forget()
        while True:
            painted, waiting = torch.empty_like(x), None
            for tile in self._tiles(*x.shape[-2:]):
                try:
                    painted[..., *tile.place] = self._paint(tile, x)
                except _Reached as reached:
                    waiting = reached.norm
                    waiting.gather(tile.core(reached.features))
                self.tiles += 1
            if waiting is None:
                return painted
            waiting.settle()

    def _paint(self, tile: _Tile, x: Tensor) -> Tensor:
        return tile.core(self._network(x[..., *tile.seen]))

    def _tiles(self, height: int, width: int) -> Iterator[_Tile]:
        for top in range(0, height, self.side):
            for left in range(0, width, self.side):
                place = _part(top, self.side, height), _part(left, self.side, width)
                seen = self._around(place[0], height), self._around(place[1], width)
                yield _Tile(place, seen)

    def _around(self, part: slice, length: int) -> slice:
        return slice(max(0, part.start - self._halo), min(length, part.stop + self._halo))


@dataclass(frozen=True)
class _Tile:
    place: Slices
    """The rows and columns that it paints."""
    seen: Slices
    """Those that it looks at."""

    def core(self, features: Tensor) -> Tensor:
        """Of features of what is seen, at whatever scale, the part that belongs to `place`."""
        scale = (self.seen[0].stop - self.seen[0].start) // features.shape[-2]
        rows, columns = (
            slice((place.start - seen.start) // scale, (place.stop - seen.start) // scale)
            for place, seen in zip(self.place, self.seen, strict=True)
        )
        return features[..., rows, columns]


class _SharedNorm(nn.Module):
    """An instance norm that takes its statistics from all tiles of a frame."""

    def __init__(self, norm: InstanceNorm) -> None:
        super().__init__()
        self.norm = norm
        self.forget()

    def forget(self) -> None:
        self._parts: list[tuple[int, Tensor, Tensor]] = []
        self._statistics: tuple[Tensor, Tensor] | None = None

    def gather(self, features: Tensor) -> None:
        """Take in the (1, C, h, w) features of a tile."""
        pixels = features.shape[-2] * features.shape[-1]
        variance, mean = torch.var_mean(features.float(), (-2, -1), correction=0, keepdim=True)
        self._parts.append((pixels, mean.cpu().double(), variance.cpu().double()))

    def settle(self) -> None:
        """All tiles are in: by the law of total variance, these are the frame's statistics."""
        total = sum(pixels for pixels, _, _ in self._parts)
        mean = sum(((n / total) * m for n, m, _ in self._parts), torch.zeros(()))
        spread = ((n / total) * (v + (m - mean) ** 2) for n, m, v in self._parts)
        deviation = torch.sqrt(sum(spread, torch.zeros(())) + self.norm.eps)
        device = self.norm.weight.device
        self._statistics = mean.float().to(device), deviation.float().to(device)

    def forward(self, x: Tensor) -> Tensor:
        if self._statistics is None:
            raise _Reached(self, x)
        mean, deviation = self._statistics
        with torch.autocast(x.device.type, enabled=False):  # as the norm itself does
            scale, shift = (values[:, None, None] for values in self.norm.scale_and_shift())
            return ((x.float() - mean) / deviation * scale + shift).to(x.dtype)


class _Reached(Exception):
    """A tile has come to a norm that does not know its statistics yet."""

    def __init__(self, norm: _SharedNorm, features: Tensor) -> None:
        super().__init__()
        self.norm, self.features = norm, features


def _part(start: int, side: int, length: int) -> slice:
    return slice(start, min(start + side, length))


def _reach(network: StyleNetwork) -> int:
    """How many pixels around it decide about a pixel, at most: as if all was at the least scale."""
    steps = (max(m.kernel_size) // 2 for m in network.modules() if isinstance(m, nn.Conv2d))
    return network.multiple * (sum(steps) + _SLACK)


def _share_norms(network: nn.Module) -> list[_SharedNorm]:
    """Put a shared norm in the place of every norm."""
    shared = []
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, InstanceNorm):
                shared.append(_SharedNorm(child))
                setattr(parent, name, shared[-1])
    return shared
