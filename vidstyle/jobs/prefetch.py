"""One thread boundary: what is upstream runs in a thread of its own, a few items ahead."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    """The upstream is finished, or failed with `error`."""

    error: BaseException | None = None


def prefetch(upstream: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield what `upstream` yields, in order, while a thread works up to `depth` items ahead.

    The thread starts with the first item asked for. It is joined, and the upstream closed (in the
    thread that ran it), when the upstream ends or fails and also when the consumer stops early:
    no thread outlives the iterator. Beside the `depth` items that wait, the thread holds one more
    in its hand.

    Args:
        upstream: any iterable; generators are closed after use.
        depth: how many finished items may wait, at least 1.

    Raises:
        ValueError: `depth` is less than 1.
        BaseException: whatever the upstream raised, after the items before it, with its traceback.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    return _consume(upstream, depth)


def _consume(upstream: Iterable[T], depth: int) -> Generator[T, None, None]:
    queue: SimpleQueue[_Item[T] | _End] = SimpleQueue()
    free = Semaphore(depth)
    stopped = Event()
    worker = Thread(
        target=_produce, args=(upstream, queue, free, stopped), name="vidstyle-prefetch"
    )
    try:
        worker.start()
        while isinstance(message := queue.get(), _Item):
            free.release()
            yield message.value
        if message.error is not None:
            raise message.error
    finally:
        stopped.set()
        free.release()  # wakes a thread that waits for room; it sees `stopped` and ends
        if worker.is_alive():  # an interrupt may come before the thread has started
            worker.join()


def _produce(
    upstream: Iterable[T], queue: SimpleQueue[_Item[T] | _End], free: Semaphore, stopped: Event
) -> None:
    end = _End()
    try:
        iterator = iter(upstream)
        try:
            for value in iterator:
                free.acquire()
                if stopped.is_set():
                    break
                queue.put(_Item(value))
        finally:
            close(iterator)
    except BaseException as error:
        end = _End(error)
    queue.put(end)


def close(iterator: Iterable[object]) -> None:
    """Close a generator; other iterators have nothing to close."""
    if isinstance(iterator, Generator):
        iterator.close()
