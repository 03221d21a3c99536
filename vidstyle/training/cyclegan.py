"""CycleGAN training: a network learns from a collection of paintings, with no pairs to learn from.

Zhu et al. (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
networks": a generator turns photographs into paintings that a discriminator cannot tell from real
ones, and a second generator must be able to find the photograph again. Added here: the finished
painter is a running average of its weights; discriminators of small collections see augmented
pictures; and `temporal` asks for the same painting of the same thing when it moves, on motion made
from stills (synthetic flow, as in Wang et al. 2022, "Learning temporally and semantically
consistent unpaired video-to-video translation through pseudo-supervision from synthetic optical
flow") and on that of clips. So that thousands of steps do where the paper takes a million,
generators begin with no change, discriminators see with a perceptual network, and paintings are
also asked for the collection's feature statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor, nn
from torch.optim import Adam
from torch.utils.data import Dataset

from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.networks import NETWORKS, TIER_NETWORK, StyleNetwork
from vidstyle.training.adversarial import ADVERSARIAL, distance
from vidstyle.training.augment import augment
from vidstyle.training.clips import MovedBatches
from vidstyle.training.config import MARGIN, CycleGanConfig
from vidstyle.training.data import (
    PhotoBatches,
    Pictures,
    UnpairedBatches,
    load_picture,
    to_tensor,
)
from vidstyle.training.discriminator import FeatureDiscriminator, ImagePool, PatchGAN
from vidstyle.training.loop import TrainingLoop, descend
from vidstyle.training.losses import grid_loss, stability_loss, statistics, style_loss
from vidstyle.training.motion import MovedPair
from vidstyle.training.schedules import average_decay, constant_then_linear, stability_share
from vidstyle.training.sources import of_pictures
from vidstyle.training.targets import perceptual_network, style_targets
from vidstyle.types import StyleCard, Tier

ADAM_BETAS: Final = (0.5, 0.999)
DISCRIMINATOR_WIDTH: Final[dict[Tier, int]] = {"fast": 32, "best": 64}
"""Channels of a PatchGAN's first layer: the paper's 64 against a small painter only costs time."""
HEAD_WIDTH: Final = 64
"""Channels of the heads of a discriminator that sees with the perceptual network."""
LOOKED_AT: Final = 200
"""Most pictures of a kind that statistics are taken of before the training."""
SMALL_COLLECTION: Final = 1000
"""With fewer pictures than this, a discriminator sees them augmented."""


class Side(nn.Module):
    """One kind of picture: what makes it, what tells it from real ones, what was made of late.

    Attributes:
        generator: turns pictures of the other kind into this one.
        average: the running average of the generator.
    """

    def __init__(
        self, generator: StyleNetwork, discriminator: nn.Module, crop: int, *, small: bool
    ) -> None:
        super().__init__()
        self.generator = generator
        self.average = deepcopy(generator).requires_grad_(False)
        self.discriminator = discriminator
        self.pool = ImagePool(crop)
        self.small = small

    def scores(self, pictures: Tensor, rng: np.random.Generator) -> Tensor:
        """What the discriminator says of pictures (N, 3, S, S)."""
        seen = augment(pictures, rng) if self.small else pictures
        scores: Tensor = self.discriminator(seen).float()
        return scores

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Let the average follow the generator."""
        weight = 1 - average_decay(step)
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        for average, current in pairs:
            average.lerp_(current, weight)


class CycleGan(nn.Module):
    """Both sides: all that the training learns and remembers."""

    def __init__(self, paintings: Side, photos: Side) -> None:
        super().__init__()
        self.paintings = paintings
        self.photos = photos

    @property
    def sides(self) -> tuple[Side, Side]:
        """Paintings, photographs."""
        return self.paintings, self.photos


class CycleGanTraining(TrainingLoop[tuple[Tensor | MovedPair, Tensor]]):
    """A CycleGAN training: both sides, optimizers and the step reached."""

    config: CycleGanConfig
    learned: CycleGan

    def __init__(
        self, config: CycleGanConfig, on_note: Callable[[str], None] = lambda _: None
    ) -> None:
        super().__init__(config)
        self.photos = self._pictures(config.photos, config.shown_size, on_note)
        self.paintings = self._pictures(config.paintings, config.painting_size, on_note)
        self.perceptual = perceptual_network(config.perceptual).to(self.device)
        self.frozen = [self.perceptual]
        self.style = style_targets(self.perceptual, self._some(self.paintings))
        torch.manual_seed(config.seed)
        self.learned = CycleGan(self._side(self.paintings), self._side(self.photos))
        self.learned.to(self.device)
        sides = self.learned.sides
        generators = [p for side in sides for p in side.generator.parameters()]
        discriminators = [p for side in sides for p in side.discriminator.parameters()]
        self.optimizers = [Adam(p, betas=ADAM_BETAS) for p in (generators, discriminators)]
        self._resume()
        # Once kept the way back stays, though a resumed training is not asked for it again.
        self._keeps_reverse = config.keep_reverse or (config.resume and _keeps_reverse(config))

    def _side(self, pictures: Pictures) -> Side:
        c = self.config
        generator = NETWORKS[TIER_NETWORK[c.tier]](**parameters(c.tier, c.filters))
        small = len(pictures.learnt) < SMALL_COLLECTION
        return Side(generator, self._discriminator(pictures), c.crop, small=small)

    def _discriminator(self, pictures: Pictures) -> nn.Module:
        if self.config.discriminator == "patches":
            return PatchGAN(DISCRIMINATOR_WIDTH[self.config.tier])
        return FeatureDiscriminator(self.perceptual, self._some(pictures), HEAD_WIDTH)

    def _some(self, pictures: Pictures) -> Iterator[Tensor]:
        """The middles (1, 3, S, S) of pictures spread over all of them.

        They are of one size because a CPU's library keeps memory for every size that it has seen.
        """
        size, learnt = pictures.size, pictures.learnt
        for path in learnt[:: -(-len(learnt) // LOOKED_AT)]:
            middle = ImageOps.fit(load_picture(path, size), (size, size))
            yield to_tensor(middle)[None].to(self.device)

    def _dataset(self) -> Dataset[tuple[Tensor | MovedPair, Tensor]]:
        c = self.config

        def batches(pictures: Pictures, seed: int, border: int) -> PhotoBatches:
            return PhotoBatches(pictures.learnt, c.batch, c.crop, seed, pictures.size, border)

        photos = batches(self.photos, 2 * c.seed, MARGIN if c.temporal else 0)
        paintings = batches(self.paintings, 2 * c.seed + 1, 0)
        # Beside the photographs: frames of anything are not what they are to become paintings of.
        seen = MovedBatches(photos, c.crop, self.clips, beside=True) if c.temporal else photos
        return UnpairedBatches(seen, paintings)

    def _take_step(self, batch: tuple[Tensor | MovedPair, Tensor]) -> dict[str, Tensor]:
        c, (generators, discriminators) = self.config, self.optimizers
        share = constant_then_linear(self.step, c.steps)
        rng = np.random.default_rng((c.seed, self._batch_number, 2))
        seen, paintings = batch[0], batch[1].to(self.device)
        pair = seen if isinstance(seen, MovedPair) else None
        pictures = (seen.first if isinstance(seen, MovedPair) else seen).to(self.device)
        photos = pictures[-c.batch :]
        self._discriminators_learn(False)
        with self._autocast():
            losses, painted, as_photos = self._generator_losses(pictures, paintings, pair, rng)
        descend([generators], share * c.learning_rate, losses, self._weights())
        self._discriminators_learn(True)
        own, other = self.learned.sides
        with self._autocast():
            told = {
                "painting discriminator": self._discriminator_loss(own, paintings, painted, rng),
                "photo discriminator": self._discriminator_loss(other, photos, as_photos, rng),
            }
        rate = share * c.discriminator_learning_rate
        descend([discriminators], rate, told, dict.fromkeys(told, 1.0))
        for side in self.learned.sides:
            side.follow(self.step)
        return losses | told

    def _discriminators_learn(self, learn: bool) -> None:
        for side in self.learned.sides:
            side.discriminator.requires_grad_(learn)

    def _generator_losses(
        self, pictures: Tensor, paintings: Tensor, pair: MovedPair | None, rng: np.random.Generator
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The generators' losses, the painted photographs, and the paintings made photographs.

        Of the pictures the last are photographs; frames, if any, come before them.
        """
        to_paint, to_photo = self.learned.sides
        photos = pictures[-self.config.batch :]
        moved = [] if pair is None else [pair.second.to(self.device)]
        all_painted = to_paint.generator(torch.cat([pictures, *moved, paintings])).float()
        painted = all_painted[: len(pictures)][-len(photos) :]
        same_paintings = all_painted[-len(paintings) :]
        all_as_photos = to_photo.generator(torch.cat([paintings, photos])).float()
        as_photos, same_photos = all_as_photos.split([len(paintings), len(photos)])
        photos_again = to_photo.generator(painted).float()
        paintings_again = to_paint.generator(as_photos).float()
        adversarial = ADVERSARIAL[self.config.adversarial].generator
        losses = {
            "painting": adversarial(to_paint.scores(painted, rng)),
            "photo": adversarial(to_photo.scores(as_photos, rng)),
            "cycle": distance(photos_again, photos) + distance(paintings_again, paintings),
            "identity": distance(same_photos, photos) + distance(same_paintings, paintings),
            "style": style_loss([statistics(f) for f in self.perceptual(painted)], self.style),
            "grid": grid_loss(painted),
        }
        if pair is not None:
            losses["stability"] = stability_loss(all_painted[: -len(paintings)], pair)
        return losses, painted.detach(), as_photos.detach()

    def _weights(self) -> dict[str, float]:
        """Of the generators' losses."""
        c = self.config
        weights = {"painting": 1.0, "photo": 1.0, "cycle": c.cycle_weight}
        weights |= {"identity": c.identity_weight, "style": c.style_weight, "grid": c.grid_weight}
        if c.temporal:
            weights["stability"] = c.stability_weight * stability_share(self.step, c.steps)
        return weights

    def _discriminator_loss(
        self, side: Side, real: Tensor, made: Tensor, rng: np.random.Generator
    ) -> Tensor:
        scores = side.scores(torch.cat([real, side.pool.exchange(made, rng)]), rng)
        loss = ADVERSARIAL[self.config.adversarial].discriminator
        return loss(scores[: len(real)], scores[len(real) :])

    def _finished(self) -> StyleNetwork:
        return self.learned.paintings.average

    def _way_back(self) -> StyleNetwork | None:
        return self.learned.photos.average if self._keeps_reverse else None

    def _preview(self) -> list[Tensor]:
        """Pictures above, their paintings below; then paintings, and their photographs."""
        to_paint, to_photo = self.learned.sides
        *pictures, paintings = self.shown
        rows = [row for shown in pictures for row in (shown, to_paint.average(shown))]
        return [*rows, paintings, to_photo.average(paintings)]

    def _shown(self) -> list[Tensor]:
        return [*super()._shown(), self._chosen(self.paintings)]

    def _sources(self) -> dict[str, str]:
        paintings = of_pictures(self.config.paintings, self.paintings.learnt)
        return super()._sources() | {"paintings": paintings}

    def _cards(self) -> list[StyleCard]:
        c = self.config
        recipe = {
            "method": "cyclegan",
            "adversarial": c.adversarial,
            "discriminator": c.discriminator,
            "discriminator_learning_rate": c.discriminator_learning_rate,
            "weights": self._weights(),
            "picture_size": c.picture_size,
            "style_size": c.style_size or c.picture_size,
            "perceptual": self.perceptual.description,
        }
        card = self._filled_card(
            network=TIER_NETWORK[c.tier],
            parameters=parameters(c.tier, c.filters),
            recipe=recipe,
            title=c.paintings.resolve().name,
            data=f"{self._counted()}, {len(self.paintings.learnt)} paintings",
        )
        return [card]


def _keeps_reverse(config: CycleGanConfig) -> bool:
    """Whether the style that was trained so far does."""
    return config.style_path.is_file() and read_cards(config.style_path)[0].reversible


def parameters(tier: Tier, filters: int) -> dict[str, Any]:
    """Parameters of the tier's network for CycleGAN: a residual one, which begins with no change.

    `fast` is twice as wide as for feed-forward styles, whose 32 channels at a quarter of the size
    cannot hold 4x4 pixels; at 32 filters it has 0.44 M parameters. `best` is the paper's generator.
    """
    if tier == "fast":
        return {"width": 2 * filters, "residual": True}
    return {"width": filters, "blocks": 9, "ends": 7, "residual": True}
