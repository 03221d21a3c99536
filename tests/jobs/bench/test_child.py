"""Processes for measurements."""

import os
import signal
import time
from pathlib import Path

import pytest

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.jobs.bench.child import Child
from vidstyle.jobs.bench.whole import peak_memory
from vidstyle.stylizers.device import available_cores, choose_device
from vidstyle.video.info import probe


def test_work_is_done_elsewhere_and_memory_is_kept_between_calls() -> None:
    with Child() as child:
        assert child(os.getpid) == child(os.getpid) != os.getpid()
        child(os.umask, 0o71)
        assert child(os.umask, 0o77) == 0o71
        assert child.since <= child(time.monotonic) <= time.monotonic()


def test_one_core_is_one_core_and_this_process_keeps_its_own() -> None:
    cores = os.sched_getaffinity(0)
    with Child(one_core=True) as child, Child() as free:
        assert child(available_cores) == 1
        assert free(os.sched_getaffinity, 0) == cores
    assert os.sched_getaffinity(0) == cores


def test_errors_come_through_as_they_are() -> None:
    with Child() as child:
        with pytest.raises(UsageError, match="gramophone"):
            child(choose_device, "gramophone")
        with pytest.raises(InputError, match=r"nowhere\.mp4"):
            child(probe, Path("nowhere.mp4"))
        assert child(os.getpid)


def test_a_killed_process_is_told_in_one_line() -> None:
    with Child() as child:
        pid = child(os.getpid)
        with pytest.raises(ResourceError, match="memory"):
            child(os.kill, pid, signal.SIGKILL)


def test_leaving_ends_what_is_still_at_work() -> None:
    with Child() as child:
        pid = child(os.getpid)
        child._pipe.send((time.sleep, (60,), {}))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_memory_is_the_processes_own() -> None:
    """A new process must not begin with the peak of the one that started it."""
    ballast = b"x" * 300_000_000
    with Child() as child:
        assert child(peak_memory) < 280 < peak_memory()
    assert ballast
