"""How rates and shares go with the steps."""

import pytest

from vidstyle.training.schedules import (
    average_decay,
    constant_then_linear,
    stability_share,
    warm_up_then_cosine,
)


def test_the_cosine_rises_then_falls() -> None:
    rates = [warm_up_then_cosine(step, 1000) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(rates[99], rel=0.01)
    assert rates[-1] == pytest.approx(0.02, rel=0.01)
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_the_line_is_flat_for_half_and_ends_at_nothing() -> None:
    rates = [constant_then_linear(step, 1000) for step in range(1001)]
    assert set(rates[:501]) == {1.0}
    assert rates[750] == pytest.approx(1 / 2)
    assert rates[999] == pytest.approx(1 / 500)
    assert rates[1000] == 0


def test_steadiness_is_asked_for_little_by_little() -> None:
    shares = [stability_share(step, 1000) for step in (0, 99, 250, 400, 999)]
    assert shares == pytest.approx([0, 0, 0.5, 1, 1])


def test_the_average_forgets_its_random_start_and_then_remembers_a_thousand_steps() -> None:
    decays = [average_decay(step) for step in range(20_000)]
    assert decays[0] == pytest.approx(0.1)
    assert decays == sorted(decays)
    assert decays[-1] == 0.999
