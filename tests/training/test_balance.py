"""How much steadiness weighs."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.stylizers.card import read_cards
from vidstyle.training.balance import LEAST_UNSTEADINESS, Unsteadiness
from vidstyle.training.config import FeedForwardConfig
from vidstyle.training.feed_forward import FeedForwardTraining
from vidstyle.training.train import train


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20))
def test_a_loss_as_at_first_weighs_one(losses: list[float]) -> None:
    first = Unsteadiness(2)
    for loss in losses:
        first.observe(1, torch.tensor(loss))
    assert first.weight(1) * sum(losses) / len(losses) == pytest.approx(1, rel=1e-4)
    assert first.weight(0) == 0


def test_observing_leaves_the_loss_and_its_gradient_alone() -> None:
    loss = torch.tensor(2.0, requires_grad=True)
    first = Unsteadiness(1)
    first.observe(0, 3 * loss)
    assert loss.item() == 2
    assert not first.mean.requires_grad


def test_what_paints_nothing_does_not_make_steadiness_all() -> None:
    first = Unsteadiness(1)
    first.observe(0, torch.tensor(0.0))
    assert first.weight(0) == 1 / LEAST_UNSTEADINESS


def test_only_what_comes_before_steadiness_is_asked_for_counts(config: FeedForwardConfig) -> None:
    training = FeedForwardTraining(replace(config, steps=25))
    training.run(lambda _: None)
    assert training.unsteadiness.count.tolist() == [3]


@pytest.mark.parametrize("style_weight", [0.1, 1.0])
def test_steadiness_weighs_as_the_style_does(
    config: FeedForwardConfig, style_weight: float
) -> None:
    config = replace(config, style_weight=style_weight)
    training = FeedForwardTraining(config)
    training.run(lambda _: None)
    weights = read_cards(config.style_path)[0].recipe["weights"]
    asked = style_weight * config.stability_weight
    assert weights["stability"] * training.unsteadiness.mean[0].item() == pytest.approx(
        asked, rel=1e-4
    )
    assert weights["feature stability"] == style_weight * config.feature_stability_weight


def test_a_style_whose_first_turn_comes_late_is_balanced_then(config: FeedForwardConfig) -> None:
    first = config.styles[0]
    others = [first.with_name(f"{k}.png") for k in range(3)]
    for other in others:
        other.write_bytes(first.read_bytes())
    training = FeedForwardTraining(replace(config, styles=(first, *others), steps=6))
    training.run(lambda _: None)
    assert training.unsteadiness.count.tolist() == [1, 1, 1, 1]


def test_each_style_is_balanced_by_itself(config: FeedForwardConfig) -> None:
    first = config.styles[0]
    second = first.with_name("other.png")
    second.write_bytes(first.read_bytes())
    train(replace(config, styles=(first, second), steps=20, name="both"))
    steady = [
        card.recipe["weights"]["stability"]
        for card in read_cards(config.output / "both.safetensors")
    ]
    assert steady[0] != steady[1]
    assert all(weight > 0 for weight in steady)
