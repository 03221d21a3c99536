"""Feed-forward training: a network learns to paint photographs as one picture is painted.

The perceptual loss of Johnson et al. (2016) on a batch of crops a step: content features near the
photograph's, feature statistics near the painting's; with `temporal`, also the same painting for
the same thing when it moves.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from vidstyle.errors import InputError, UsageError
from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual
from vidstyle.stylizers.device import choose_device, has_bfloat16
from vidstyle.stylizers.networks import NETWORKS, TIER_NETWORK, StyleNetwork
from vidstyle.stylizers.style_file import save_style
from vidstyle.training.checkpoint import load_checkpoint, save_checkpoint
from vidstyle.training.config import TrainConfig
from vidstyle.training.data import (
    PhotoBatches,
    find_photos,
    find_pictures,
    load_picture,
    scale_short_side,
    to_tensor,
)
from vidstyle.training.losses import (
    FeatureStatistics,
    content_loss,
    stability_loss,
    statistics,
    style_loss,
    total_variation,
)
from vidstyle.training.motion import MARGIN, moved_pair
from vidstyle.types import StyleCard

WARM_UP: Final = 100
"""Steps over which the learning rate rises; Adam's first estimates are poor."""
ADAM_BETAS: Final = (0.9, 0.99)
"""The first steps' gradients are huge: a memory of 1,000 steps would hold back all the next."""
STABILITY_SHARE: Final = 0.4
"""Share of the training over which the temporal loss grows to its weight: asked for from the start,
steadiness is had by painting nothing."""
SAVE_EVERY: Final = 250
"""Steps between checkpoints and previews."""
CONTENT_LAYER: Final = 3
"""relu4_1: what is shown, not how."""
PREVIEWS: Final = 4
"""Photographs on the preview strip."""


@dataclass(frozen=True)
class TrainProgress:
    """Where a training stands after a step."""

    step: int
    steps: int
    seconds: float
    """Wall time of this call so far."""
    first_step: int
    """Step at which this call began: more than 0 when it resumed."""
    losses: dict[str, float]
    """Unweighted, averaged over the last steps."""


def train(
    config: TrainConfig, on_progress: Callable[[TrainProgress], None] = lambda _: None
) -> Path:
    """Train a style and write `output/NAME.safetensors`; all else lies in `output/NAME.run/`.

    Raises:
        InputError: the painting, the photographs or the perceptual network cannot be read.
        UsageError: a checkpoint exists and `resume` is not asked for, or does not fit.
    """
    return Training(config).run(on_progress)


class Training:
    """The state of one training: networks, optimizer, targets and the step reached."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.run_folder = config.output / f"{config.name}.run"
        self.style_path = config.output / f"{config.name}.safetensors"
        self.checkpoint = self.run_folder / "checkpoint.safetensors"
        self._refuse_clash()
        self.device = choose_device(config.device)
        self.photos = find_photos(config.photos)
        self.perceptual = load_perceptual(config.perceptual).to(self.device)
        with torch.no_grad():
            self.style = style_targets(config, self.perceptual, self.device)
        torch.manual_seed(config.seed)
        self.network: StyleNetwork = NETWORKS[TIER_NETWORK[config.tier]]().to(self.device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, betas=ADAM_BETAS
        )
        self.step = 0
        if config.resume:
            self.step = load_checkpoint(self.checkpoint, self.network, self.optimizer, config)
        self.losses: dict[str, float] = {}

    def run(self, on_progress: Callable[[TrainProgress], None]) -> Path:
        """Take the steps that are left, saving as it goes; return the style file's path."""
        self.run_folder.mkdir(parents=True, exist_ok=True)
        start, first_step = time.monotonic(), self.step
        for photos in self._batches():
            self._take_step(photos)
            if self.step % SAVE_EVERY == 0:
                self._save()
            seconds = time.monotonic() - start
            on_progress(
                TrainProgress(self.step, self.config.steps, seconds, first_step, self.losses)
            )
        self._save()
        return self.style_path

    def _refuse_clash(self) -> None:
        if self.checkpoint.exists() and not self.config.resume:
            raise UsageError(
                f"{self.run_folder}: a training lies there already; "
                "go on with --resume, or choose another --name"
            )
        if self.config.resume and not self.checkpoint.exists():
            raise UsageError(f"{self.checkpoint}: nothing to resume; leave out --resume")

    def _batches(self) -> DataLoader[Tensor]:
        margin = MARGIN if self.config.temporal else 0
        side = self.config.crop + 2 * margin
        dataset = PhotoBatches(self.photos, self.config.batch, side, self.config.seed)
        return DataLoader(
            dataset,
            batch_size=None,
            sampler=range(self.step, self.config.steps),
            num_workers=8 if self.device.type == "cuda" else 0,
        )

    def _take_step(self, photos: Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.config.steps, self.config.learning_rate)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=has_bfloat16(self.device)):
            losses = self._losses(photos)
        total = sum(weight * losses[name] for name, weight in self._weights().items())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[union-attr]
        self.optimizer.step()
        self.step += 1
        self._remember({name: loss.item() for name, loss in losses.items()})

    def _weights(self) -> dict[str, float]:
        c = self.config
        weights = {"content": c.content_weight, "style": c.style_weight}
        weights["smoothness"] = c.smoothness_weight
        if c.temporal:
            weights["stability"] = c.stability_weight * stability_share(self.step, c.steps)
        return weights

    def _losses(self, photos: Tensor) -> dict[str, Tensor]:
        losses = {}
        if self.config.temporal:
            rng = np.random.default_rng((self.config.seed, self.step, 1))
            pair = moved_pair(photos, self.config.crop, rng)
            photos = pair.first.to(self.device)
            painted = self.network(torch.cat([photos, pair.second.to(self.device)])).float()
            painted, second = painted.split((len(photos), len(pair.second)))
            losses["stability"] = stability_loss(*pair.move(painted[: len(second)], second))
        else:
            photos = photos.to(self.device)
            painted = self.network(photos).float()
        with torch.no_grad():
            target = self.perceptual(photos)[CONTENT_LAYER]
        features = self.perceptual(painted)
        losses["content"] = content_loss(features[CONTENT_LAYER], target)
        losses["style"] = style_loss([statistics(f) for f in features], self.style)
        losses["smoothness"] = total_variation(painted)
        return losses

    def _remember(self, losses: dict[str, float]) -> None:
        if not all(map(math.isfinite, losses.values())):
            raise InputError(
                f"{self.config.style}: the loss became infinite at step {self.step}; "
                "try another --seed, or a lower --style-weight"
            )
        keep = 0.98 if self.losses else 0.0
        self.losses = {
            n: keep * self.losses.get(n, 0.0) + (1 - keep) * v for n, v in losses.items()
        }

    def _save(self) -> None:
        save_checkpoint(self.checkpoint, self.network, self.optimizer, self.step, self.config)
        self._save_preview()
        save_style(self.style_path, self.network, self._card())

    @torch.no_grad()
    def _save_preview(self) -> None:
        """Photographs above, their paintings below."""
        side = 2 * (self.config.crop // 2)
        chosen = self.photos[:: max(1, len(self.photos) // PREVIEWS)][:PREVIEWS]
        photos = torch.stack(
            [to_tensor(load_picture(p, side).crop((0, 0, side, side))) for p in chosen]
        )
        painted = self.network(photos.to(self.device)).float().cpu()
        rows = torch.cat([torch.cat(list(row), dim=2) for row in (photos, painted)], dim=1)
        pixels = (rows * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(self.run_folder / "preview.png")

    def _card(self) -> StyleCard:
        c = self.config
        kept = ("steps", "temporal", "seed", "batch", "crop", "style_size", "learning_rate")
        recipe = {key: value for key, value in asdict(c).items() if key in kept}
        recipe |= {"weights": self._weights(), "perceptual": self.perceptual.description}
        return StyleCard(
            name=c.name,
            title=c.title or c.style.stem,
            painter=c.painter,
            year=c.year,
            tier=c.tier,
            network=TIER_NETWORK[c.tier],
            recipe=recipe,
            data=c.data or f"{len(self.photos)} photographs",
            losses={name: round(value, 5) for name, value in self.losses.items()},
            licence=c.licence,
            weak=c.weak,
        )


def style_targets(
    config: TrainConfig, perceptual: PerceptualNetwork, device: torch.device
) -> list[FeatureStatistics]:
    """Feature statistics (N of 1) of the painting, or of several on average, layer by layer."""
    files = [config.style] if config.style.is_file() else find_pictures(config.style)
    if not files:
        raise InputError(f"{config.style}: no such painting, and no folder of paintings")
    paintings = [
        [statistics(f) for f in perceptual(load_painting(path, config.style_size).to(device))]
        for path in files
    ]
    return [average(layer) for layer in zip(*paintings, strict=True)]


def average(layers: Sequence[FeatureStatistics]) -> FeatureStatistics:
    """Statistics of one layer over all paintings as if they hung side by side, equally large."""
    means = torch.stack([layer.mean for layer in layers])
    mean = means.mean(0)
    apart = means - mean
    between = (apart[..., :, None] * apart[..., None, :]).mean(0)
    within = torch.stack([layer.covariance for layer in layers]).mean(0)
    return FeatureStatistics(mean, within + between)


def load_painting(path: Path, short_side: int) -> Tensor:
    """Read a painting (1, 3, H, W); enlarged more than twice, it would teach blur.

    Raises:
        InputError: the file is no picture, or a too small one.
    """
    picture = load_picture(path)
    if 2 * min(picture.size) < short_side:
        raise InputError(
            f"{path}: {picture.width}x{picture.height} is too small a painting; "
            f"its short side must be at least {short_side // 2} pixels"
        )
    return to_tensor(scale_short_side(picture, short_side))[None]


def stability_share(step: int, steps: int) -> float:
    """Share of the temporal loss's weight that counts at a step: grows from 0 to 1."""
    return min(1.0, step / (STABILITY_SHARE * steps))


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear rise over `WARM_UP` steps, then half a cosine down to 2 % of the peak."""
    rise = min(1.0, (step + 1) / WARM_UP)
    fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    return peak * rise * fall
