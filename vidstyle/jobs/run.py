"""The run: every input of a config painted in one style that is loaded once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from vidstyle.errors import InputError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.clip import Job
from vidstyle.jobs.painting.identity import request
from vidstyle.jobs.painting.plan import Task, make_plan
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
    name when it is whole, and never before. With several inputs, one that cannot be read or written
    becomes a failure in the report and the others are painted; a single one raises. Several runs
    may share a folder: what another has finished or is at meanwhile is left to it.

    Args:
        config: what to paint, and how.
        style: what `load_style` gave for this config, when several runs are to share it.
        on_progress: called in this thread as frames are written, and as each input is done.
        on_note: called once with each sentence that the user should know.

    Raises:
        UsageError: the call cannot work: an output exists, equals an input, or is asked for twice;
            or another run is writing the only one.
        InputError: the only input cannot be read, or changed while it was painted.
        StyleError: there is no such style, or its file is broken.
        ResourceError: the disk is full, a folder not writable, a device not there.
    """
    since = perf_counter()
    say = _Notes(on_note)
    style = style or _load(config)
    is_done = functools.partial(_is_done, config=config, style=style)
    plan = make_plan(config, style.card.name, is_done)
    for note in (*style.notes, *plan.notes):
        say(note)
    files: list[FileReport] = []
    failures, kept = list(plan.failures), list(plan.done)
    for number, task in enumerate(plan.tasks, 1):
        if not config.overwrite and is_done(task):
            say(f"{task.output}: was painted by another run meanwhile")
            kept.append(task.output)
            continue
        place = Progress(task.input, task.output, number, len(plan.tasks))
        try:
            files.append(Job(task, config, style, place, on_progress, say).paint())
        except (InputError, UsageError) as error:
            if len(plan.tasks) + len(plan.failures) == 1:
                raise
            failures.append(FileFailure.of(task.input, error))
    partial = _partial(kept)
    for output in partial:
        say(f"{output}: was painted as far as its input could be read")
    return RunReport(
        files=tuple(files),
        failures=tuple(failures),
        notes=tuple(say.said),
        seconds=perf_counter() - since,
        kept=tuple(kept),
        kept_partial=bool(partial),
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


def _partial(outputs: list[Path]) -> list[Path]:
    """Those that lack what could not be read of their inputs."""
    return [output for output in outputs if (read_stamp(output) or {}).get("partial")]


def _is_done(task: Task, config: RunConfig, style: Style) -> bool:
    """Whether the output is there already, painted from this input as it is asked for now."""
    if task.numbered or not task.output.is_file():
        return False
    try:
        stamp = read_stamp(task.output)
        wanted = request(fingerprint(task.input), config, style)
    except (InputError, OSError):
        return False
    return stamp is not None and stamp.get("request") == wanted


class _Notes:
    """Says each note once, and remembers it."""

    def __init__(self, on_note: Callable[[str], None]) -> None:
        self.said: list[str] = []
        self._on_note = on_note

    def __call__(self, note: str) -> None:
        if note not in self.said:
            self.said.append(note)
            self._on_note(note)
