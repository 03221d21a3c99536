"""The threads between stages: order, bounds, failures, and that all of them end."""

import threading
import traceback
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.jobs import prefetch
from vidstyle.jobs.prefetch import Crew


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Upstream:
    """Counts up, remembers how far it was asked, in which thread, and where it was closed."""

    def __init__(self, length: int | None = None, error: BaseException | None = None) -> None:
        self.length = length
        self.error = error
        self.asked = 0
        self.threads: set[int] = set()
        self.closed_in: list[int] = []
        self.progress = threading.Condition()

    def __iter__(self) -> Iterator[int]:
        try:
            while self.length is None or self.asked < self.length:
                with self.progress:
                    self.asked += 1
                    self.threads.add(threading.get_ident())
                    self.progress.notify_all()
                yield self.asked - 1
            if self.error is not None:
                raise self.error
        finally:
            self.closed_in.append(threading.get_ident())

    def wait_until_asked(self, count: int) -> None:
        with self.progress:
            assert self.progress.wait_for(lambda: self.asked >= count, timeout=5)

    def asks_for_more_than(self, count: int) -> bool:
        with self.progress:
            return self.progress.wait_for(lambda: self.asked > count, timeout=0.2)


@given(st.lists(st.integers()), st.integers(1, 5), st.integers(1, 3))
@settings(max_examples=50)
def test_a_chain_of_boundaries_changes_nothing(items: list[int], depth: int, links: int) -> None:
    stream: Any = items
    with Crew() as crew:
        for _ in range(links):
            stream = crew.ahead(stream, depth)
        assert list(crew.watched(stream)) == items
        assert list(stream) == []


def test_the_upstream_runs_in_one_other_thread() -> None:
    upstream = Upstream(20)
    with Crew() as crew:
        assert list(crew.ahead(upstream, 2)) == list(range(20))
    assert len(upstream.threads) == 1
    assert threading.get_ident() not in upstream.threads
    assert upstream.closed_in == list(upstream.threads)


@pytest.mark.parametrize("depth", [1, 3])
def test_it_runs_ahead_by_depth_and_one_in_hand(depth: int) -> None:
    upstream = Upstream()
    with Crew() as crew:
        stream = crew.ahead(upstream, depth)
        for taken in range(1, 6):
            next(stream)
            upstream.wait_until_asked(taken + depth + 1)
            assert not upstream.asks_for_more_than(taken + depth + 1)


def test_nothing_starts_before_the_first_item_is_asked_for() -> None:
    upstream = Upstream(3)
    with Crew() as crew:
        stream = crew.ahead(upstream, 1)
        assert not upstream.asks_for_more_than(0)
        assert list(stream) == [0, 1, 2]


def test_a_failure_keeps_its_traceback_and_its_cause() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise_deep_down()

    def raise_deep_down() -> None:
        raise LookupError("broken packet") from OSError("the disk")

    with pytest.raises(LookupError, match="broken packet") as caught, Crew() as crew:
        list(crew.watched(crew.ahead(failing(), 4)))
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "raise_deep_down"
    assert isinstance(caught.value.__cause__, OSError)


def test_items_before_a_failure_are_not_lost_to_the_next_stage() -> None:
    got = []
    with pytest.raises(LookupError), Crew() as crew:
        for item in crew.ahead(Upstream(3, LookupError()), 1):
            got.append(item)
    assert got == [0, 1, 2]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError()])
def test_failures_that_are_no_exceptions_cross_too(error: BaseException) -> None:
    with pytest.raises(type(error)), Crew() as crew:
        list(crew.watched(crew.ahead(Upstream(2, error), 2)))


def test_a_failure_overtakes_a_stage_that_is_busy() -> None:
    """A painter may take minutes for what is in its queue: nobody waits for that."""
    leave = threading.Event()

    def slow(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            leave.wait(60)
            yield item

    with pytest.raises(LookupError, match="deep"), Crew() as crew:
        try:
            list(crew.watched(crew.ahead(slow(crew.ahead(Upstream(2, LookupError("deep")), 3)), 1)))
        finally:
            assert not leave.is_set()
            leave.set()


def test_a_stage_that_hangs_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "PATIENCE", 0.05)
    leave, before = threading.Event(), threading.active_count()

    def hangs() -> Iterator[int]:
        yield 1
        leave.wait(60)

    with pytest.raises(RuntimeError, match="hangs"), Crew() as crew:
        for _ in crew.watched(crew.ahead(crew.ahead(hangs(), 1), 1), look=fails):
            pass
    assert threading.active_count() == before + 1  # the others have ended
    leave.set()
    join_all()


def test_all_that_hang_have_one_patience_together(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = [0.0], []

    def hangs(_: object, timeout: float) -> None:
        waits.append(timeout)
        now[0] += timeout

    monkeypatch.setattr(prefetch, "monotonic", lambda: now[0])
    monkeypatch.setattr(prefetch.Boundary, "join", hangs)
    with Crew() as crew:
        for _ in range(3):
            crew.ahead([], 1)
    assert waits == [prefetch.PATIENCE, 0, 0]


def join_all() -> None:
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(5)


def fails() -> None:
    raise RuntimeError("hangs")


@pytest.mark.parametrize("taken", [0, 1, 2, 7])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_stopping_early_closes_the_upstream_in_its_thread(taken: int, depth: int) -> None:
    upstream = Upstream()
    with Crew() as crew:
        stream = crew.ahead(upstream, depth)
        assert [next(stream) for _ in range(taken)] == list(range(taken))
    assert upstream.closed_in == list(upstream.threads)


def test_stopping_while_the_thread_waits_for_room() -> None:
    upstream = Upstream()
    with Crew() as crew:
        next(crew.ahead(upstream, 1))
        upstream.wait_until_asked(3)
    assert upstream.asked == 3


def test_stopping_while_the_upstream_is_busy_waits_for_it() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        entered.set()
        assert leave.wait(5)
        yield 2

    with Crew() as crew:
        next(crew.ahead(slow(), 1))
        assert entered.wait(5)
        threading.Timer(0.05, leave.set).start()
    assert leave.is_set()


def test_stopping_unwinds_a_stage_that_waits_for_the_one_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It must not take the end of its items for the end of the clip, and finish its work."""
    monkeypatch.setattr(prefetch, "PATIENCE", 0.05)
    leave, seen = threading.Event(), []

    def source() -> Iterator[int]:
        yield 1
        leave.wait(60)
        yield 2

    def adds_up(items: Iterator[int]) -> Iterator[int]:
        seen.extend(items)
        seen.append(-1)
        yield sum(seen)

    with pytest.raises(RuntimeError), Crew() as crew:
        list(crew.watched(crew.ahead(adds_up(crew.ahead(source(), 1)), 1), look=fails))
    assert seen == [1]
    leave.set()
    join_all()
    assert seen == [1]


def test_a_failing_consumer_ends_the_chain() -> None:
    upstream = Upstream()
    with pytest.raises(RuntimeError, match="encoder died"), Crew() as crew:
        for item in crew.watched(crew.ahead(crew.ahead(upstream, 2), 2)):
            if item == 3:
                raise RuntimeError("encoder died")
    assert upstream.closed_in == list(upstream.threads)


def test_a_failure_in_closing_is_a_failure() -> None:
    def fails_at_its_end() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise OSError("cannot close")

    with pytest.raises(OSError, match="cannot close"), Crew() as crew:
        list(crew.ahead(fails_at_its_end(), 1))


def test_a_stage_that_cannot_be_iterated_fails_in_the_consumer() -> None:
    with pytest.raises(TypeError), Crew() as crew:
        list(crew.ahead(5, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_without_room_is_refused_at_once(depth: int) -> None:
    with pytest.raises(ValueError, match="depth"), Crew() as crew:
        crew.ahead([], depth)


def test_an_item_is_let_go_once_the_consumer_has_it() -> None:
    """Frames are large: what was consumed must not be kept alive by the boundary."""

    class Picture:
        pass

    alive: list[weakref.ref[Picture]] = []

    def pictures() -> Iterator[Picture]:
        for _ in range(50):
            picture = Picture()
            alive.append(weakref.ref(picture))
            yield picture
            del picture

    most = 0
    with Crew() as crew:
        for _ in crew.watched(crew.ahead(pictures(), 2)):
            most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 6


def test_a_crew_forgets_threads_that_have_ended() -> None:
    """A long clip takes thousands, an encoder for each of its segments."""
    with Crew() as crew:
        for _ in range(50):
            boundary = crew.started([1], 1)
            assert list(boundary) == [1]
            boundary.join(10)
        crew.ahead([], 1)
        assert len(crew._boundaries) == 1
