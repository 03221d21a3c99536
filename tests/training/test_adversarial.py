"""Adversarial losses: their closed forms, and who wins."""

from typing import get_args

import pytest
import torch

from vidstyle.training.adversarial import ADVERSARIAL, distance
from vidstyle.training.config import Adversarial


def scores(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def test_every_loss_that_can_be_named_is_there() -> None:
    assert set(ADVERSARIAL) == set(get_args(Adversarial))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [("lsgan", (0.25 + 4.0) / 2, 1.0), ("hinge", (0.5 + 3.0) / 2, -2.0)],
)
def test_closed_forms(name: Adversarial, discriminator: float, generator: float) -> None:
    real, made = scores(0.5, 0.5), scores(2.0, 2.0)
    assert ADVERSARIAL[name].discriminator(real, made).item() == pytest.approx(discriminator)
    assert ADVERSARIAL[name].generator(made).item() == pytest.approx(generator)


@pytest.mark.parametrize("name", get_args(Adversarial))
def test_discriminator_and_generator_want_opposite_scores(name: Adversarial) -> None:
    loss = ADVERSARIAL[name]
    made = scores(0.3).requires_grad_()
    loss.generator(made).backward()
    assert made.grad is not None
    assert made.grad.item() < 0
    right, wrong = (loss.discriminator(*map(scores, pair)) for pair in ((0.9, 0.1), (0.1, 0.9)))
    assert right < wrong


def test_the_hinge_does_not_push_what_scores_well_enough() -> None:
    real, made = scores(1.5).requires_grad_(), scores(-1.5).requires_grad_()
    ADVERSARIAL["hinge"].discriminator(real, made).backward()
    assert real.grad is not None
    assert real.grad.item() == 0
    assert made.grad is not None
    assert made.grad.item() == 0


def test_black_and_white_are_as_far_apart_as_in_the_paper() -> None:
    assert distance(torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)) == 2
