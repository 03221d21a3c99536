"""What comes with vidstyle works together: the shipped styles on the shipped sample."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.run import run
from vidstyle.perceptual.network import load_perceptual
from vidstyle.stylizers.registry import StyleRegistry, shipped_file, shipped_folder
from vidstyle.training.targets import PERCEPTUAL
from vidstyle.types import Tier
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples" / "sample.mp4"
MOST_BYTES = 24 * 2**20
MOST_PERCEPTUAL_BYTES = 4 * 10**6
SHIPPED = [
    pytest.param(card.name, card.tier, marks=[pytest.mark.slow] if card.tier == "best" else [])
    for card in (style.card for style in StyleRegistry((shipped_folder(),)).styles)
]


def test_the_shipped_styles_are_there_whole_and_small() -> None:
    registry = StyleRegistry((shipped_folder(),))
    assert {"monet", "starry-night"} <= set(registry.names())
    for style in registry.styles:
        found = registry.find(style.card.name, style.card.tier)
        assert found == style
        card = style.card
        assert all((card.title, card.painter, card.year, card.recipe, card.data, card.licence))
        assert card.e_warp is not None
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) <= MOST_BYTES


def test_the_perceptual_network_is_there_whole_and_small() -> None:
    path = shipped_file(PERCEPTUAL)
    assert path.stat().st_size <= MOST_PERCEPTUAL_BYTES
    with safe_open(path, framework="pt") as file:
        assert "CC BY 4.0" in file.metadata()["licence"]
    network = load_perceptual(path)
    features = network(torch.rand(1, 3, 64, 64))
    shapes = [
        (1, channels, 64 >> k, 64 >> k) for k, channels in enumerate((64, 128, 256, 512, 512))
    ]
    assert [tuple(f.shape) for f in features] == shapes
    deviations = [f.std().item() for f in features]
    assert min(deviations) > 0.1, "a layer is blind"
    assert max(deviations[1:]) < 10, "layers are in units of their own size"


@pytest.mark.parametrize(("style", "tier"), SHIPPED)
def test_a_shipped_style_paints_the_sample(style: str, tier: Tier, tmp_path: Path) -> None:
    part = Fraction(1, 24 if tier == "best" else 8)
    config = RunConfig((SAMPLE,), style, tmp_path, tier=tier, device="cpu", duration=part)
    (file,) = run(config).files
    assert (file.style, file.tier, file.partial) == (style, tier, False)
    before = next(iter(read_frames(probe(SAMPLE)))).image.astype(float)
    after = next(iter(read_frames(probe(file.output)))).image.astype(float)
    assert after.shape == before.shape
    assert np.abs(after - before).mean() > 10, "it is not painted"
    grey = [picture.mean(axis=2).ravel() for picture in (before, after)]
    assert np.corrcoef(grey)[0, 1] > 0.4, "the picture is lost"
