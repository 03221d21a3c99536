"""Writing files: refusals of the operating system in words, and no half file under its name."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vidstyle.errors import ResourceError

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing `path` into `ResourceError`."""
    try:
        yield
    except OSError as error:
        raise ResourceError(_why_unwritable(path, error)) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Lend a place beside `path` to write to; it becomes `path` when the block has ended well.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    part = path.with_name(path.name + ".part")
    with writing(path):
        try:
            yield part
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _why_unwritable(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"{path}: cannot be finished: the disk is full; free some space or write elsewhere"
    if error.errno == errno.ENOENT:
        return f"{path}: cannot be written: its folder does not exist"
    reason = (error.strerror or str(error)).lower()
    return f"{path}: cannot be written ({reason}); choose a place you may write to"
