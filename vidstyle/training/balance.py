"""How much steadiness weighs: the same for every style, however unsteady it is by nature."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from vidstyle.training.ranks import average_over_ranks

LEAST_UNSTEADINESS: Final = 1e-3
"""Mean difference of two paintings on a scale of 1; a network that paints nothing has none."""


class Unsteadiness(nn.Module):
    """How unsteady each style is painted as long as nobody asks for steadiness.

    A style of strong contrasts changes by more levels than a faint one, so a stability loss says
    little until it stands beside what it was at first. A network that begins with a trained style
    is measured as it is, so a steady one is asked to become steadier still.

    Buffers, because a resumed training needs them.

    Attributes:
        mean: (styles,), of the stability losses observed.
        count: (styles,), of them.
    """

    mean: Tensor
    count: Tensor

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(styles))
        self.register_buffer("count", torch.zeros(styles))

    @torch.no_grad()
    def observe(self, style: int, loss: Tensor) -> None:
        """Take in the loss of a step, of all processes' shares."""
        self.count[style] += 1
        loss = average_over_ranks(loss.detach().clone())
        self.mean[style] += (loss - self.mean[style]) / self.count[style]

    def weight(self, style: int) -> float:
        """Weight that makes a stability loss 1 where it is as at first; 0 if none was observed."""
        return 1 / max(self.mean[style].item(), LEAST_UNSTEADINESS) if self.count[style] else 0.0
