"""What a CycleGAN is trained by. Its other losses, of motion and of grids, are in `losses`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torch import Tensor
from torch.nn import functional as F

from vidstyle.training.config import Adversarial


@dataclass(frozen=True)
class AdversarialLoss:
    """What judge and painter play for, as functions of the judge's verdicts (N, K, H, W)."""

    judge: Callable[[Tensor, Tensor], Tensor]
    """The judge's, of its verdicts on real and on made pictures."""
    fool: Callable[[Tensor], Tensor]
    """The painter's, of the verdicts on what it made."""


ADVERSARIAL: Final[dict[Adversarial, AdversarialLoss]] = {
    # Mao et al. 2017, "Least squares generative adversarial networks": real is 1, made is 0.
    "lsgan": AdversarialLoss(
        judge=lambda real, made: ((real - 1).square().mean() + made.square().mean()) / 2,
        fool=lambda made: (made - 1).square().mean(),
    ),
    # Lim and Ye 2017, "Geometric GAN": only verdicts within the margin teach the judge.
    "hinge": AdversarialLoss(
        judge=lambda real, made: (F.relu(1 - real).mean() + F.relu(1 + made).mean()) / 2,
        fool=lambda made: -made.mean(),
    ),
}


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of pictures in [0, 1], as if they were in the paper's [-1, 1].

    Of a picture and its way there and back it is the cycle loss, of a painting and what the painter
    makes of it the identity loss.
    """
    return 2 * (a - b).abs().mean()
