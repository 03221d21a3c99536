"""What a run may be asked."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.errors import UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.measuring.evaluation import EvaluateConfig


@pytest.mark.parametrize(
    "values",
    [
        {"strength": -0.1},
        {"strength": float("nan")},
        {"consistency": 1.01},
        {"brush": 0.9},
        {"brush": 4.1},
        {"brush": float("nan")},
        {"tier": "medium"},
        {"start": Fraction(-1)},
        {"inputs": ()},
    ],
)
def test_values_out_of_range_are_refused_by_name(values: dict[str, Any]) -> None:
    name = next(iter(values)).removesuffix("s")
    with pytest.raises(UsageError, match=name):
        RunConfig(**{"inputs": (Path("a.mp4"),), "style": "monet"} | values)


@pytest.mark.parametrize(
    "values",
    [
        {"start": Fraction(-1)},
        {"duration": Fraction(0)},
        {"rate": Fraction(1, 1001)},
        {"rate": Fraction(1001)},
    ],
)
def test_a_part_that_there_cannot_be_is_neither_painted_nor_measured(
    values: dict[str, Any],
) -> None:
    name = next(iter(values))
    with pytest.raises(UsageError, match=f"{name} must"):
        RunConfig((Path("a.mp4"),), "monet", **values)
    with pytest.raises(UsageError, match=f"{name} must"):
        EvaluateConfig(Path("a.mp4"), (Path("b.mp4"),), **values)


def test_what_asks_for_the_same_is_spelt_alike() -> None:
    for inputs in ("a.mp4", Path("a.mp4"), ["a.mp4"], (Path("a.mp4"),)):
        config = RunConfig(inputs, "monet", output="b.mp4", start=Fraction(0))  # type: ignore[arg-type]
        assert config == RunConfig((Path("a.mp4"),), "monet", output=Path("b.mp4"))
