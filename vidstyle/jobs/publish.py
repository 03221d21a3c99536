"""Work in a hidden folder beside the output; the finished file appears whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from vidstyle.errors import BusyError, UsageError
from vidstyle.files import writing

JOURNAL: Final = "journal.json"
"""In the hidden folder of what is not whole yet, and can be gone on with."""
NAMING: Final = "naming"
"""Lies beside the journal while numbered pictures get their names."""


@contextmanager
def part_folder(output: Path, *, restart: bool = False) -> Iterator[Path]:
    """Lend `.NAME.part` beside `output` to this run alone; it goes with the block.

    Only a folder with a journal stays, for the next try to go on from; `restart` empties that too.

    Raises:
        ResourceError: the folder cannot be made.
        BusyError: another run is writing the same output.
    """
    folder = _part_of(output)
    with held(folder, output):
        if restart or not (folder / JOURNAL).exists():
            for left in folder.iterdir():
                left.unlink()
        try:
            yield folder
        finally:
            if not (folder / JOURNAL).exists():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def published(output: Path, *, overwrite: bool) -> Iterator[Path]:
    """Lend a place to write a single file to; it becomes `output` when the block has ended well.

    Raises:
        ResourceError: the folder cannot be made, or the disk is full or fails.
        BusyError: another run is writing the same output.
        UsageError: the output came to be meanwhile and may not be overwritten.
    """
    with part_folder(output) as folder:
        part = folder / output.name
        yield part
        publish([part], output.parent, overwrite=overwrite)


@contextmanager
def held(folder: Path, output: Path) -> Iterator[None]:
    """Make the folder in which an output is made, and let no other process work there.

    If nothing is left in it, it goes with the block. The lock is the operating system's, and ends
    with this process however it ends.

    Raises:
        ResourceError: the folder cannot be made.
        BusyError: another run is writing the same output.
        UsageError: its name is too long.
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{output}: is too long a name; name another with -o") from error
        with writing(folder if os.path.exists(folder) else output.parent):
            raise
    try:
        _lock(lock, folder, output)
        try:
            yield
        finally:
            with suppress(OSError):  # it is not empty, or gone
                folder.rmdir()
    finally:
        with suppress(OSError):  # a process that was forked meanwhile may have it, too
            fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def refuse_taken(output: Path, *, overwrite: bool) -> None:
    """Refuse a place for a single file before an hour of work goes into it.

    Raises:
        UsageError: there is no such folder, or a file that may not be overwritten.
    """
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent}: there is no such folder; make it first")
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: exists already; overwrite it with -y, or name another")


def publish(parts: Sequence[Path], folder: Path, *, overwrite: bool) -> None:
    """Give finished files their place in `folder`, safely on disk; all lie on one file system.

    A single one appears whole or not at all. Of several, none appears where one may not.

    Raises:
        UsageError: a file of such a name came to be meanwhile and may not be overwritten.
        ResourceError: the disk is full or fails.
    """
    places = [folder / part.name for part in parts]
    if not overwrite and (taken := next(filter(Path.exists, places), None)):
        raise UsageError(f"{taken}: came to be while it was painted, and is left as it is")
    with writing(folder):
        for part in parts:
            sync(part)
        if len(parts) > 1:
            (parts[0].parent / NAMING).touch()
        for part, place in zip(parts, places, strict=True):
            os.replace(part, place)
        sync(folder)


def is_half_published(output: Path) -> bool:
    """Whether an earlier try stopped while it gave several finished files their places."""
    folder = _part_of(output)  # without its journal, they all had them, and may be others' by now
    return (folder / NAMING).exists() and (folder / JOURNAL).exists()


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _part_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.part")


def _lock(descriptor: int, folder: Path, output: Path) -> None:
    busy = BusyError(f"{output}: another run is writing it; wait for it, or stop it")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise busy from error
    except OSError:
        return  # some network file systems have no locks
    try:
        ours = os.path.samestat(os.fstat(descriptor), os.stat(folder))
    except FileNotFoundError:
        ours = False
    if not ours:
        raise busy  # it was finished and removed between our two steps, and maybe made again
