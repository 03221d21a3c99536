"""A network between uint8 frames, so that conversion and rounding happen where it runs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vidstyle.stylizers.networks import StyleNetwork, choose_shares


class FramePainter(nn.Module):
    """A network between uint8 frames: scales, pads to what the network needs, crops, rounds."""

    def __init__(self, network: StyleNetwork, height: int, width: int) -> None:
        super().__init__()
        self.network = network
        self.height, self.width = height, width
        before, multiple = network.border, network.multiple
        rows, columns = (
            max(network.least, -(-(n + 2 * before) // multiple) * multiple) - n - before
            for n in (height, width)
        )
        self.padding = (before, columns, before, rows)

    def forward(self, frames: Tensor, shares: Tensor | None = None) -> Tensor:
        """(N, H, W, 3) uint8 to the same; `shares` (S,) are for a network of several styles."""
        if shares is not None:
            choose_shares(self.network, shares)
        return self.finish(self.network(self.prepare(frames)))

    def prepare(self, frames: Tensor) -> Tensor:
        """(N, H, W, 3) uint8 to what the network takes."""
        x = frames.permute(0, 3, 1, 2).float() / 255.0
        return F.pad(x, self.padding, mode="replicate")

    def finish(self, painted: Tensor) -> Tensor:
        """What the network gives to (N, H, W, 3) uint8."""
        left, _, top, _ = self.padding
        inside = painted[..., top : top + self.height, left : left + self.width]
        pixels = inside.float() * 255.0
        return pixels.round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
