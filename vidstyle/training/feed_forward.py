"""Feed-forward training: a network learns to paint photographs as one picture is painted.

The perceptual loss of Johnson et al. (2016) on a batch of crops a step: content features near the
photograph's, feature statistics near the painting's; with `temporal`, also the same painting for
the same thing when it moves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Adam

from vidstyle.errors import InputError
from vidstyle.perceptual.network import RELU4_1
from vidstyle.stylizers.networks import (
    NETWORKS,
    TIER_NETWORK,
    StyleNetwork,
    choose_shares,
    make_conditional,
)
from vidstyle.training.balance import Unsteadiness
from vidstyle.training.beginning import begin_with
from vidstyle.training.clips import MovedBatches
from vidstyle.training.config import FeedForwardConfig
from vidstyle.training.data import PhotoBatches, find_pictures
from vidstyle.training.loop import TrainingLoop, descend, rounded
from vidstyle.training.losses import (
    FeatureStatistics,
    content_loss,
    feature_stability_loss,
    grid_loss,
    stability_loss,
    statistics,
    style_loss,
    total_variation,
)
from vidstyle.training.motion import MovedPair
from vidstyle.training.muon import Muon
from vidstyle.training.schedules import stability_share, warm_up_then_cosine
from vidstyle.training.sources import of_contents
from vidstyle.training.targets import load_painting, perceptual_network, style_targets
from vidstyle.types import StyleCard

ADAM_BETAS: Final = (0.9, 0.99)
"""The first steps' gradients are huge: a memory of 1,000 steps would hold back all the next."""
KEPT_BY_STEADINESS: Final = 0.55
"""How much content steadiness stands for, for each unit of the style's weight: what holds still
keeps shapes as well, and with all of content beside it the painting would come out paler."""
CONTENT_LAYER: Final = RELU4_1
"""What is shown, not how."""


class FeedForwardTraining(TrainingLoop[Tensor | MovedPair]):
    """A feed-forward training: networks, optimizer, targets and the step reached."""

    config: FeedForwardConfig

    def __init__(
        self, config: FeedForwardConfig, on_note: Callable[[str], None] = lambda _: None
    ) -> None:
        super().__init__(config)
        self.photos = self._pictures(config.photos, config.shown_size, on_note)
        self.perceptual = perceptual_network(config.perceptual).to(self.device)
        self.frozen = [self.perceptual]
        self.styles = [self._targets(path) for path in config.styles]
        torch.manual_seed(config.seed)
        self.network: StyleNetwork = NETWORKS[TIER_NETWORK[config.tier]]().to(self.device)
        if len(self.styles) > 1:
            make_conditional(self.network, len(self.styles))
        if config.begin_with and not config.resume:
            begin_with(self.network, config.begin_with, config.tier, config.style_names)
        self.unsteadiness = Unsteadiness(len(self.styles)).to(self.device)
        parts = {"network": self.network, "unsteadiness": self.unsteadiness}
        self.learned = nn.ModuleDict(parts)
        kernels = [p for p in self.network.parameters() if p.ndim == 4]
        others = [p for p in self.network.parameters() if p.ndim < 4]
        self.optimizers = [Muon(kernels), Adam(others, betas=ADAM_BETAS)]
        self._resume()

    def _dataset(self) -> PhotoBatches | MovedBatches:
        c = self.config
        side = c.shown_size if c.temporal else c.crop
        photos = PhotoBatches(self.photos.learnt, c.batch, side, c.seed, c.shown_size)
        return MovedBatches(photos, c.crop, self.clips) if c.temporal else photos

    def _take_step(self, batch: Tensor | MovedPair) -> dict[str, Tensor]:
        c = self.config
        rate = c.learning_rate * warm_up_then_cosine(self.step, c.steps)
        number = self._choose(self.step)
        with self._autocast():
            losses = self._losses(batch, self.styles[number])
        unasked = not stability_share(self.step, c.steps)
        if c.temporal and (unasked or not self.unsteadiness.weight(number)):
            self.unsteadiness.observe(number, losses["stability"])
        descend(self.optimizers, rate, losses, self._weights(number))
        return losses

    def _choose(self, number: int) -> int:
        """Let the network paint one of its styles; they take turns."""
        number %= len(self.styles)
        choose_shares(self.network, torch.eye(len(self.styles), device=self.device)[number])
        return number

    def _weights(self, number: int) -> dict[str, float]:
        """Of the losses of one of the styles."""
        c = self.config
        weights = {"content": c.content_weight, "style": c.style_weight}
        weights |= {"smoothness": c.smoothness_weight, "grid": c.grid_weight}
        if c.temporal:
            share = stability_share(self.step, c.steps) * c.style_weight
            weights["content"] /= 1 + KEPT_BY_STEADINESS * c.style_weight
            weights["stability"] = share * c.stability_weight * self.unsteadiness.weight(number)
            weights["feature stability"] = share * c.feature_stability_weight
        return weights

    def _losses(
        self, batch: Tensor | MovedPair, style: list[FeatureStatistics]
    ) -> dict[str, Tensor]:
        losses = {}
        if isinstance(batch, MovedPair):
            photos = batch.first.to(self.device)
            both = torch.cat([photos, batch.second.to(self.device)])
            features = self.network.encode(both)
            painted = self.network.decode(features).float()
            losses["stability"] = stability_loss(painted, batch)
            losses["feature stability"] = feature_stability_loss(features.float(), batch)
            painted = painted[: len(photos)]
        else:
            photos = batch.to(self.device)
            painted = self.network(photos).float()
        target = self.perceptual(photos)[CONTENT_LAYER]
        features = self.perceptual(painted)
        losses["content"] = content_loss(features[CONTENT_LAYER], target)
        losses["style"] = style_loss([statistics(f) for f in features], style)
        losses["smoothness"] = total_variation(painted)
        losses["grid"] = grid_loss(painted)
        return losses

    def _sources(self) -> dict[str, str]:
        paintings = [path for style in self.config.styles for path in paintings_of(style)]
        return super()._sources() | {"paintings": of_contents(paintings)}

    def _finished(self) -> StyleNetwork:
        return self.network

    def _preview(self) -> list[Tensor]:
        """Pictures above, their paintings below, a row a style."""
        rows = []
        for pictures in self.shown:
            rows.append(pictures)
            for number in range(len(self.styles)):
                self._choose(number)
                rows.append(self.network(pictures))
        return rows

    def _cards(self) -> list[StyleCard]:
        recipe: dict[str, Any] = {"style_size": self.config.style_size}
        recipe["perceptual"] = self.perceptual.description
        if self.config.begin_with:
            recipe["begin_with"] = self.config.begin_with
        if len(self.styles) > 1:
            recipe["styles"] = list(self.config.style_names)
        return [
            self._filled_card(
                name=name,
                network=TIER_NETWORK[self.config.tier],
                recipe=recipe | {"weights": rounded(self._weights(number))},
                title=path.stem,
                data=self._counted(),
            )
            for number, (name, path) in enumerate(
                zip(self.config.style_names, self.config.styles, strict=True)
            )
        ]

    def _targets(self, style: Path) -> list[FeatureStatistics]:
        """Feature statistics (N of 1) of a painting, or of a folder's on average, by layers."""
        size = self.config.style_size
        paintings = (load_painting(path, size).to(self.device) for path in paintings_of(style))
        return style_targets(self.perceptual, paintings)


def paintings_of(style: Path) -> list[Path]:
    """The pictures of a style: the file itself, or what lies below the folder.

    Raises:
        InputError: there is none.
    """
    files = [style] if style.is_file() else find_pictures(style)
    if not files:
        raise InputError(f"{style}: no such painting, and no folder of paintings")
    return files
