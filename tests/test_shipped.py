"""What comes with vidstyle works together: the shipped styles on the shipped sample."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.run import run
from vidstyle.stylizers.registry import StyleRegistry, shipped_folder
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples" / "sample.mp4"
MOST_BYTES = 24 * 2**20

pytestmark = pytest.mark.usefixtures("no_user_styles")


@pytest.fixture
def no_user_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "none"))


def test_the_shipped_styles_are_there_whole_and_small() -> None:
    registry = StyleRegistry((shipped_folder(),))
    assert {"monet", "starry-night"} <= set(registry.names())
    for style in registry.styles:
        found = registry.find(style.card.name, style.card.tier)
        assert found == style
        card = style.card
        assert all((card.title, card.painter, card.year, card.recipe, card.data, card.licence))
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) <= MOST_BYTES


@pytest.mark.parametrize("style", ["monet", "starry-night"])
def test_a_shipped_style_paints_the_sample(style: str, tmp_path: Path) -> None:
    config = RunConfig(
        (SAMPLE,), style, tmp_path, tier="fast", device="cpu", duration=Fraction(1, 8)
    )
    (file,) = run(config).files
    assert (file.style, file.tier, file.partial) == (style, "fast", False)
    before = next(iter(read_frames(probe(SAMPLE)))).image.astype(float)
    after = next(iter(read_frames(probe(file.output)))).image.astype(float)
    assert after.shape == before.shape
    assert np.abs(after - before).mean() > 10, "it is not painted"
    grey = [picture.mean(axis=2).ravel() for picture in (before, after)]
    assert np.corrcoef(grey)[0, 1] > 0.4, "the picture is lost"
