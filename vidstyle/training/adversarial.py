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
    """What both sides play for, as functions of the discriminator's scores (N, K, H, W)."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """Of the scores on real and on made pictures."""
    generator: Callable[[Tensor], Tensor]
    """Of the scores on what it made."""


ADVERSARIAL: Final[dict[Adversarial, AdversarialLoss]] = {
    # Mao et al. 2017, "Least squares generative adversarial networks": real is 1, made is 0.
    "lsgan": AdversarialLoss(
        discriminator=lambda real, made: ((real - 1).square().mean() + made.square().mean()) / 2,
        generator=lambda made: (made - 1).square().mean(),
    ),
    # Lim and Ye 2017, "Geometric GAN": only scores within the margin teach the discriminator.
    "hinge": AdversarialLoss(
        discriminator=lambda real, made: (F.relu(1 - real).mean() + F.relu(1 + made).mean()) / 2,
        generator=lambda made: -made.mean(),
    ),
}


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of pictures in [0, 1], as if they were in the paper's [-1, 1].

    Of a picture and its way there and back it is the cycle loss, of a painting and what the
    generator makes of it the identity loss.
    """
    return 2 * (a - b).abs().mean()
