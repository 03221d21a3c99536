"""Work in a hidden folder beside the output; the finished file appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.errors import ResourceError, UsageError
from vidstyle.jobs.journal import JOURNAL, sync
from vidstyle.video.opening import is_sequence, sequence_files


@contextmanager
def part_folder(output: Path, *, restart: bool = False) -> Iterator[Path]:
    """Lend `.NAME.part` beside `output` to this run alone; it goes with the block.

    Only a folder with a journal stays, for the next try to go on from; `restart` empties that too.
    The lock is the operating system's, and ends with this process however it ends.

    Raises:
        ResourceError: the folder cannot be made.
        UsageError: another run is writing the same output.
    """
    folder = output.with_name(f".{output.name}.part")
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ResourceError(f"{output.parent}: cannot write there ({error.strerror})") from error
    try:
        _lock(lock, folder, output)
        if restart or not (folder / JOURNAL).exists():
            for left in folder.iterdir():
                left.unlink()
        try:
            yield folder
        finally:
            if not (folder / JOURNAL).exists():
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def publish(part: Path, output: Path, *, overwrite: bool) -> None:
    """Give the finished `part` its final name, safely on disk; both lie on one file system.

    Numbered pictures get theirs one by one, in order.

    Raises:
        UsageError: `output` came to be meanwhile and may not be overwritten.
        ResourceError: the disk is full or fails.
    """
    if is_sequence(part):
        for picture in sequence_files(part).values():
            publish(picture, output.with_name(picture.name), overwrite=overwrite)
        return
    if not overwrite and output.exists():
        raise UsageError(f"{output}: came to be while it was painted, and is left as it is")
    try:
        sync(part)
        os.replace(part, output)
        sync(output.parent)
    except OSError as error:
        raise ResourceError(f"{output}: cannot be written ({error.strerror})") from error


def _lock(descriptor: int, folder: Path, output: Path) -> None:
    busy = UsageError(f"{output}: another run is writing it; wait for it, or stop it")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise busy from error
    except OSError:
        return  # some network file systems have no locks
    if not os.path.samestat(os.fstat(descriptor), os.stat(folder)):
        raise busy  # it was finished and removed between our two steps
