"""A small style file with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vidstyle.stylizers.networks import build
from vidstyle.stylizers.style_file import save_style
from vidstyle.types import StyleCard, Tier

MakeStyle = Callable[..., Path]

PARAMETERS = {
    "fast": ("FastNet", {"width": 16, "half_width": 8, "full_width": 4}),
    "best": ("BestNet", {"width": 4, "blocks": 1}),
}


@pytest.fixture
def make_style(tmp_path: Path) -> MakeStyle:
    def make(
        name: str = "tiny", tier: Tier = "fast", folder: Path = tmp_path, seed: int = 0
    ) -> Path:
        torch.manual_seed(seed)
        network, parameters = PARAMETERS[tier]
        card = StyleCard(name, "Tiny", "Nobody", "2026", tier, network, parameters)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.{tier}.safetensors"
        save_style(path, build(card), card)
        return path

    return make
