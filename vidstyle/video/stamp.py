"""The tags of the output: the input's own, and the stamp that says how it was painted."""

from __future__ import annotations

import hashlib
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.types import LEAST_RATE, MOST_BRUSH, MOST_RATE
from vidstyle.video.images import image_stamp_text, is_image
from vidstyle.video.opening import files_of, open_input

_NAME = "vidstyle"
_SAMPLE, _SAMPLES = 1 << 20, 64
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30}|/[0-9]{1,30})?")
# MP4's common list of tags (ilst) has a fixed set of keys, which every player shows. Its "encoding
# tool" is the one that no input can lay claim to: it names what wrote the file.
_MP4_TOOL = "encoding_tool"
# fmt: off
_MP4_KEYS = {
    "album", "album_artist", "artist", "comment", "compilation", "composer", "copyright",
    "creation_time", "date", "description", "disc", "episode_id", "episode_sort",
    "gapless_playback", "genre", "grouping", "hd_video", "keywords", "location", "location-eng",
    "lyrics", "media_type", "network", "season_number", "show", "synopsis", "title", "track",
}
# fmt: on
# These MP4 keeps outside both lists.
_HEADER_KEYS = {"creation_time", "location", "location-eng"}
# What a muxer writes of itself, and what an earlier painting said.
_OF_THE_FILE = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", _NAME}
)
# What was true of the unpainted track only: rotation is in the pixels now, sizes have changed.
_OF_THE_TRACK = ("encoder", "rotate", "duration", "bps", "number_of_", "_statistics_")


def output_tags(
    tags: dict[str, str], stamp: dict[str, Any], container: str, *, has_cover: bool = False
) -> tuple[dict[str, str], bool, tuple[str, ...]]:
    """The tags for the output file, whether they need free keys, and the keys that get lost.

    MP4 has two places for tags, of which a file uses one: a list with fixed keys that players show,
    and the only one with room for a cover picture; and a list with free keys (mdta) that few read.
    The second is taken where the input has tags for it alone and nothing that would vanish from
    sight. QuickTime's own tags are of the second kind, and Matroska's keys are free anyway.
    """
    kept = {key: value for key, value in tags.items() if key.lower() not in _OF_THE_FILE}
    text = stamp_tag(stamp)
    odd = tuple(key for key in kept if key.lower() not in _MP4_KEYS)
    shown = has_cover or any(key.lower() in _MP4_KEYS - _HEADER_KEYS for key in kept)
    if container != "mp4" or (odd and not shown):
        return kept | {_NAME: text}, True, ()
    return kept | {_MP4_TOOL: text}, False, odd


def stamp_tag(stamp: dict[str, Any]) -> str:
    """The stamp as the text of a tag."""
    return json.dumps({_NAME: stamp})


def painted_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags of the painted track: language and name, not the old picture's statistics."""
    return {key: tags[key] for key in tags if not key.lower().startswith(_OF_THE_TRACK)}


def fingerprint(path: Path) -> str:
    """Tell files apart: a checksum of the content, of a sequence that of all its pictures.

    Of files over 64 MiB as much is looked at, in pieces from the first mebibyte to the last.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    for name in files_of(path):
        size = name.stat().st_size
        digest.update(f"{size} bytes: ".encode())
        stride = max(_SAMPLE, math.ceil((size - _SAMPLE) / (_SAMPLES - 1)))
        with name.open("rb") as file:
            for place in range(0, size, stride):
                file.seek(min(place, max(0, size - _SAMPLE)))
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def read_stamp(path: Path) -> dict[str, Any] | None:
    """How a file was painted: the stamp given to `mux` or `write_image`; None without one.

    Raises:
        InputError: the file is neither a readable video nor a picture.
    """
    first = next(iter(files_of(path)), path)  # of numbered pictures, all of which bear one
    if is_image(first):
        return _parse(image_stamp_text(first))
    with open_input(path) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    # The last is a GIF's.
    return next(
        filter(None, (_parse(tags.get(key)) for key in (_NAME, "encoder", "comment"))), None
    )


def begun_at(stamp: dict[str, Any] | None) -> Fraction:
    """Seconds of the source at which a painting should begin: where its run began.

    Raises:
        ValueError, ZeroDivisionError: that is no time; `read_stamp` gives no such stamp.
    """
    return _number(str(stamp.get("start", 0))) if stamp else Fraction(0)


def painted_rate(stamp: dict[str, Any]) -> Fraction | None:
    """Frames a second of the numbered pictures that were painted, if they were told.

    Raises:
        ValueError, ZeroDivisionError: that is no rate; `read_stamp` gives no such stamp.
    """
    return _number(str(stamp["rate"])) if "rate" in stamp else None


def _number(text: str) -> Fraction:
    if not _NUMBER.fullmatch(text):  # an exponent could take hours to work out
        raise ValueError(f"{text!r} is no number")
    return Fraction(text)


def _parse(text: str | None) -> dict[str, Any] | None:
    """The stamp that a tag holds; None when it holds something else, as any tag may."""
    try:
        stamp = json.loads(text or "")[_NAME]
        begun_at(stamp)
        is_stamp = 0 <= float(stamp.get("strength", 1)) <= 1
        is_stamp &= 1 <= float(stamp.get("brush", 1)) <= MOST_BRUSH
        rate, bars = painted_rate(stamp), stamp.get("bars", [])
        is_stamp &= rate is None or LEAST_RATE <= rate <= MOST_RATE
        is_stamp &= len(bars) <= 4 and all(isinstance(n, int) and n >= 0 for n in bars)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        return None
    return stamp if is_stamp else None
