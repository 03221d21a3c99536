"""Muon, an optimizer for what a convolution multiplies with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

MOMENTUM: Final = 0.95
ROUNDS: Final = 5
"""Of Newton and Schulz: singular values end between 0.7 and 1.2, and more is not needed."""
COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
"""Of Jordan's quintic: it raises small singular values fast, and does not quite settle at 1."""
LIKE_ADAM: Final = 0.2
"""Root mean square of Adam's changes over the rate, in practice (Liu et al. 2025)."""


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan et al. 2024, "Muon: an optimizer for hidden layers").

    A kernel is a matrix, a row an output. Few directions rule its gradients, and here all count the
    same: its singular values become 1, nearly. Changes are scaled to the size of Adam's (Liu et al.
    2025, "Muon is scalable for LLM training"), so both learn at one rate. `torch.optim.Muon` does
    the same, but takes no kernels.
    """

    def __init__(self, kernels: Iterable[nn.Parameter]) -> None:
        """Take kernels (outputs, inputs, height, width); the rate is set before each step."""
        super().__init__(kernels, {"lr": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change every kernel against its gradient."""
        for group in self.param_groups:
            for kernel in group["params"]:
                kernel.sub_(group["lr"] * self._direction(kernel))

    def _direction(self, kernel: nn.Parameter) -> Tensor:
        gradient, state = kernel.grad, self.state[kernel]
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        matrix = orthogonal(gradient.lerp(momentum, MOMENTUM).flatten(1))
        return matrix.view_as(kernel) * LIKE_ADAM * math.sqrt(max(matrix.shape))


def orthogonal(matrix: Tensor) -> Tensor:
    """Bring every singular value of a matrix (M, N) near to 1 by Newton and Schulz's iteration."""
    if matrix.shape[0] > matrix.shape[1]:  # the products below are smaller the other way round
        return orthogonal(matrix.T).T
    a, b, c = COEFFICIENTS
    x: Tensor = matrix / matrix.norm().clamp(min=1e-30)
    for _ in range(ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x
