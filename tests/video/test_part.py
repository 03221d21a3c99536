"""What of a clip goes into the output of a part, at the places where it begins and ends."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from vidstyle.video.part import Part, movie_timescale


def sound(milliseconds: int) -> Any:
    """A packet that begins then."""
    return SimpleNamespace(
        pts=milliseconds,
        dts=milliseconds,
        time_base=Fraction(1, 1000),
        stream=SimpleNamespace(type="audio"),
    )


def test_what_begins_with_a_part_is_in_it_and_what_begins_with_its_end_is_not() -> None:
    part = Part(Fraction(-1), begin=Fraction(1), end=Fraction(2))
    placed = [part.place(sound(time)) for time in (999, 1000, 1999, 2000)]
    assert placed == [False, True, True, False]


def test_a_part_is_over_when_no_track_can_lie_so_far_behind() -> None:
    part = Part(Fraction(0), end=Fraction(2))
    over = [part.is_over(sound(time)) for time in (2000, 12_000, 12_001)]
    assert over == [False, False, True]
    assert not Part(Fraction(0)).is_over(sound(10**9))


@pytest.mark.parametrize(
    ("tick", "scale"),
    [
        (Fraction(1, 25), 1000),
        (Fraction(1, 90_000), 90_000),
        (Fraction(1001, 24_000), 24_000),
        (Fraction(1, 2**31 - 1), 1_000_000),  # their common clock would not fit into 32 bits
    ],
)
def test_an_mp4_s_clock_counts_whole_ticks_where_it_can(tick: Fraction, scale: int) -> None:
    source: Any = SimpleNamespace(streams=[])
    assert movie_timescale(source, Fraction(0), tick, Part(Fraction(0))) == scale
