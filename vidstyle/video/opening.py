"""Opening files so that nothing but the named file is read, and every failure becomes one line."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from vidstyle.errors import InputError, UsageError
from vidstyle.types import USUAL_RATE, Limits

# Playlists and everything that opens further files or sockets stay closed: a disguised .m3u8 would
# otherwise read any file of this machine. Pictures have a path of their own (`images`).
_FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,live_flv,gif,apng,ogg,asf,h264,hevc,vvc,"
    "obu,av1,ivf,nut,mxf,dv,rm,vc1,wtv,nsv,nuv,yuv4mpegpipe"
)
_READ_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_HEAD = 1 << 20
_WEBP_MOVES = 2  # a bit of the flags in a VP8X chunk, as the container's specification has it
_NUMBER = re.compile(r"%(?:0[0-9]{1,2})?d")
MUXERS = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "gif": "gif"}
"""The containers that can be written, with FFmpeg's names for them."""
ENCRYPTED = "is encrypted; only unprotected files can be read"
UNDECODABLE = "holds no picture that can be decoded; it is damaged, so try a fresh copy"


def open_input(path: Path, rate: Fraction | None = None) -> InputContainer:
    """Open a video file for reading, or a sequence of pictures.

    Args:
        path: a file, or a name with %d or %04d for the number, which counts up by one.
        rate: frames a second of a sequence, 25 without; a file has its own.

    Raises:
        InputError: it is missing, empty, a folder, unreadable, or no video.
    """
    if is_sequence(path):
        return _open_sequence(path, rate or USUAL_RATE)
    _check_file(path)
    try:
        # "file:" because FFmpeg takes a name such as "10:30.mp4" for a protocol. Tags need not be
        # UTF-8; surrogateescape carries any bytes through to the output.
        return av.open(
            f"file:{path}", "r", options=_READ_OPTIONS, metadata_errors="surrogateescape"
        )
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path}: {_why_unreadable(path)}") from error


def is_numbered(name: str) -> bool:
    """Whether a name has one %d or %04d for a number, and no other % that it might clash with."""
    rest = _NUMBER.sub("", name, count=1)
    return rest != name and "%" not in rest


def unnumbered(name: str) -> str:
    """What is left of a numbered name without its number."""
    return _NUMBER.sub("", name)


def is_sequence(path: Path) -> bool:
    """Whether a path stands for numbered pictures: its name is numbered, and no such file is."""
    return is_numbered(path.name) and not path.is_file()


def files_of(path: Path) -> list[Path]:
    """The file itself, or the pictures that a sequence stands for."""
    return list(sequence_files(path).values()) if is_sequence(path) else [path]


def sequence_files(path: Path) -> dict[int, Path]:
    """The pictures that a sequence's name stands for, by number, in order."""
    name = "([0-9]+)".join(map(re.escape, _NUMBER.split(path.name, maxsplit=1)))
    found = {
        int(match[1]): file
        for file in (path.parent.iterdir() if path.parent.is_dir() else ())
        if (match := re.fullmatch(name, file.name)) and path.name % int(match[1]) == file.name
    }
    return dict(sorted(found.items()))


def _open_sequence(path: Path, rate: Fraction) -> InputContainer:
    numbers = list(sequence_files(path))
    if not numbers:
        raise InputError(f"{path}: there is no picture of such a name")
    if len(numbers) <= numbers[-1] - numbers[0]:
        lost = next(n for n in range(numbers[0], numbers[-1]) if n not in numbers)
        raise InputError(f"{path}: picture {lost} is missing; number them without gaps")
    options = {
        "format_whitelist": "image2",
        "protocol_whitelist": "file",
        "pattern_type": "sequence",
        "start_number": str(numbers[0]),
        "framerate": f"{rate.numerator}/{rate.denominator}",
    }
    try:
        # All of it is a pattern for FFmpeg, the folder's name too.
        folder = str(path.parent).replace("%", "%%")
        pattern = f"file:{os.path.join(folder, path.name)}"
        return av.open(pattern, "r", format="image2", options=options)
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path}: its first picture cannot be read") from error


def open_output(path: Path, format_name: str, options: dict[str, str]) -> OutputContainer:
    """Create `path` as a container of FFmpeg's `format_name`; call it inside `writing(path)`."""
    return av.open(
        f"file:{path}",
        "w",
        format=format_name,
        container_options=options,
        metadata_errors="surrogateescape",
    )


def check_limit(path: Path, limits: Limits, name: str, found: int, what: str) -> None:
    """Refuse a file that asks for more than is safe of what the limit `name` is for.

    Args:
        path: the file.
        limits: what is safe.
        name: of the limit.
        found: how much the file asks for.
        what: the words for it, with {} for the number.

    Raises:
        InputError: it asks for more.
    """
    if found > (most := getattr(limits, name)):
        raise InputError(
            f"{path}: {what.format(format(found, ','))}, more than the {most:,} that are safe; "
            f"run, eval and compare trust it with --limit {name}={found}"
        )


def check_rate(rate: Fraction | None, paths: Iterable[Path]) -> None:
    """Refuse frames a second where no path names numbered pictures.

    Raises:
        UsageError: they are for nothing.
    """
    if rate is not None and not any(map(is_sequence, paths)):
        raise UsageError("--rate: is for numbered pictures; a clip keeps its own frame rate")


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(_why_missing(path, error)) from error
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the video file inside it")
    if not path.is_file():
        raise InputError(f"{path}: is not a regular file")
    if not status.st_size:
        raise InputError(f"{path}: is empty (0 bytes)")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read by you; check its permissions")


def _why_missing(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"{path}: may not be read by you; check its permissions"
    return f"{path}: does not exist; check the name"


def _why_unreadable(path: Path) -> str:
    """What a file is that FFmpeg will not open, judged by its first bytes."""
    from vidstyle.video.images import is_image

    with path.open("rb") as file:
        head = file.read(_HEAD)
    if is_image(path):
        is_named_so = (mimetypes.guess_type(path.name)[0] or "").startswith("image/")
        advice = "" if is_named_so else "; give it a picture's suffix, such as .jpg"
        return f"is a picture, not a video{advice}"
    if head.lstrip().startswith((b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD")):
        return "is a playlist; name the video file it points to"
    if b"ftyp" in head[:12] or b"moof" in head or b"moov" in head[:64]:
        return _why_no_mp4(path, head)
    if head[8:16] == b"WEBPVP8X" and head[20:21] and head[20] & _WEBP_MOVES:
        return "is a moving WebP, which cannot be read here; convert it to a video first"
    if _is_text(head):
        return "is a text file, not a video"
    return "is not a video, or it is damaged at the start"


def _why_no_mp4(path: Path, head: bytes) -> str:
    boxes = set(top_boxes(path))
    if b"encv" in head or b"pssh" in head:
        return ENCRYPTED
    if b"moov" not in boxes and b"moof" in boxes:
        return "is a fragment of a stream without its header; join it with its init segment"
    if b"moov" not in boxes:
        return "is incomplete: its index (moov) is missing, so the recording was cut off"
    return "is damaged: its index cannot be read"


def top_boxes(path: Path) -> Iterator[bytes]:
    """The types of an MP4 file's outermost boxes (ISO/IEC 14496-12, section 4.2), in order."""
    size_left = path.stat().st_size
    with path.open("rb") as file:
        while len(header := file.read(16)) >= 8:
            size, kind = int.from_bytes(header[:4]), header[4:8]
            if size == 1:
                size = int.from_bytes(header[8:16])
            yield kind
            size_left -= size
            if size < 8 or size_left < 8:
                return
            file.seek(size - len(header), os.SEEK_CUR)


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A character cut by the end of the sample is no evidence against text.
        return error.start > len(head) - 4 and b"\0" not in head
    return b"\0" not in head
