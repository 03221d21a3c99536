"""What the figures mean: laws of efficiency, limit, least and ratio, on rows made by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.jobs.bench.report import STAGES, BenchReport, Ceiling, Row, Spread
from vidstyle.jobs.machine import MachineCard

MakeRow = Callable[..., Row]

POSITIVE = st.floats(0.01, 1000)
COSTS = st.lists(POSITIVE, min_size=len(STAGES), max_size=len(STAGES))


@given(st.lists(POSITIVE, min_size=1, max_size=9))
def test_a_spread_is_the_middle_and_the_ends(values: list[float]) -> None:
    spread = Spread.of(values)
    assert (spread.median, spread.low, spread.high) == (median(values), min(values), max(values))


@given(COSTS)
def test_the_limit_is_the_stage_that_costs_most(row: MakeRow, costs: list[float]) -> None:
    assert row(costs).stages[row(costs).limit].median == max(costs)


@given(COSTS, st.integers(1, 64))
def test_cores_that_never_wait_are_an_efficiency_of_one(
    row: MakeRow, costs: list[float], cores: int
) -> None:
    """Then a frame takes, in wall time, its stages' processor time over the cores."""
    perfect = 1000 * cores / sum(costs)
    assert row(costs, perfect, cores=cores).efficiency == pytest.approx(1)
    assert row(costs, perfect / 2, cores=cores).efficiency == pytest.approx(0.5)
    assert row(costs, perfect, cores=2 * cores).efficiency == pytest.approx(0.5)


@given(COSTS, st.integers(1, 64))
def test_on_a_gpu_the_slowest_stage_alone_is_the_measure(
    row: MakeRow, costs: list[float], cores: int
) -> None:
    perfect = 1000 / max(costs)
    assert row(costs, perfect, on_gpu=True, cores=cores).efficiency == pytest.approx(1)
    assert row(costs, 0.9 * perfect, on_gpu=True).efficiency == pytest.approx(0.9)


@given(POSITIVE, POSITIVE)
def test_the_ratio_is_that_of_the_medians(row: MakeRow, ours: float, theirs: float) -> None:
    one = replace(row([1.0] * 7, ours), baseline_fps=Spread(theirs, theirs / 3, theirs * 2))
    assert one.ratio == pytest.approx(ours / theirs)
    assert row([1.0] * 7).ratio is None


def test_real_time_is_the_speed_the_clip_plays_at(row: MakeRow) -> None:
    assert row([1.0] * 7, 25.0).realtime == 1
    assert row([1.0] * 7, 50.0).realtime == 2


def test_the_least_is_operations_and_bytes_over_what_the_machine_does(row: MakeRow) -> None:
    least = row([1.0] * 7).least_ms
    assert least["stylize"] == pytest.approx(1000 * 4e8 / 200e9)  # the faster precision counts
    assert least["blend"] == pytest.approx(1000 * 12 * 100 * 50 / 10e9)
    assert set(least) == set(STAGES) - {"decode", "encode"}
    slow = replace(row([1.0] * 7), ceiling=Ceiling(100, None, 10))
    assert slow.least_ms["stylize"] == pytest.approx(2 * least["stylize"])


def test_json_has_the_first_row_on_top_and_all_rows_below(row: MakeRow, card: MachineCard) -> None:
    rows = row([1.0, 2, 3, 4, 5, 6, 7], 20.0), row([7.0, 6, 5, 4, 3, 2, 1], 40.0)
    report = json.loads(json.dumps(BenchReport(card, rows, ("a note",)).to_json()))
    assert (report["fps"], report["limit"], report["width"]) == (20, "encode", 100)
    assert report["efficiency"] == pytest.approx(0.28)
    assert report["stages"]["decode"] == {"ms": 1, "low": 1, "high": 1, "least_ms": None}
    assert [r["limit"] for r in report["rows"]] == ["encode", "decode"]
    assert report["rows"][1]["fps"] == 40
    assert report["machine"]["processor"] == "Abacus"
    assert report["notes"] == ["a note"]
