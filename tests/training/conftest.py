"""A painting, photographs and a perceptual network, all made here and tiny."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from vidstyle.perceptual.network import CONVOLUTIONS
from vidstyle.training.config import TrainConfig


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
def perceptual(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tensors, inputs = {}, 3
    for name in CONVOLUTIONS:
        layer = torch.nn.Conv2d(inputs, 6, 3)
        tensors |= {f"{name}.{key}": value for key, value in layer.state_dict().items()}
        inputs = 6
    path = tmp_path / "vgg.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture
def config(tmp_path: Path, photos: Path, perceptual: Path) -> TrainConfig:
    picture(99, 90, 80).save(tmp_path / "painting.png")
    return TrainConfig(
        style=tmp_path / "painting.png",
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
