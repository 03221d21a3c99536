"""Work in a hidden folder beside the output; the finished file appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.errors import ResourceError, UsageError


@contextmanager
def part_folder(output: Path) -> Iterator[Path]:
    """Make `.NAME.part` beside `output` for the time of the block; whatever ends it, it is removed.

    What a killed run left there goes first.

    Raises:
        ResourceError: the folder cannot be made.
        UsageError: another run is writing the same output.
    """
    folder = output.with_name(f".{output.name}.part")
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ResourceError(f"{output.parent}: cannot write there ({error.strerror})") from error
    try:
        _lock(lock, output)
        for left in folder.iterdir():
            left.unlink()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def publish(part: Path, output: Path, *, overwrite: bool) -> None:
    """Give the finished `part` its final name, safely on disk; both lie on one file system.

    Raises:
        UsageError: `output` came to be meanwhile and may not be overwritten.
        ResourceError: the disk is full or fails.
    """
    if not overwrite and output.exists():
        raise UsageError(f"{output}: came to be while it was painted, and is left as it is")
    try:
        _sync(part)
        os.replace(part, output)
        _sync(output.parent)
    except OSError as error:
        raise ResourceError(f"{output}: cannot be written ({error.strerror})") from error


def _lock(descriptor: int, output: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{output}: another run is writing it; wait for it, or stop it") from error
    except OSError:
        pass  # some network file systems have no locks


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
