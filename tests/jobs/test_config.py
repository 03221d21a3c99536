"""What a run may be asked."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.errors import UsageError
from vidstyle.jobs.config import RunConfig


@pytest.mark.parametrize(
    "values",
    [
        {"strength": -0.1},
        {"strength": float("nan")},
        {"consistency": 1.01},
        {"tier": "medium"},
        {"start": Fraction(-1)},
        {"duration": Fraction(0)},
        {"inputs": ()},
    ],
)
def test_values_out_of_range_are_refused_by_name(values: dict[str, Any]) -> None:
    name = next(iter(values)).removesuffix("s")
    with pytest.raises(UsageError, match=name):
        RunConfig(**{"inputs": (Path("a.mp4"),), "style": "monet"} | values)
