"""A painting and photographs, made here and tiny."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidstyle.training.config import CycleGanConfig, FeedForwardConfig


def picture(seed: int, width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    for k in range(20):
        picture(k, 80 + k, 70).save(folder / ("below" if k % 2 else "") / f"{k:02}.jpg")
    return folder


@pytest.fixture
def config(tmp_path: Path, photos: Path, perceptual: Path) -> FeedForwardConfig:
    picture(99, 90, 80).save(tmp_path / "painting.png")
    return FeedForwardConfig(
        styles=(tmp_path / "painting.png",),
        photos=photos,
        name="tiny",
        output=tmp_path / "out",
        perceptual=perceptual,
        steps=4,
        batch=2,
        crop=32,
        style_size=64,
        temporal=True,
        device="cpu",
    )


@pytest.fixture
def more_paintings(tmp_path: Path) -> Callable[[int], None]:
    """Add paintings to the collection, of many sizes."""
    folder = tmp_path / "sea"
    folder.mkdir()

    def add(count: int) -> None:
        have = len(list(folder.iterdir()))
        for k in range(have, have + count):
            picture(200 + k, 70 + 3 * k, 110 - k).save(folder / f"{k:02}.png")

    return add


@pytest.fixture
def gan(
    tmp_path: Path, photos: Path, perceptual: Path, more_paintings: Callable[[int], None]
) -> CycleGanConfig:
    more_paintings(20)
    return CycleGanConfig(
        photos=photos,
        paintings=tmp_path / "sea",
        name="tiny",
        output=tmp_path / "out",
        steps=20,
        crop=64,
        picture_size=68,
        filters=4,
        perceptual=perceptual,
        temporal=True,
        device="cpu",
    )
