"""What of a folder is taken for a clip or a picture."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from vidstyle.errors import InputError
from vidstyle.video.images import is_image

CLIP_SUFFIXES = (
    *(".3gp", ".apng", ".asf", ".avi", ".dv", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v"),
    *(".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogv", ".ts", ".vob"),
    *(".webm", ".wmv"),
)
"""What is taken for a clip in a folder; a file that is named itself may be called anything."""

_PNG = b"\x89PNG\r\n\x1a\n"


def media_in(folder: Path) -> list[Path]:
    """The clips and pictures of a folder, sorted, as far as their names and first bytes tell.

    Raises:
        InputError: it cannot be listed, or holds none.
    """
    media = [path for path in files_in(folder) if _looks_like_media(path)]
    if not media:
        raise InputError(f"{folder}: there is no clip or picture in this folder")
    return media


def files_in(folder: Path) -> list[Path]:
    """Its plain files, sorted, but for hidden ones.

    Raises:
        InputError: it cannot be listed.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror})") from error
    return [path for path in files if not path.name.startswith(".")]


def _looks_like_media(path: Path) -> bool:
    return path.suffix.lower() in CLIP_SUFFIXES or is_image(path) or _is_png(path)


def _is_png(path: Path) -> bool:
    """Moving ones are clips, and no pictures."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_PNG)) == _PNG
    return False
