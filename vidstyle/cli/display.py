"""How work looks: a bar on a terminal, now and then a line elsewhere. All of it on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from vidstyle.jobs.text import clean, clock, count, speed

LINE_EVERY = 5.0
"""Seconds between two plain lines."""


@dataclass(frozen=True)
class State:
    """How far a piece of work is."""

    heading: str
    """What is worked on; another heading is another piece of work."""
    done: int
    total: int | None
    thing: str = "frame"
    """What is counted, in the singular."""
    remark: str = ""

    @property
    def rate(self) -> str:
        """The unit of speed."""
        return "fps" if self.thing == "frame" else f"{self.thing}s/s"


class Display(Protocol):
    """Shows work as it goes on."""

    def show(self, state: State) -> None:
        """The work has come this far."""

    def say(self, line: Text) -> None:
        """Put a line where it stays."""


@contextmanager
def display(quiet: bool = False) -> Iterator[Display]:
    """The display that fits where standard error goes; a quiet one shows nothing."""
    console = Console(stderr=True, highlight=False, soft_wrap=True, quiet=quiet)
    if not console.is_terminal:
        yield Lines(console)
        return
    with Bar(console) as bar:
        yield bar


def note(text: str) -> Text:
    """A line that tells what the user should know."""
    return Text.assemble(("note: ", "yellow"), clean(text))


def failure(text: str) -> Text:
    """A line that tells what could not be done."""
    return Text.assemble(("vidstyle: ", "red"), clean(text))


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console, now: Callable[[], float] = monotonic) -> None:
        self._console = console
        self._now = now
        self._heading = ""
        self._since = self._last = 0.0
        self._first = 0

    def show(self, state: State) -> None:
        """Say something every few seconds."""
        now = self._now()
        if state.heading != self._heading or not self._first:  # loading does not count
            self._heading, self._first = state.heading, state.done
            self._since = self._last = now
        elif now - self._last >= LINE_EVERY:
            self._last = now
            self.say(Text(self._line(state, now - self._since)))

    def say(self, line: Text) -> None:
        """Print it."""
        self._console.print(line)

    def _line(self, state: State, seconds: float) -> str:
        rate = (state.done - self._first) / seconds
        of = "" if state.total is None else f" of {state.total:,}"
        parts = [f"{clean(state.heading)}: {state.done:,}{of} {state.thing}s"]
        if rate:
            parts.append(f"{speed(rate)} {state.rate}")
        if rate and state.total is not None:
            parts.append(f"{clock(max(0, state.total - state.done) / rate)} left")
        return ", ".join([*parts, *filter(None, [clean(state.remark)])])


class Bar:
    """One bar for the work at hand; what is said scrolls up above it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            _Column(lambda task: Text(task.description), shrinks=True),
            BarColumn(20, complete_style="cyan", finished_style="cyan", pulse_style="cyan"),
            _Column(_done),
            _Column(_speed),
            _Column(_left),
            _Column(lambda task: Text(str(task.fields["remark"]), style="dim"), shrinks=True),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._heading = ""

    def __enter__(self) -> Bar:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it down; what was said stays."""
        self._progress.stop()

    def show(self, state: State) -> None:
        """Move the bar; another heading gets a new one."""
        if self._task is None or state.heading != self._heading:
            self._put_up(state)
        assert self._task is not None
        if state.done:
            self._progress.update(
                self._task, completed=state.done, total=state.total, remark=clean(state.remark)
            )

    def say(self, line: Text) -> None:
        """Print it above the bar."""
        self._progress.console.print(line)

    def _put_up(self, state: State) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._heading = state.heading
        self._task = self._progress.add_task(clean(state.heading), total=None, remark="", of=state)


class _Column(ProgressColumn):
    max_refresh = 0.25

    def __init__(self, text: Callable[[Task], Text], *, shrinks: bool = False) -> None:
        """In a narrow terminal words are cut short, so that numbers stay whole."""
        super().__init__(table_column=Column(no_wrap=not shrinks))
        self._text = text

    def render(self, task: Task) -> Text:
        text = self._text(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


def _done(task: Task) -> Text:
    if not task.completed:
        return Text("loading", style="dim")
    if task.total is None:
        return Text(count(int(task.completed), task.fields["of"].thing))
    return Text(f"{task.completed:,.0f}/{task.total:,.0f}")


def _speed(task: Task) -> Text:
    return Text(f"{speed(task.speed)} {task.fields['of'].rate}" if task.speed else "")


def _left(task: Task) -> Text:
    return Text("" if task.time_remaining is None else f"{clock(task.time_remaining)} left")
