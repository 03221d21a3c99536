"""The bar and the lines, on consoles that write to memory."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from vidstyle.cli.display import Bar, Lines, State, failure, note


def console(*, terminal: bool) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=110,
        highlight=False,
        soft_wrap=True,
        color_system=None,
        _environ={},
    )


def written(target: Console) -> str:
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines_come_every_few_seconds_and_tell_speed_and_time_left() -> None:
    target, clock = console(terminal=False), Clock()
    lines = Lines(target, clock)
    lines.show(State("a.mp4", 0, 100))
    clock.now += 30  # the style is loaded
    for frame in range(1, 51):
        lines.show(State("a.mp4", frame, 100, remark="slowest: painting"))
        clock.now += 0.25
    assert written(target).splitlines() == [
        "a.mp4: 21 of 100 frames, 4.0 fps, 0:20 left, slowest: painting",
        "a.mp4: 41 of 100 frames, 4.0 fps, 0:15 left, slowest: painting",
    ]


def test_lines_of_an_unknown_length_promise_no_time() -> None:
    target, clock = console(terminal=False), Clock()
    lines = Lines(target, clock)
    lines.show(State("a.mkv", 1, None))
    clock.now += 10
    lines.show(State("a.mkv", 81, None))
    assert written(target).splitlines() == ["a.mkv: 81 frames, 8.0 fps"]


def test_lines_of_a_resumed_training_count_only_its_own_steps() -> None:
    target, clock = console(terminal=False), Clock()
    lines = Lines(target, clock)
    lines.show(State("monet", 1000, 2000, "step", "style 0.02"))
    clock.now += 10
    lines.show(State("monet", 1030, 2000, "step", "style 0.02"))
    assert written(target).splitlines() == [
        "monet: 1,030 of 2,000 steps, 3.0 steps/s, 5:23 left, style 0.02"
    ]


def test_lines_have_no_escape_sequences() -> None:
    target = console(terminal=False)
    Lines(target).say(note("evil \x1b[31mname"))
    Lines(target).say(failure("no [bold]such[/bold] file"))
    assert written(target) == "note: evil  [31mname\nvidstyle: no [bold]such[/bold] file\n"


def test_remarks_have_none_either() -> None:
    """They may be names of files."""
    evil = State("photos", 2, 3, "picture", "evil \x1b]0;name\x07.png")
    target, clock = console(terminal=False), Clock()
    lines = Lines(target, clock)
    lines.show(replace(evil, done=1))
    clock.now += 10
    lines.show(evil)
    assert "evil" in written(target)
    assert "\x1b" not in written(target)
    target = console(terminal=True)
    with Bar(target) as bar:
        bar.show(evil)
    assert "\x1b]0" not in written(target)


def test_a_long_line_is_not_broken() -> None:
    target = console(terminal=False)
    Lines(target).say(Text("x" * 300))
    assert written(target) == "x" * 300 + "\n"


@pytest.mark.parametrize("total", [100, None])
def test_the_bar_shows_how_far_it_is(total: int | None) -> None:
    target = console(terminal=True)
    with Bar(target) as bar:
        bar.show(State("a.mp4", 0, total))
        bar.show(State("a.mp4", 42, total, remark="slowest: painting"))
        bar.say(note("sound re-encoded"))
    shown = written(target)
    assert "a.mp4" in shown
    assert ("42/100" if total else "42 frames") in shown
    assert "slowest: painting" in shown
    assert "note: sound re-encoded" in shown


def test_one_bar_at_a_time() -> None:
    target = console(terminal=True)
    with Bar(target) as bar:
        for name in ("a.mp4", "b.mp4"):
            bar.show(State(name, 0, None))
            bar.show(State(name, 3, 3))
    _, first, later = written(target).partition("b.mp4")
    assert first
    assert "b.mp4" in later  # it is drawn more than once
    assert "a.mp4" not in later
