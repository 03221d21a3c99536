"""SIGTERM and Ctrl-C end a command from wherever it is, as exceptions that unwind it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.05
"""After which a stop that was lost comes once more: destructors are over sooner."""


class Terminated(BaseException):
    """SIGTERM has come: unwind as for Ctrl-C."""


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Let SIGTERM raise Terminated, and let neither it nor Ctrl-C be lost.

    Python cannot let through what is raised in a destructor or in a callback of C: it goes to
    `sys.unraisablehook`, and the command would run on as if nobody had asked it to stop.
    """
    report = sys.unraisablehook

    def terminate(*_: object) -> None:
        raise Terminated

    def keep(unraisable: Any) -> None:
        kind = unraisable.exc_type
        if not issubclass(kind, Terminated | KeyboardInterrupt):
            report(unraisable)
            return

        def come_again(*_: object) -> None:
            raise kind

        handle(signal.SIGALRM, come_again)
        at_end.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)

    def handle(number: int, handler: Callable[..., None]) -> None:
        at_end.callback(signal.signal, number, signal.signal(number, handler))

    with ExitStack() as at_end:
        handle(signal.SIGTERM, terminate)
        sys.unraisablehook = keep
        at_end.callback(setattr, sys, "unraisablehook", report)
        yield
