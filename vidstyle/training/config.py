"""What a training is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.types import STYLE_NAME, Tier


@dataclass(frozen=True)
class TrainConfig:
    """One training of one style.

    The defaults need no tuning from style to style: every loss is relative to its own target.

    Raises:
        UsageError: the name cannot be a style's.
    """

    style: Path
    """The painting, or a folder of paintings taken as one."""
    photos: Path
    """Folder of photographs, searched recursively."""
    name: str
    """The style's name: lower-case letters, digits, dots, dashes and underscores."""
    output: Path
    """Folder that gets NAME.safetensors and, for all else, NAME.run/."""
    tier: Tier = "fast"
    steps: int = 5000
    resume: bool = False
    temporal: bool = False
    """Ask for the same painting when the photograph moves or carries noise."""
    perceptual: Path | None = None
    """A perceptual network's file; torchvision's VGG19 when None."""
    device: str = "auto"
    seed: int = 0
    batch: int = 2
    """Photographs a step: on few cores, more steps teach more than larger batches."""
    crop: int = 176
    """Side of the square training pictures, in pixels."""
    style_size: int = 384
    """Short side that the painting is scaled to, in pixels: larger gives larger strokes."""
    style_weight: float = 0.3
    content_weight: float = 1.0
    smoothness_weight: float = 0.15
    stability_weight: float = 2.0
    """Weight of the temporal loss; unused without `temporal`."""
    learning_rate: float = 2e-3
    title: str = ""
    painter: str = ""
    year: str = ""
    licence: str = ""
    data: str = ""
    """Words on the photographs for the card."""
    weak: str = ""

    def __post_init__(self) -> None:
        """Refuse names that would not be found again."""
        if not STYLE_NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name!r} cannot be a style's name; use lower-case letters, digits, . _ -"
            )
