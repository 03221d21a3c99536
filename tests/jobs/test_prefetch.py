"""The one thread boundary: order, bounds, failures and the end of its thread."""

import itertools
import threading
import traceback
import weakref
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.jobs.prefetch import prefetch


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
@settings(max_examples=50, deadline=None)
def test_a_chain_of_boundaries_changes_nothing(items: list[int], depth: int, links: int) -> None:
    stream: Iterator[int] = iter(items)
    for _ in range(links):
        stream = prefetch(stream, depth)
    assert list(stream) == items


def test_the_upstream_runs_in_one_other_thread() -> None:
    upstream = Upstream(20)
    assert list(prefetch(upstream, 2)) == list(range(20))
    assert len(upstream.threads) == 1
    assert threading.get_ident() not in upstream.threads
    assert upstream.closed_in == list(upstream.threads)


@pytest.mark.parametrize("depth", [1, 3])
def test_it_runs_ahead_by_depth_and_one_in_hand(depth: int) -> None:
    upstream = Upstream()
    with closing(prefetch(upstream, depth)) as stream:
        for taken in range(1, 6):
            next(stream)
            upstream.wait_until_asked(taken + depth + 1)
            assert not upstream.asks_for_more_than(taken + depth + 1)


def test_nothing_starts_before_the_first_item_is_asked_for() -> None:
    upstream = Upstream(3)
    stream = prefetch(upstream, 1)
    assert not upstream.asks_for_more_than(0)
    assert next(stream) == 0
    assert list(stream) == [1, 2]


def test_a_failure_comes_after_the_items_before_it_with_its_traceback() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise_deep_down()

    def raise_deep_down() -> None:
        raise LookupError("broken packet")

    got: list[int] = []
    with pytest.raises(LookupError, match="broken packet") as caught:
        got.extend(prefetch(failing(), 4))
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "raise_deep_down"


def test_items_before_a_failure_are_not_lost() -> None:
    got = []
    with pytest.raises(LookupError):
        for item in prefetch(Upstream(3, LookupError()), 1):
            got.append(item)
    assert got == [0, 1, 2]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError()])
def test_failures_that_are_no_exceptions_cross_too(error: BaseException) -> None:
    with pytest.raises(type(error)):
        list(prefetch(Upstream(2, error), 2))


def test_a_failure_crosses_a_chain() -> None:
    stream = prefetch(prefetch(prefetch(Upstream(5, LookupError("deep")), 1), 1), 1)
    with pytest.raises(LookupError, match="deep"):
        list(stream)


@pytest.mark.parametrize("taken", [0, 1, 2, 7])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_stopping_early_closes_the_upstream_in_its_thread(taken: int, depth: int) -> None:
    upstream = Upstream()
    stream = prefetch(upstream, depth)
    assert list(itertools.islice(stream, taken)) == list(range(taken))
    stream.close()
    assert upstream.closed_in == list(upstream.threads)


def test_stopping_while_the_thread_waits_for_room() -> None:
    upstream = Upstream()
    stream = prefetch(upstream, 1)
    next(stream)
    upstream.wait_until_asked(3)
    stream.close()
    assert upstream.asked == 3


def test_stopping_while_the_upstream_is_busy_waits_for_it() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        entered.set()
        assert leave.wait(5)
        yield 2

    stream = prefetch(slow(), 1)
    next(stream)
    assert entered.wait(5)
    threading.Timer(0.05, leave.set).start()
    stream.close()
    assert leave.is_set()


def test_a_failing_consumer_ends_the_chain() -> None:
    upstream = Upstream()

    def consume() -> None:
        for item in prefetch(prefetch(upstream, 2), 2):
            if item == 3:
                raise RuntimeError("encoder died")

    with pytest.raises(RuntimeError, match="encoder died"):
        consume()
    assert upstream.closed_in == list(upstream.threads)


def test_a_failure_in_closing_is_a_failure() -> None:
    def fails_at_its_end() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise OSError("cannot close")

    with pytest.raises(OSError, match="cannot close"):
        list(prefetch(fails_at_its_end(), 1))


def test_an_upstream_that_cannot_be_iterated_fails_in_the_consumer() -> None:
    with pytest.raises(TypeError):
        list(prefetch(5, 1))  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_without_room_is_refused_at_once(depth: int) -> None:
    with pytest.raises(ValueError, match="depth"):
        prefetch([], depth)


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
    for _ in prefetch(pictures(), 2):
        most = max(most, sum(ref() is not None for ref in alive))
    assert most <= 6
