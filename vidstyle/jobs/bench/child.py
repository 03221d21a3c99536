"""A process of its own for measurements: fresh memory, and one core alone where that is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection, Pipe
from time import monotonic
from types import TracebackType
from typing import ParamSpec, TypeVar

from vidstyle.errors import ResourceError

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds that a process gets to end by itself."""


class Child:
    """Runs functions in a fresh process, one after another; what they keep in memory stays there.

    On one core every library takes one thread, and none has to be told: OpenVINO, torch, OpenCV and
    the codecs all look at the cores they may use.

    Attributes:
        since: when the process was started, on the `time.monotonic` clock that all processes share.
    """

    def __init__(self, *, one_core: bool = False) -> None:
        # Not by `multiprocessing`: that would load the caller's own script over there, and all that
        # it imports would count as ours.
        self._pipe, theirs = Pipe()
        command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno())]
        places = os.pathsep.join(filter(None, sys.path))
        self.since = monotonic()
        with theirs, _on_one_core() if one_core else nullcontext():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": places},
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C is for the parent, which then ends this one
            )

    def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work`, a function at the top of a module, over there; raises what it raises.

        Raises:
            ResourceError: the process was killed.
        """
        try:
            self._pipe.send((work, args, kwargs))
            result, error = self._pipe.recv()
        except (EOFError, ConnectionError) as ended:
            raise ResourceError(
                "a measuring process was killed, most likely for want of memory; "
                "try a smaller --size, or fewer --frames"
            ) from ended
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def __enter__(self) -> Child:
        """Itself."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """End the process, whatever it is at."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipe.close()


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Processes that this thread starts meanwhile may use one core; Linux alone can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def serve(pipe: Connection) -> None:
    """Do what comes in until nothing more can; this is the child's side."""
    while True:
        try:
            work, args, kwargs = pipe.recv()
        except EOFError:
            return
        try:
            result, failure = work(*args, **kwargs), None
        except Exception as error:
            error.add_note(traceback.format_exc())  # of this process, for --debug over there
            result, failure = None, error
        pipe.send((result, failure))


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
