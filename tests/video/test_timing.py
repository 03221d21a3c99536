from collections.abc import Sequence
from itertools import pairwise

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.video.timing import MOST_TICKS, Survey, settled, survey


def packets(pts: Sequence[int]) -> list[av.Packet]:
    made = []
    for time in pts:
        packet = av.Packet(b"x")
        packet.pts = time
        made.append(packet)
    return made


@st.composite
def coded(draw: st.DrawFn) -> list[int]:
    """Times in decoding order: each group's last picture first, the rest shuffled."""
    gaps = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=150))
    shown = [draw(st.integers(0, 10**9))]
    for gap in gaps:
        shown.append(shown[-1] + gap)
    order, start = [shown[0]], 1
    while start < len(shown):
        size = draw(st.integers(1, 9))
        group = shown[start : start + size]
        order += [group[-1], *draw(st.permutations(group[:-1]))]
        start += size
    return order


@given(order=coded(), last=st.integers(1, 10_000))
def test_decoding_keeps_step_with_showing(order: list[int], last: int) -> None:
    shown = sorted(order)
    found = survey(packets(order))
    timed = list(settled(packets(order), found.ahead, last))
    assert (found.count, found.first) == (len(order), shown[0])
    assert found.longest == max(b - a for a, b in pairwise(shown))
    assert [packet.pts for packet in timed] == order
    assert all(packet.dts <= packet.pts for packet in timed)
    steps = [b.dts - a.dts for a, b in pairwise(timed)]
    assert steps == [b - a for a, b in pairwise(shown)]
    ends = dict(zip(shown, [*shown[1:], shown[-1] + last], strict=True))
    assert {packet.pts: packet.pts + packet.duration for packet in timed} == ends


def test_without_reordering_nothing_is_decoded_ahead() -> None:
    assert survey(packets([5, 7, 30])) == Survey(3, 5, 0, 23)
    assert [packet.dts for packet in settled(packets([5, 7, 30]), 0, 1)] == [5, 7, 30]


def test_a_last_picture_without_a_duration_lasts_as_the_one_before() -> None:
    assert [packet.duration for packet in settled(packets([0, 4, 9]), 0, 0)] == [4, 5, 5]


def test_a_track_without_packets_has_no_start() -> None:
    assert survey([]) == Survey()
    assert list(settled([], 0, 1)) == []


def test_pictures_that_wait_for_many_others_keep_their_durations() -> None:
    """Each is shown long after, or long before, most of those that are coded beside it."""
    order = [0, *(4 * group + place for group in range(40) for place in (4, 2, 1, 3))]
    timed = settled(packets(order), survey(packets(order)).ahead, 1)
    assert {packet.duration for packet in timed} == {1}


@pytest.mark.parametrize(
    ("ahead", "longest", "last", "times"),
    [
        (0, 0, 0, 1),
        (0, MOST_TICKS, 0, 1),
        (0, MOST_TICKS + 1, 0, 2),
        (0, 1, MOST_TICKS + 1, 2),
        (MOST_TICKS, 1, 0, 2),
        (0, 2 * MOST_TICKS + 1, 0, 3),
    ],
)
def test_ticks_are_too_fine_by_as_much_as_does_not_fit(
    ahead: int, longest: int, last: int, times: int
) -> None:
    assert Survey(count=2, first=0, ahead=ahead, longest=longest).excess(last) == times
