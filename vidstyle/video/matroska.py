"""Whether a Matroska file is whole: FFmpeg steps over what is damaged, and does not say so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# IDs of RFC 9559: what holds others is entered, all else is skipped.
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_IN_FILE = {0x1A45DFA3, 0xEC, 0xBF}
_IN_SEGMENT = {
    *(0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367)
}
_IN_CLUSTER = {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xAF, 0x5854}
_SKIPPED: Final = _IN_FILE | _IN_SEGMENT | _IN_CLUSTER
_LONGEST_HEADER = 12


def is_intact(path: Path) -> bool:
    """Whether each element of a file begins where the one before it ends, up to the file's end.

    Only headers are read; damage inside a picture or a sound is not seen.
    """
    place, size = 0, path.stat().st_size
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            head = file.read(_LONGEST_HEADER)
            name, after_name = _number(head, 0, keep_mark=True)
            length, after = _number(head, after_name, keep_mark=False)
            if name not in (_SEGMENT, _CLUSTER):
                if name not in _SKIPPED:
                    return False
                place += length
            place += after
    return place == size


def _number(head: bytes, start: int, *, keep_mark: bool) -> tuple[int, int]:
    """A number whose first byte's leading zeros tell its length (RFC 8794), and where it ends."""
    first = head[start] if start < len(head) else 0
    length = 9 - first.bit_length()
    value = int.from_bytes(head[start : start + length])
    return (value if keep_mark else value & ~(1 << 7 * length)), start + length
