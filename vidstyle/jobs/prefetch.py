"""Threads between stages: each runs a few items ahead, and all of them end together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

T = TypeVar("T")

POLL = 0.25
"""Seconds between two looks after the threads while nothing comes from them."""
PATIENCE = 4.0
"""Seconds that threads get to finish what they have in hand; one that needs more is given up."""


_given_up: list[Thread] = []


def any_left_behind() -> bool:
    """Whether a thread that was given up is still at work, deep in some library."""
    return any(thread.is_alive() for thread in _given_up)


class Crew:
    """The threads of one chain of stages. They end with the block, however it ends.

        with Crew() as crew:
            decoded = crew.ahead(decode(), 3)
            for picture in crew.watched(crew.ahead(paint(decoded), 3)):
                ...

    Memory is bounded, for each thread waits when its items are not taken. A stage that fails ends
    the chain with its own error at once: it overtakes the items that other stages still work on.
    """

    def __init__(self) -> None:
        self._boundaries: set[Boundary[Any]] = set()
        self._failures: list[BaseException] = []
        self._ended = False

    def __enter__(self) -> Crew:
        """Nothing runs yet: a thread starts when its first item is asked for."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the threads and wait for them; one that hangs is left alone after `PATIENCE`."""
        self._ended = True
        boundaries = tuple(self._boundaries)
        for boundary in boundaries:
            boundary.stop()
        deadline = monotonic() + PATIENCE
        for boundary in boundaries:
            boundary.join(max(0.0, deadline - monotonic()))

    def ahead(self, stage: Iterable[T], depth: int) -> Boundary[T]:
        """Yield what `stage` yields, in order, while a thread works up to `depth` items ahead.

        Beside the `depth` items that wait, the thread holds one more in its hand. A generator is
        closed in the thread that ran it.

        Raises:
            ValueError: `depth` is less than 1.
            BaseException: whatever the stage raised, after the items before it.
        """
        if depth < 1:  # a queue of no size would have no end
            raise ValueError(f"depth must be at least 1, not {depth}")
        boundary = Boundary(stage, depth, self._failures.append, self._boundaries.discard)
        self._boundaries.add(boundary)
        return boundary

    def started(self, stage: Iterable[T], depth: int) -> Boundary[T]:
        """As `ahead`, but the thread begins at once, not when the first item is asked for."""
        boundary = self.ahead(stage, depth)
        boundary.start()
        return boundary

    def go_on(self) -> None:
        """Call it now and then in a long piece of work: it unwinds when the chain is ended."""
        if self._ended:
            raise _Stopped

    def watched(
        self, items: Boundary[T], look: Callable[[], None] = lambda: None
    ) -> Generator[T, None, None]:
        """Yield from the last of the `ahead`s; call `look` now and then while there is nothing.

        Raises:
            BaseException: what any stage, or `look`, raised, within seconds.
        """
        while True:
            try:
                item = items.take(POLL)
            except StopIteration:
                return
            except Empty:
                pass
            else:
                yield item
                continue
            if self._failures:
                raise self._failures[0]
            look()


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    """The stage is finished, or failed with `error`."""

    error: BaseException | None = None


class _Stopped(BaseException):
    """Unwinds a stage that waits for the one before it when the chain is ended."""


class Boundary(Generic[T]):
    """A stage with a thread of its own, and the queue that leads out of it."""

    def __init__(
        self,
        stage: Iterable[T],
        depth: int,
        on_failure: Callable[[BaseException], None],
        on_end: Callable[[Boundary[T]], None],
    ) -> None:
        self._stage, self._on_failure, self._on_end = stage, on_failure, on_end
        self._queue: SimpleQueue[_Item[T] | _End] = SimpleQueue()
        self._free = Semaphore(depth)
        self._stopped = Event()
        self._over = False
        self._thread: Thread | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self.take(None)

    def take(self, timeout: float | None) -> T:
        """The next item; `Empty` when there is none after `timeout` seconds."""
        if self._over:
            raise StopIteration
        self.start()
        message = self._queue.get(timeout=timeout)
        if isinstance(message, _Item):
            self._free.release()
            return message.value
        self._over = True
        if message.error is not None:
            raise message.error
        raise StopIteration

    def start(self) -> None:
        """Let the thread begin, if it has not."""
        if self._thread is None:
            # A thread that hangs in a library must not keep the process from ending.
            self._thread = Thread(target=self._run, name="vidstyle-stage", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let the thread end after what it is doing, and wake who waits at either end."""
        self._stopped.set()
        self._free.release()
        self._queue.put(_End(_Stopped()))

    def join(self, timeout: float) -> None:
        """Wait for the thread."""
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout)
            if self._thread.is_alive():
                _given_up.append(self._thread)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._produce()
        except _Stopped:
            pass
        except BaseException as failure:
            error = failure
            self._on_failure(failure)
        self._queue.put(_End(error))
        self._on_end(self)

    def _produce(self) -> None:
        iterator = iter(self._stage)
        try:
            for value in iterator:
                self._free.acquire()
                if self._stopped.is_set():
                    break
                self._queue.put(_Item(value))
        finally:
            close(iterator)


def close(iterator: Iterable[object]) -> None:
    """Close a generator; other iterators have nothing to close."""
    if isinstance(iterator, Generator):
        iterator.close()
