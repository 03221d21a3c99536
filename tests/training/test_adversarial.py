"""Adversarial losses: their closed forms, and who wins."""

from typing import get_args

import pytest
import torch

from vidstyle.training.adversarial import ADVERSARIAL, distance
from vidstyle.training.config import Adversarial


def verdicts(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(1, 1, 1, -1)


def test_every_loss_that_can_be_named_is_there() -> None:
    assert set(ADVERSARIAL) == set(get_args(Adversarial))


@pytest.mark.parametrize(
    ("name", "judge", "fool"),
    [("lsgan", (0.25 + 4.0) / 2, 1.0), ("hinge", (0.5 + 3.0) / 2, -2.0)],
)
def test_closed_forms(name: Adversarial, judge: float, fool: float) -> None:
    real, made = verdicts(0.5, 0.5), verdicts(2.0, 2.0)
    assert ADVERSARIAL[name].judge(real, made).item() == pytest.approx(judge)
    assert ADVERSARIAL[name].fool(made).item() == pytest.approx(fool)


@pytest.mark.parametrize("name", get_args(Adversarial))
def test_judge_and_painter_want_opposite_verdicts(name: Adversarial) -> None:
    loss = ADVERSARIAL[name]
    made = verdicts(0.3).requires_grad_()
    loss.fool(made).backward()
    assert made.grad is not None
    assert made.grad.item() < 0
    assert loss.judge(verdicts(0.9), verdicts(0.1)) < loss.judge(verdicts(0.1), verdicts(0.9))


def test_the_hinge_does_not_push_what_is_judged_well_enough() -> None:
    real, made = verdicts(1.5).requires_grad_(), verdicts(-1.5).requires_grad_()
    ADVERSARIAL["hinge"].judge(real, made).backward()
    assert real.grad is not None
    assert real.grad.item() == 0
    assert made.grad is not None
    assert made.grad.item() == 0


def test_black_and_white_are_as_far_apart_as_in_the_paper() -> None:
    assert distance(torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)) == 2
