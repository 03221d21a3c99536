"""Content and style losses of finished pictures, as a training counts them; used beside this file.

Held-out photographs are pictures of a folder that the styles were not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from vidstyle.jobs.style import Style
from vidstyle.metrics.distributions import gram_distance
from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual
from vidstyle.stylizers.registry import StyleFile
from vidstyle.training.data import find_pictures, load_picture, middle, to_tensor
from vidstyle.training.feed_forward import CONTENT_LAYER
from vidstyle.training.losses import content_loss, statistics, style_loss
from vidstyle.training.targets import load_painting
from vidstyle.types import StyleCard

SIDE = 256


class Losses(NamedTuple):
    """How far a picture is from what was asked of it; 0 is perfect."""

    content: Tensor
    style: Tensor

    def total(self, card: StyleCard) -> Tensor:
        """Both, weighted as in the training of the style."""
        weights = card.recipe["weights"]
        total: Tensor = weights["content"] * self.content + weights["style"] * self.style
        return total


class Critic:
    """Knows one photograph and one painting, and judges pictures by them."""

    def __init__(self, network: PerceptualNetwork, card: StyleCard, painting: Path) -> None:
        self.network = network
        with torch.no_grad():
            self.painting = network(load_painting(painting, card.recipe["style_size"]))
        self.style = [statistics(layer) for layer in self.painting]

    def losses(self, picture: Tensor, photo: Tensor) -> Losses:
        """Content and style loss of a picture (1, 3, H, W) that is to show what the photo does."""
        with torch.no_grad():
            shown = self.network(photo)[CONTENT_LAYER]
        return self.of_features(self.network(picture), shown)

    def of_features(self, features: list[Tensor], shown: Tensor) -> Losses:
        """The same of a picture's features and those of CONTENT_LAYER of the photograph."""
        found = [statistics(layer) for layer in features]
        return Losses(content_loss(features[CONTENT_LAYER], shown), style_loss(found, self.style))

    @torch.no_grad()
    def gram(self, picture: Tensor) -> float:
        """Distance of the picture's Gram matrices to the painting's."""
        return gram_distance(self.network(picture), self.painting)


@torch.no_grad()
def judged(critic: Critic, file: StyleFile, photos: Sequence[Tensor]) -> tuple[float, ...]:
    """Content, style and Gram loss of what a style makes of photographs, on average."""
    style = Style(file, device="cpu")
    found = []
    for photo in photos:
        picture = paint(style, photo)
        content, of_style = critic.losses(picture, photo)
        found.append((content.item(), of_style.item(), critic.gram(picture)))
    return tuple(map(fmean, zip(*found, strict=True)))


def judge_of(card: StyleCard, files: Sequence[Path]) -> PerceptualNetwork:
    """Load the network that the style was trained with, which is one of the files."""
    name = card.recipe["perceptual"]
    for file in files:
        if file.name == name:
            return load_perceptual(file)
    raise SystemExit(f"{card.name} was trained with {name}: give it with --perceptual")


def squares(folder: Path, count: int) -> list[Tensor]:
    """Centre squares (1, 3, SIDE, SIDE) of pictures that are spread over a folder."""
    files = find_pictures(folder)
    if len(files) < count:
        raise SystemExit(f"{folder}: {len(files)} pictures, {count} are wanted")
    return [square(path) for path in files[:: len(files) // count][:count]]


def square(path: Path) -> Tensor:
    """The centre square of a picture: (1, 3, SIDE, SIDE) in [0, 1]."""
    return to_tensor(middle(load_picture(path, SIDE), SIDE))[None]


def paint(style: Style, picture: Tensor) -> Tensor:
    """What a style makes of a picture (1, 3, H, W) in [0, 1]."""
    pixels = (picture[0].permute(1, 2, 0) * 255).round().byte().numpy()
    return torch.from_numpy(style.paint(pixels)).permute(2, 0, 1)[None] / 255
