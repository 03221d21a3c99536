"""Signals that come where Python cannot let an exception through."""

import signal
import sys
import time
from collections.abc import Iterator

import pytest

from vidstyle.cli.signals import Terminated, signals_unwind


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell lets what it runs in the background ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class StoppedWhileItGoes:
    """A signal comes during its destructor."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


def wait(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_stop_is_not_lost_in_a_destructor(number: int, error: type[BaseException]) -> None:
    with pytest.raises(error), signals_unwind():
        StoppedWhileItGoes(number)
        wait(20)


def test_afterwards_all_is_as_it_was() -> None:
    def seen() -> list[object]:
        numbers = signal.SIGTERM, signal.SIGALRM, signal.SIGINT
        return [sys.unraisablehook, *map(signal.getsignal, numbers)]

    before = seen()
    with pytest.raises(Terminated), signals_unwind():
        StoppedWhileItGoes(signal.SIGTERM)
        wait(20)
    assert seen() == before


def test_other_errors_in_destructors_are_reported_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Careless:
        def __del__(self) -> None:
            raise ValueError("left open")

    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda seen: reported.append(str(seen.exc_value)))
    with signals_unwind():
        Careless()
    assert reported == ["left open"]
