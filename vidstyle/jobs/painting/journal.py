"""What is finished of a painting that is not whole yet, so that the same command can go on.

In the part folder lie, for each finished segment, its frames (`00007.nut`), for the last one also
the blend's memory at its end (`00007.memory`), and the journal that lists them. A segment counts
once the journal says so, and the journal is only ever replaced by a newer one that is on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidstyle.errors import UsageError
from vidstyle.files import writing
from vidstyle.jobs.publish import JOURNAL, NAMING, sync
from vidstyle.video.write import EncodeSummary

_SHORT = 40
_SAID = {"None": "not given", "False": "off", "True": "on"}
_AGAIN = "add --restart to begin anew"


class Journal:
    """The finished segments of one output. Only the thread that owns the run may write it."""

    def __init__(
        self, folder: Path, output: Path, identity: Mapping[str, str], length: int
    ) -> None:
        """Take up what an earlier try left in `folder`, or begin.

        Args:
            folder: of this run alone.
            output: what is painted, for messages.
            identity: all that the painting depends on, by names that a user knows.
            length: frames of a segment.

        Raises:
            UsageError: the earlier try was of something else, or its files are damaged.
        """
        self.folder, self.length = folder, length
        self._output, self._identity = output, dict(identity)
        self.segments: list[EncodeSummary] = []
        self._sums: list[str] = []
        if (folder / JOURNAL).exists():
            self._take_up()
        self.tidy()

    @property
    def frames(self) -> int:
        """Frames in finished segments."""
        return sum(segment.frames for segment in self.segments)

    @property
    def lasts(self) -> bool:
        """Whether the next try will find it."""
        return (self.folder / JOURNAL).exists()

    @property
    def is_complete(self) -> bool:
        """Whether it is known that no frame is left to be painted: only a last segment is short."""
        return bool(self.segments) and self.segments[-1].frames < self.length

    @property
    def paths(self) -> list[Path]:
        """The finished segments."""
        return [self.segment_path(number) for number in range(len(self.segments))]

    def segment_path(self, number: int) -> Path:
        """Where segment `number` is written, from 0."""
        return self.folder / f"{number:05}.nut"

    def memory_path(self, number: int) -> Path:
        """Where the blend's memory at the end of segment `number` is written."""
        return self.folder / f"{number:05}.memory"

    def add(self, segment: EncodeSummary) -> None:
        """Count a segment that is written, and the memory at its end: it survives from here on.

        Raises:
            ResourceError: the disk is full or fails.
        """
        number = len(self.segments)
        path, memory = self.segment_path(number), self.memory_path(number)
        with writing(path):
            for written in (path, memory):
                if written.exists():
                    sync(written)
            self._write([*self.segments, segment], [*self._sums, _sum_of(path)])
        self.memory_path(number - 1).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what does not count: half a segment, half an output, an older memory.

        What counts is what the disk says: Ctrl-C may have come between writing the journal and
        knowing of it.
        """
        journal = self.folder / JOURNAL
        count = len(_parse(journal.read_bytes())["segments"]) if journal.exists() else 0
        paths = [self.segment_path(number) for number in range(count)]
        kept = {journal, self.folder / NAMING, self.memory_path(count - 1), *paths}
        for path in self.folder.iterdir():
            if path not in kept:
                path.unlink()

    def discard(self) -> None:
        """Forget it all: the painting is whole."""
        (self.folder / JOURNAL).unlink(missing_ok=True)

    def damaged(self, what: str) -> UsageError:
        """The error that says so."""
        return UsageError(f"{self._output}: cannot go on where it stopped, {what}; {_AGAIN}")

    def _write(self, segments: list[EncodeSummary], sums: list[str]) -> None:
        entries = [asdict(s) | {"sha256": own} for s, own in zip(segments, sums, strict=True)]
        body = json.dumps({"identity": self._identity, "segments": entries}, indent=1)
        new = self.folder / f"{JOURNAL}.new"
        new.write_text(f"{_sum(body)}\n{body}", encoding="utf-8")
        sync(new)
        os.replace(new, self.folder / JOURNAL)
        self.segments, self._sums = segments, sums
        sync(self.folder)

    def _take_up(self) -> None:
        try:
            found = _parse((self.folder / JOURNAL).read_bytes())
            identity = dict(found["identity"])
            self._sums = [entry.pop("sha256") for entry in found["segments"]]
            entries = [entry | {"notes": tuple(entry["notes"])} for entry in found["segments"]]
            segments = [EncodeSummary(**entry) for entry in entries]
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise self.damaged("its journal is damaged") from error
        if changed := "; ".join(_changes(identity, self._identity)):
            raise UsageError(
                f"{self._output}: was begun with other settings: {changed}; repeat that command to "
                f"go on, or {_AGAIN}"
            )
        self.segments = segments
        for path, own in zip(self.paths, self._sums, strict=True):
            if not path.is_file() or _sum_of(path) != own:
                raise self.damaged(f"{path.name} of its finished segments is missing or damaged")


def remembered(folder: Path, name: str) -> str | None:
    """What an earlier try's painting in `folder` depends on by that name; None if none is known."""
    try:
        value = _parse((folder / JOURNAL).read_bytes())["identity"].get(name)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # `Journal` says what is wrong with it
    return value if isinstance(value, str) else None


def _parse(content: bytes) -> dict[str, Any]:
    checksum, _, body = content.decode("utf-8").partition("\n")
    if checksum != _sum(body):
        raise ValueError("the checksum does not fit")
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise TypeError("not what a journal holds")
    return parsed


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode("utf-8")).hexdigest()


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs, in words; hashes and the like are only named."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [_change(name, before.get(name, "not there"), now.get(name, "gone")) for name in names]


def _change(name: str, before: str, now: str) -> str:
    if max(len(before), len(now)) > _SHORT:
        return f"{name} has changed"
    was, is_now = (_SAID.get(value, value) for value in (before, now))
    return f"{name} was {was} and is now {is_now}"
