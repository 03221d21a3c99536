"""A training that begins with what another has learnt."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vidstyle.errors import StyleError, UsageError
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.networks import FastNet, StyleNetwork, make_conditional
from vidstyle.stylizers.style_file import save_style
from vidstyle.training.beginning import begin_with
from vidstyle.training.config import FeedForwardConfig
from vidstyle.training.feed_forward import FeedForwardTraining
from vidstyle.training.train import train
from vidstyle.types import StyleCard


def save(folder: Path, file: str, names: Sequence[str], **parameters: int) -> dict[str, Tensor]:
    """Save a network with random norms; return its weights as the file rounds them."""
    network = FastNet(**parameters)
    if len(names) > 1:
        make_conditional(network, len(names))
    for name, weights in network.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(weights)
    cards = [StyleCard(name, "", "", "", "fast", "FastNet", {**parameters}) for name in names]
    save_style(folder / f"{file}.safetensors", network, cards)
    return {name: t.half().float() for name, t in network.state_dict().items()}


@pytest.fixture(autouse=True)
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "styles"
    folder.mkdir()
    monkeypatch.setenv("VIDSTYLE_STYLES", str(folder))
    return folder


def same(network: StyleNetwork, weights: dict[str, Tensor]) -> bool:
    found = network.state_dict()
    return all(torch.equal(found[name], weights[name]) for name in weights)


def test_one_style_begins_where_another_ended(styles: Path) -> None:
    weights = save(styles, "old", ["old"])
    begin_with(network := FastNet(), "old", "fast", ["new"])
    assert same(network, weights)


def test_namesakes_begin_as_themselves_and_all_others_as_the_one_named(styles: Path) -> None:
    weights = save(styles, "gallery", ["a", "b"])
    save(styles, "b", ["b"])  # of the same name, in another file
    network = make_conditional(FastNet(), 3)
    begin_with(network, "a", "fast", ["b", "a", "new"])
    rows = {name: t[[1, 0, 0]] if "norm" in name else t for name, t in weights.items()}
    assert same(network, rows)


def test_one_style_of_several_is_taken_out_of_its_file(styles: Path) -> None:
    weights = save(styles, "gallery", ["a", "b"])
    begin_with(network := FastNet(), "b", "fast", ["new"])
    assert same(network, {name: t[1] if "norm" in name else t for name, t in weights.items()})


@pytest.mark.parametrize(
    ("spec", "said"),
    [("wide", "another shape than that of fast"), ("0 a; 1 b", "changes over time")],
)
def test_what_cannot_be_begun_with_is_refused(styles: Path, spec: str, said: str) -> None:
    save(styles, "wide", ["wide"], width=40)
    save(styles, "gallery", ["a", "b"])
    with pytest.raises(UsageError, match=said):
        begin_with(FastNet(), spec, "fast", ["new"])


def test_a_style_of_the_other_tier_cannot_be_begun_with(styles: Path) -> None:
    save(styles, "old", ["old"])
    with pytest.raises(UsageError, match="another shape than that of best"):
        begin_with(FastNet(), "old", "best", ["new"])


def test_a_training_begins_with_a_trained_style_and_its_card_says_so(
    config: FeedForwardConfig, styles: Path
) -> None:
    weights = save(styles, "old", ["old"])
    later = replace(config, begin_with="old", steps=1)
    assert same(FeedForwardTraining(later).network, weights)
    assert read_cards(train(later))[0].recipe["begin_with"] == "old"
    (styles / "old.safetensors").unlink()  # once begun, it is not needed any more
    assert FeedForwardTraining(replace(later, resume=True)).step == 1
    with pytest.raises(StyleError, match="no style is called"):
        FeedForwardTraining(replace(config, name="other", begin_with="missing"))
