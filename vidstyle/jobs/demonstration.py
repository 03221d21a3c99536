"""A short training on what the project rendered itself: to see how one goes, without any data."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from vidstyle.errors import InputError
from vidstyle.files import replacing, writing
from vidstyle.training.config import RUN_SUFFIX, FeedForwardConfig, TrainingSettings
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

NAME: Final = "demo"
STEPS: Final = 400
"""A few minutes on two cores: the colours come, the strokes begin to."""
STILLS: Final = "stills"
"""Folder of them, in the run folder."""
STRIDE: Final = 8
"""Frames from one still to the next."""


def demonstration(output: Path, name: str = NAME) -> FeedForwardConfig:
    """Set up a training on a painting and stills of the sample clip, which come with vidstyle.

    The stills are taken when it begins: `take_stills`.

    Args:
        output: folder for NAME.safetensors and NAME.run/, where the stills go.
        name: of the style.

    Raises:
        InputError: the sample is not there.
    """
    return FeedForwardConfig(
        styles=(sample_folder() / "painting.jpg",),
        photos=output / f"{name}{RUN_SUFFIX}" / STILLS,
        output=output,
        name=name,
        steps=STEPS,
        title="A dusk in whirls",
        painter="samples/painting.py",
        licence="Apache-2.0",
        weak="a demonstration, trained briefly on stills of one clip",
    )


def is_demonstration(config: TrainingSettings) -> bool:
    """Whether a training learns from what `take_stills` leaves in its run folder."""
    return config.photos == config.run_folder / STILLS


def take_stills(folder: Path) -> None:
    """Write every `STRIDE`-th frame of the sample as a picture; those that are there stay.

    Raises:
        InputError: the sample is missing.
        ResourceError: the disk is full, or the place cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(read_frames(probe(sample_folder() / "sample.mp4"))):
        path = folder / f"{number:04}.png"
        if number % STRIDE == 0 and not path.exists():
            with replacing(path) as part:
                Image.fromarray(frame.image).save(part, "PNG")


def sample_folder() -> Path:
    """The sample clip and painting: inside the installed package, beside it in a checkout.

    Raises:
        InputError: they are missing.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "samples", package.parent / "samples"):
        if folder.is_dir():
            return folder
    raise InputError(f"{package / 'samples'}: is missing; install vidstyle again")
