"""What a training learns from, in a few letters: a resumed one must learn from the same.

The places may differ, for folders are moved.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from vidstyle.errors import InputError


def of_pictures(folder: Path, pictures: Sequence[Path]) -> str:
    """By their names in the folder, and their sizes.

    Raises:
        InputError: one has gone.
    """
    try:
        return _digest(
            os.fsencode(f"{path.relative_to(folder)} {path.stat().st_size}\n") for path in pictures
        )
    except OSError as error:
        raise InputError(f"{folder}: {error.filename} went away; begin again") from error


def of_contents(files: Sequence[Path]) -> str:
    """By all that the files hold, in their order."""
    return _digest(path.read_bytes() for path in files)


def of_archives(files: Sequence[Path]) -> str:
    """By the checksums that ZIP archives, such as NumPy's, keep of what they hold.

    Raises:
        InputError: one cannot be read.
    """
    return _digest(_checksums(path) for path in files)


def _checksums(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return b"".join(entry.CRC.to_bytes(4) for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error}); remove its folder") from error


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
