"""The run: every input of a config painted in one style that is loaded once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from vidstyle.errors import BusyError, InputError, ShortageError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.clip import ClipJob
from vidstyle.jobs.painting.identity import request
from vidstyle.jobs.painting.job import Job
from vidstyle.jobs.painting.picture import PictureJob
from vidstyle.jobs.painting.plan import Plan, Task, make_plan
from vidstyle.jobs.painting.report import FileFailure, FileReport, Progress, RunReport
from vidstyle.jobs.style import Style, load_style
from vidstyle.video.stamp import fingerprint, read_stamp


def run(
    config: RunConfig,
    *,
    style: Style | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> RunReport:
    """Paint every input of `config`.

    Inputs, outputs and style are checked before anything is painted. Each output appears under its
    name when it is whole, and never before. With several inputs, one that cannot be painted becomes
    a failure in the report and the others are painted; a single one raises. Several runs may share
    a folder: what another has finished or is at meanwhile is left to it.

    Args:
        config: what to paint, and how.
        style: what `load_style` gave for this config, when several runs are to share it.
        on_progress: called in this thread as frames are written, and as each input is done.
        on_note: called once with each sentence that the user should know.

    Raises:
        UsageError: the call cannot work: an output exists, equals an input, or is asked for twice;
            or another run is writing the only one (BusyError).
        InputError: the only input cannot be read, or changed while it was painted.
        StyleError: there is no such style, or its file is broken.
        ResourceError: the disk is full, a folder not writable, a device not there.
    """
    since = perf_counter()
    say = _Notes(on_note)
    style = style or _load(config)
    _refuse_mismatch(config, style)
    is_done = functools.partial(_is_done, config=config, style=style)
    plan = make_plan(config, style.card.name, is_done)
    for note in (*style.notes, *plan.notes):
        say(note)
    outcome = _Outcome(plan, say)
    for number, task in enumerate(plan.tasks, 1):
        place = Progress(task.input, task.output, number, len(plan.tasks))
        if not config.overwrite and is_done(task):
            outcome.keep(task)
        else:
            job = PictureJob if task.info is None else ClipJob
            outcome.paint(job(task, config, style, place, on_progress, say), is_done)
    return outcome.report(perf_counter() - since)


class _Outcome:
    """What has become of the inputs of a plan so far."""

    def __init__(self, plan: Plan, say: _Notes) -> None:
        self._say = say
        self._alone = len(plan.tasks) + len(plan.failures) + len(plan.done) == 1
        self._failures, self._kept = list(plan.failures), list(plan.done)
        self._files: list[FileReport] = []
        self._left: list[Path] = []

    def keep(self, task: Task) -> None:
        """Leave as it is what another run has finished since the plan was made."""
        self._say(f"{task.output}: was painted by another run meanwhile")
        self._kept.append(task.output)

    def paint(self, job: Job, is_done: Callable[[Task], bool]) -> None:
        """Paint an input; what ails one among several is no reason to leave the others."""
        try:
            self._files.append(job.paint())
        except (InputError, UsageError, ShortageError) as error:
            if isinstance(error, UsageError) and not job.task.overwrite and is_done(job.task):
                self.keep(job.task)
            elif self._alone:
                raise
            elif isinstance(error, BusyError):
                self._say(f"{job.task.output}: is left to another run, which is writing it")
                self._left.append(job.task.output)
            else:
                self._failures.append(FileFailure.of(job.task.input, error))

    def report(self, seconds: float) -> RunReport:
        """All of it."""
        partial = [path for path in self._kept if (_stamp(path) or {}).get("partial")]
        for path in partial:
            self._say(f"{path}: was painted as far as its input could be read")
        return RunReport(
            files=tuple(self._files),
            failures=tuple(self._failures),
            notes=tuple(self._say.said),
            seconds=seconds,
            kept=tuple(self._kept),
            kept_partial=bool(partial),
            left=tuple(self._left),
        )


def _load(config: RunConfig) -> Style:
    return load_style(
        config.style,
        tier=config.tier,
        reverse=config.reverse,
        brush=config.brush,
        device=config.device,
        engine=config.engine,
    )


def _refuse_mismatch(config: RunConfig, style: Style) -> None:
    """A painting's stamp tells the config's brush and direction, so they have to be the style's."""
    if style.brush != config.brush:
        raise UsageError(f"the style's brush is {style.brush:g}, the run asks for {config.brush:g}")
    if style.reverse != config.reverse:
        ways = {False: "forward", True: "in reverse"}
        raise UsageError(
            f"the style paints {ways[style.reverse]}, the run asks for it {ways[config.reverse]}"
        )


def _is_done(task: Task, config: RunConfig, style: Style) -> bool:
    """Whether the output is there already, painted from this input as it is asked for now."""
    if task.numbered or not (stamp := _stamp(task.output)):
        return False
    try:
        wanted = request(fingerprint(task.input), config, style)
    except OSError:
        return False
    return stamp.get("request") == wanted


def _stamp(output: Path) -> dict[str, Any] | None:
    """What a painting says of itself; None where there is none, or none any more."""
    try:
        return read_stamp(output)
    except (InputError, OSError):
        return None


class _Notes:
    """Says each note once, and remembers it."""

    def __init__(self, on_note: Callable[[str], None]) -> None:
        self.said: list[str] = []
        self._on_note = on_note

    def __call__(self, note: str) -> None:
        if note not in self.said:
            self.said.append(note)
            self._on_note(note)
