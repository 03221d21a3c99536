"""Matching by time: laws that hold for any two rows of time stamps."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.video.matching import UNEVEN, interval, shown_at, stride


def is_even(step: Fraction, other: Fraction) -> bool:
    """Whether a clip went on about as far as the one it is held against."""
    return abs(other - step) <= UNEVEN * step


GAPS = st.lists(
    st.integers(750, 18_000).map(lambda ticks: Fraction(ticks, 90_000)), min_size=1, max_size=40
)
MOMENTS = st.lists(st.integers(0, 300_000).map(lambda ticks: Fraction(ticks, 60_000)), min_size=1)
TICKS = st.sampled_from([Fraction(0), *(Fraction(1, n) for n in (20, 100, 1000, 12_800))])
RATES = st.sampled_from([5, 10, 12, 15, 16, 18, 24, 25, 30, 40, 48, 50, 60, 90, 120]).map(Fraction)

# On a busy machine nothing is quick; that is no fault of what is tested.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def times_of(gaps: Sequence[Fraction]) -> list[Fraction]:
    times = [Fraction(0)]
    for gap in gaps:
        times.append(times[-1] + gap)
    return times


def steady(rate: Fraction, seconds: int = 4) -> list[Fraction]:
    return [number / rate for number in range(int(seconds * rate) + 1)]


@patient
@given(GAPS, TICKS)
def test_a_clip_is_matched_with_itself_frame_by_frame(gaps: list[Fraction], tick: Fraction) -> None:
    times = times_of(gaps)
    assert shown_at(times, times, min(tick, min(gaps) / 2)) == list(range(len(times)))


@patient
@given(GAPS, MOMENTS, TICKS)
def test_matches_never_go_back_nor_look_into_the_future(
    gaps: list[Fraction], moments: list[Fraction], tick: Fraction
) -> None:
    times, moments = times_of(gaps), sorted(moments)
    found = shown_at(times, moments, tick)
    assert found == sorted(found)
    for moment, number in zip(moments, found, strict=True):
        assert times[number] <= moment + min(tick, interval(times) / 4)
        assert number + 1 == len(times) or times[number + 1] > moment
    exact = shown_at(times, moments)
    assert all(times[number] <= moment for number, moment in zip(exact, moments, strict=True))


@patient
@given(GAPS, st.integers(0, 30))
def test_a_clip_that_begins_later_is_matched_from_there(gaps: list[Fraction], skip: int) -> None:
    times = times_of(gaps)
    offset = times[min(skip, len(gaps))]
    later = [time - offset for time in times if time >= offset]
    moments = [time - offset for time in times if time >= offset]
    assert shown_at(later, moments) == list(range(len(later)))


@patient
@given(GAPS)
def test_rounded_time_stamps_are_matched_as_the_exact_ones(gaps: list[Fraction]) -> None:
    """Matroska's milliseconds against ticks of 1/90000: at most a millisecond apart."""
    gaps = [max(gap, Fraction(1, 60)) for gap in gaps]
    times = times_of(gaps)
    rounded = [Fraction(round(1000 * time), 1000) for time in times]
    tick = Fraction(1, 1000)
    assert shown_at(rounded, times, tick) == list(range(len(times)))
    assert shown_at(times, rounded, tick) == list(range(len(times)))


@patient
@given(RATES, st.lists(RATES, min_size=1, max_size=3))
def test_with_the_stride_every_clip_has_steps_to_measure(
    rate: Fraction, others: list[Fraction]
) -> None:
    every = stride(1 / rate, [1 / other for other in others])
    moments = steady(rate)[::every]
    for other in others:
        times = steady(other)
        shown = [times[number] for number in shown_at(times, moments)]
        steps = zip(pairwise(moments), pairwise(shown), strict=True)
        assert any(is_even(b - a, d - c) for (a, b), (c, d) in steps)


def test_the_stride_leaves_equal_rates_alone() -> None:
    assert stride(Fraction(1, 25), []) == 1
    assert stride(Fraction(1, 25), [Fraction(1, 25), Fraction(1, 50), Fraction(1, 24)]) == 1
    assert stride(Fraction(1, 50), [Fraction(1, 25)]) == 2
    assert stride(Fraction(1, 60), [Fraction(1, 24), Fraction(1, 30)]) == 3


def test_24_against_25_shows_one_frame_in_25_twice() -> None:
    moments, times = steady(Fraction(25)), steady(Fraction(24))
    found = shown_at(times, moments)
    held = [a for a, b in pairwise(found) if a == b]
    assert len(moments) == 101
    assert len(held) == 4
    even = [is_even(Fraction(1, 25), times[b] - times[a]) for a, b in pairwise(found)]
    assert even.count(False) == 4


def test_the_interval_is_the_mean() -> None:
    assert interval([Fraction(0), Fraction(1), Fraction(4)]) == 2
    assert interval([Fraction(7)]) == 0
