"""What a training is told."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Literal, get_args

from vidstyle.errors import UsageError
from vidstyle.types import STYLE_NAME, Tier

LEAST_PHOTOS = 20
"""Fewer photographs make a network that knows only them."""

RUN_SUFFIX: Final = ".run"
"""Of the folder of all that a training writes beside the style file."""
CHECKPOINT: Final = "checkpoint.safetensors"
"""In that folder, before any preview."""

MOST_HELD_OUT: Final = 0.5
"""Of the pictures."""

MARGIN: Final = 32
"""Pixels around a crop, so that made motion does not leave what there is to see."""

Adversarial = Literal["lsgan", "hinge"]
DiscriminatorKind = Literal["features", "patches"]
LEAST_CROP: Final = 48
"""Of a CycleGAN: motion is made with a mirrored border of `MARGIN` pixels, which must fit in."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What every training is told, whatever its method.

    Raises:
        UsageError: the name cannot be a style's, the crop is no multiple of 4, too much would be
            held out, or nobody would look at the clips.
    """

    photos: Path
    """Folder of photographs, searched recursively."""
    name: str
    """The style's name: lower-case letters, digits, dots, dashes and underscores."""
    output: Path
    """Folder that gets NAME.safetensors and, for all else, NAME.run/."""
    tier: Tier = "fast"
    steps: int
    val: float = 0.0
    """Share of the photographs, and of a CycleGAN's paintings, that is not learnt from: of the 20
    or more of each that there must be. The preview shows those then."""
    resume: bool = False
    temporal: bool = False
    """Ask for the same painting when the photograph moves or carries noise."""
    clips: Path | None = None
    """Folder of videos whose motion is learnt from too; `vidstyle.jobs.train` prepares them."""
    device: str = "auto"
    seed: int = 0
    batch: int
    """Pictures of a kind a step."""
    crop: int
    """Side of the square training pictures, in pixels."""
    learning_rate: float
    title: str = ""
    painter: str = ""
    year: str = ""
    licence: str = ""
    data: str = ""
    """Words on the pictures for the card."""
    weak: str = ""
    perceptual: Path | None = None
    """A perceptual network's file, or "vgg19" for torchvision's; the shipped one when None."""

    def __post_init__(self) -> None:
        """Refuse names that would not be found again, and what would be in vain."""
        check_style_name(self.name)
        if self.crop % 4:
            raise UsageError(f"crop must be a multiple of 4 pixels, not {self.crop}")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise UsageError(f"{field.name.replace('_', ' ')} must be a number, not {value}")
        if not 0 <= self.val <= MOST_HELD_OUT:
            raise UsageError(f"val is a share from 0 to {MOST_HELD_OUT:g}, not {self.val:g}")
        if self.clips is not None and not self.temporal:
            raise UsageError(f"{self.clips}: clips teach steadiness; ask for --temporal as well")

    @property
    def run_folder(self) -> Path:
        """Folder of all that a training writes beside the style file."""
        return self.output / f"{self.name}{RUN_SUFFIX}"

    @property
    def style_path(self) -> Path:
        """What a training makes."""
        return self.output / f"{self.name}.safetensors"

    @property
    def checkpoint(self) -> Path:
        """What a training goes on from."""
        return self.run_folder / CHECKPOINT

    @property
    def pair_folder(self) -> Path:
        """Frames of the clips, with the flow between them."""
        return self.run_folder / "pairs"

    @property
    def style_names(self) -> tuple[str, ...]:
        """Of the styles that the file will hold."""
        return (self.name,)

    @property
    def shown_size(self) -> int:
        """Short side that pictures are scaled to, at least, before crops are cut out of them."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class FeedForwardConfig(TrainingSettings):
    """One feed-forward training, of one style or of several on one network.

    The defaults need no tuning from style to style: every loss is relative to its own target.
    """

    styles: tuple[Path, ...]
    """The painting, or a folder of paintings taken as one. Of several, one network learns all,
    each as a style of its own, named as its file is."""
    begin_with: str = ""
    """A trained style of the same tier, whose network learns on; by default it begins anew."""
    steps: int = 5000
    batch: int = 2
    """Photographs a step: on few cores, more steps teach more than larger batches."""
    crop: int = 176
    style_size: int = 384
    """Short side that the painting is scaled to, in pixels: larger gives larger strokes."""
    style_weight: float = 0.45
    content_weight: float = 1.0
    """Beside `temporal` less of it counts: see `feed_forward.KEPT_BY_STEADINESS`."""
    smoothness_weight: float = 0.15
    grid_weight: float = 100.0
    """Weight against textures that are locked to the network's own grid."""
    stability_weight: float = 0.55
    """Weight of the painting's unsteadiness, relative to what it is before steadiness is asked for,
    in units of `style_weight`, which it competes with; unused without `temporal`, like the next."""
    feature_stability_weight: float = 0.5
    """Weight of the unsteadiness of what the network sees before it paints, in the same units."""
    learning_rate: float = 1e-2

    def __post_init__(self) -> None:
        """Refuse names that would not be found again, or not be told apart."""
        super().__post_init__()
        names = self.style_names
        if len(set(names)) < len(names):
            raise UsageError(f"two paintings would make one style: {', '.join(names)}")
        for name in names:
            check_style_name(name)

    @property
    def shown_size(self) -> int:
        """The crop and what surrounds it, without `temporal` too."""
        return self.crop + 2 * MARGIN

    @property
    def style_names(self) -> tuple[str, ...]:
        """Of the styles that the file will hold, in the order of `styles`."""
        return tuple(map(style_name, self.styles)) if len(self.styles) > 1 else (self.name,)


def style_name(path: Path) -> str:
    """A style's name made of a file's: "Été à Giverny.jpg" becomes ete-a-giverny.

    Raises:
        UsageError: there is no letter or digit in it that could stand in a name.
    """
    stem = path.stem.strip(".") or path.resolve().stem  # of "." as well
    letters = unicodedata.normalize("NFKD", stem).lower()
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    name = re.sub(r"[^a-z0-9._]+", "-", letters).strip("-._")[:64].rstrip("-._")
    if not name:
        raise UsageError(f"{path}: makes no style's name; give --name, or rename it (a to z)")
    return name


def check_style_name(name: str) -> None:
    """Refuse a name that would not be found again.

    Raises:
        UsageError: it cannot be a style's.
    """
    if name.endswith(".safetensors"):
        raise UsageError(f"{name!r} cannot be a style's name: it is a file's")
    if not STYLE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a style's name; use lower-case letters, digits, . _ -"
        )


@dataclass(frozen=True, kw_only=True)
class CycleGanConfig(TrainingSettings):
    """One CycleGAN training: photographs against a collection of paintings, unpaired.

    Crop, pool and schedule are those of Zhu et al. (2017), "Unpaired image-to-image translation
    using cycle-consistent adversarial networks". Its rate and its weights, 2e-4, 10 and 5, are for
    generators that begin with noise: ours begin with no change at all, which cycle and identity
    loss would hold them to.

    Raises:
        UsageError: a value is out of its range.
    """

    paintings: Path
    """Folder of paintings, searched recursively."""
    steps: int = 30_000
    batch: int = 1
    crop: int = 256
    picture_size: int = 256
    """Short side that pictures are scaled to before crops are cut out of them."""
    style_size: int | None = None
    """Short side that the paintings are scaled to instead: larger gives larger strokes."""
    filters: int = 32
    """Channels of the first layer of `best`; the paper has 64. `fast` has twice as many."""
    adversarial: Adversarial = "lsgan"
    discriminator: DiscriminatorKind = "features"
    """Heads on the perceptual network's features, or the paper's PatchGAN."""
    keep_reverse: bool = False
    """Keep the way back, from paintings to photographs, in the style file as well."""
    cycle_weight: float = 1.0
    identity_weight: float = 0.5
    style_weight: float = 1.0
    """Weight against other feature statistics than the paintings' (AnimeGAN: Chen et al. 2020)."""
    grid_weight: float = 100.0
    """Weight against textures that are locked to the network's own grid."""
    stability_weight: float = 8.0
    """Weight of the painting's unsteadiness, in levels; unused without `temporal`."""
    learning_rate: float = 1e-3
    discriminator_learning_rate: float = 4e-4

    @property
    def shown_size(self) -> int:
        """The crop at least."""
        return max(self.crop, self.picture_size)

    @property
    def painting_size(self) -> int:
        """Short side that paintings are scaled to, at least the crop."""
        return max(self.crop, self.style_size or self.picture_size)

    def __post_init__(self) -> None:
        """Refuse what would fail late."""
        super().__post_init__()
        kinds = (("adversarial", Adversarial), ("discriminator", DiscriminatorKind))
        for setting, choices in kinds:
            if (value := getattr(self, setting)) not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise UsageError(f"{setting} {value!r} is unknown; choose one of {known}")
        if self.crop < LEAST_CROP:
            raise UsageError(f"crop must be at least {LEAST_CROP} pixels, not {self.crop}")
