"""What an adversarial training plays against: discriminators, and a memory of old attempts."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vidstyle.perceptual.network import RELU2_1, RELU3_1, RELU4_1, PerceptualNetwork
from vidstyle.stylizers.networks import InstanceNorm

SLOPE: Final = 0.2
"""Of leaky ReLU below zero."""
POOL_SIZE: Final = 50
"""Pictures that a pool remembers."""


class PatchGAN(nn.Module):
    """Judges every patch of 70x70 pixels: high where it looks real (Isola et al. 2017)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for inputs, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            layers.append(nn.Conv2d(inputs, 2 * inputs, 4, stride, 1))
            layers.extend((InstanceNorm(2 * inputs), nn.LeakyReLU(SLOPE)))
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge (N, 3, H, W) in [0, 1], H and W at least 32: (N, 1, H / 8 - 2, W / 8 - 2)."""
        judged: Tensor = self.layers(2 * pictures - 1)
        return judged


class FeatureDiscriminator(nn.Module):
    """Judges places of a picture by what a perceptual network sees there.

    Sauer et al. (2021), "Projected GANs converge faster", in small: three layers of the network,
    each with a head of its own. What tells paintings from photographs need not be learnt first.
    """

    taps: Final = (RELU2_1, RELU3_1, RELU4_1)

    def __init__(
        self, perceptual: PerceptualNetwork, pictures: Iterable[Tensor], width: int
    ) -> None:
        """Learn from some pictures (1, 3, H, W) how large the features are."""
        super().__init__()
        self.see = (perceptual,)  # in a tuple it is no part: it does not learn, nor is it saved
        squares = []
        for picture in pictures:
            features = itemgetter(*self.taps)(perceptual(picture))
            squares.append(torch.stack([layer.square().mean() for layer in features]))
        self.register_buffer("sizes", torch.stack(squares).mean(0).sqrt())
        self.sizes: Tensor
        self.heads = nn.ModuleList(_head(layer.shape[1], width) for layer in features)

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge (N, 3, H, W) in [0, 1], H and W at least 32: (N, 3, H / 8, W / 8)."""
        features = self.see[0](pictures)
        scores = [
            head(features[tap] / size)
            for tap, size, head in zip(self.taps, self.sizes, self.heads, strict=True)
        ]
        coarsest = scores[-1].shape[-2:]
        return torch.cat([F.adaptive_avg_pool2d(score, coarsest) for score in scores], dim=1)


def _head(inputs: int, width: int) -> nn.Sequential:
    """Features (N, inputs, H, W) to a score at each place."""
    return nn.Sequential(
        *(nn.Conv2d(inputs, width, 1), nn.LeakyReLU(SLOPE)),
        *(nn.Conv2d(width, width, 3, 1, 1), nn.LeakyReLU(SLOPE)),
        nn.Conv2d(width, 1, 1),
    )


class ImagePool(nn.Module):
    """A history of made pictures, which keeps a discriminator from forgetting old tricks.

    Half of the pictures that come in are exchanged for older ones (Shrivastava et al. 2017). It is
    a module of buffers so that a checkpoint holds it.
    """

    def __init__(self, side: int, size: int = POOL_SIZE) -> None:
        super().__init__()
        self.register_buffer("pictures", torch.zeros(size, 3, side, side))
        self.register_buffer("filled", torch.tensor(0))
        self.pictures: Tensor
        self.filled: Tensor

    @torch.no_grad()
    def exchange(self, made: Tensor, rng: np.random.Generator) -> Tensor:
        """Put pictures (N, 3, S, S) in; give back as many, each new or remembered."""
        return torch.stack([self._exchange(picture, rng) for picture in made])

    def _exchange(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        filled = int(self.filled)
        if filled < len(self.pictures):
            self.pictures[filled] = picture
            self.filled += 1
            return picture
        if rng.random() < 0.5:
            return picture
        place = int(rng.integers(filled))
        old = self.pictures[place].clone()
        self.pictures[place] = picture
        return old
