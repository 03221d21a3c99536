"""What a run says while it works and when it is done. Plain data, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidstyle.errors import FINISHED_PARTIAL, BusyError, VidstyleError
from vidstyle.jobs.painting.stopwatch import busiest
from vidstyle.jobs.text import plain


@dataclass(frozen=True)
class FileReport:
    """One painted clip or picture."""

    input: Path
    output: Path
    style: str
    tier: str
    engine: str
    width: int
    height: int
    frames: int
    resumed: int
    """Of these frames, how many an earlier try had painted."""
    declared: int | None
    """Frames the input declares for the painted part; None when it does not tell."""
    partial: bool
    """Less was painted than the input declares: it is cut short or broken."""
    seconds: float
    """Wall time from the first frame read to the finished file, without loading the style."""
    stages: Mapping[str, float]
    """Seconds each stage was busy; they work at the same time, so they add up to more."""
    tracks: tuple[str, ...] = ()
    """Tracks carried over beside the painted one."""
    notes: tuple[str, ...] = ()
    """What a user should know of this file: re-encoded or left out tracks, missing frames."""

    @property
    def fps(self) -> float:
        """Frames painted in a second, end to end, those of earlier tries left out."""
        return (self.frames - self.resumed) / self.seconds if self.seconds else 0.0

    @property
    def limiting(self) -> str | None:
        """The stage that was busy longest."""
        return busiest(self.stages)


@dataclass(frozen=True)
class Progress:
    """How far one input of a run has come."""

    input: Path
    output: Path
    number: int
    """Place of this input among all of the run, from 1."""
    of: int
    frames: int = 0
    """Frames that are written; 0 while the style is loaded."""
    expected: int | None = None
    """Frames there will be; None when the file does not tell."""
    limiting: str | None = None
    """The stage that has been busy longest so far."""
    report: FileReport | None = None
    """Set when this input is done."""


@dataclass(frozen=True)
class FileFailure:
    """One input that could not be painted; the other inputs of its run were."""

    input: Path | None
    """None where the run ended as a whole."""
    error: str
    """The message, in one line."""
    exit_code: int

    @classmethod
    def of(cls, path: Path | None, error: VidstyleError) -> FileFailure:
        """The failure that `error` was for `path`, or for the run."""
        return cls(path, str(error), error.exit_code)


@dataclass(frozen=True)
class RunReport:
    """All inputs of a run, in order."""

    files: tuple[FileReport, ...]
    failures: tuple[FileFailure, ...] = ()
    notes: tuple[str, ...] = ()
    """All that was said to the user, once each; notes on one file begin with its path."""
    seconds: float = 0.0
    """Wall time of the whole run, loading included."""
    kept: tuple[Path, ...] = ()
    """Outputs that were there already, painted as is asked for now."""
    kept_partial: bool = False
    """Whether one of those lacks what could not be read of its input."""
    left: tuple[Path, ...] = ()
    """Outputs that other runs were writing."""

    @property
    def exit_code(self) -> int:
        """0, or what ails the run: a failed input weighs more than a partial one.

        What is left to other runs is theirs, unless there was nothing else.
        """
        if self.failures:
            return self.failures[0].exit_code
        if self.left and not (self.files or self.kept):
            return BusyError.exit_code
        partial = self.kept_partial or any(file.partial for file in self.files)
        return FINISHED_PARTIAL if partial else 0

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values; paths become text."""
        report = asdict(self) | {"exit_code": self.exit_code}
        for entry, file in zip(report["files"], self.files, strict=True):
            entry |= {"fps": file.fps, "limiting": file.limiting}
        converted: dict[str, Any] = plain(report, lambda number: round(number, 3))
        return converted
