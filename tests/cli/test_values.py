"""Times as a user writes them."""

from fractions import Fraction

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.cli.values import rate, seconds, timetable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        ("90", Fraction(90)),
        ("2.5", Fraction(5, 2)),
        (".04", Fraction(1, 25)),
        ("1:30", Fraction(90)),
        ("01:02:03.25", 3600 + 120 + Fraction(13, 4)),
        ("100:00:00", Fraction(360000)),
        (" 5 ", Fraction(5)),
    ],
)
def test_times_are_exact(text: str, value: Fraction) -> None:
    assert seconds(text) == value


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59_999))
def test_clock_and_seconds_agree(hours: int, minutes: int, thousandths: int) -> None:
    whole, rest = divmod(thousandths, 1000)
    expected = 3600 * hours + 60 * minutes + Fraction(thousandths, 1000)
    assert seconds(f"{hours}:{minutes:02}:{whole:02}.{rest:03}") == expected
    assert seconds(f"{float(expected):.3f}") == expected


@pytest.mark.parametrize(
    "text", ["", "abc", "-3", "1:60", "1:75:00", "1::2", "1e3", "nan", "٣", ":5"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no time"):
        seconds(text)


@pytest.mark.parametrize("text", ["10000001", "9" * 400, "99999999:00:00"])
def test_no_clip_is_as_long_as_that(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no clip is as long"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("24", 24), (".5", Fraction(1, 2)), ("29.97", Fraction(2997, 100))),
        ("30000/1001", Fraction(30_000, 1001)),
    ],
)
def test_rates_are_exact(text: str, value: Fraction) -> None:
    assert rate(text) == value


@pytest.mark.parametrize(
    "text", ["", "fast", "0", "-25", "1/0", "nan", "24.", "1e999999999", "9" * 400]
)
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no rate"):
        rate(text)


def test_times_of_a_schedule_become_seconds() -> None:
    asked = "0 monet;1:10.5 a:1, b:2 ;  2:00 scream"
    assert timetable(asked) == "0 monet; 70.5 a:1, b:2; 120 scream"
    assert timetable("2:46:40.125 monet") == "10000.125 monet"


def test_commas_in_a_schedule_are_told_of() -> None:
    with pytest.raises(click.BadParameter, match="put ; between its entries"):
        timetable("0:00 monet, 0:01 scream")


@pytest.mark.parametrize("text", ["", "monet", "0 monet;", "0 monet; later scream"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no time"):
        timetable(text)
