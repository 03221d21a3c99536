"""`vidstyle compare` as a user meets it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vidstyle.cli.main import main

pytestmark = pytest.mark.usefixtures("offline")

MakePan = Callable[..., Path]


def call(*args: object) -> int:
    return main(["compare", *(str(arg) for arg in args)])


def test_the_page_lies_beside_the_source(
    make_pan: MakePan, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_pan(frames=5)
    assert call(source, make_pan("b.mp4", frames=5, rate=20)) == 0
    page = source.with_name("pan.compare.html")
    shown = capsys.readouterr()
    assert page.exists()
    assert shown.out == ""
    assert f"compared {page}" in shown.err
    assert "b.mp4: 20 frames a second against the source's 25: matched by time" in shown.err


def one_frame(make_pan: MakePan) -> Path:
    return make_pan("b.mp4", frames=1)


def another_shot(make_pan: MakePan) -> Path:
    return make_pan("b.mp4", seed=5)


def black(make_pan: MakePan) -> Path:
    return make_pan("b.mp4", change=np.zeros_like)


def missing(make_pan: MakePan) -> Path:
    return make_pan("b.mp4").with_name("c.mp4")


def text(make_pan: MakePan) -> Path:
    path = make_pan("b.mp4")
    path.write_text("no clip\n" * 30)
    return path


@pytest.mark.parametrize("candidate", [one_frame, another_shot, black, missing, text])
def test_a_clip_that_cannot_be_compared_gets_one_line(
    candidate: Callable[[MakePan], Path], make_pan: MakePan, capsys: pytest.CaptureFixture[str]
) -> None:
    source, bad = make_pan(), candidate(make_pan)
    assert call(source, bad) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vidstyle: {bad}: ")
    assert not source.with_name("pan.compare.html").exists()


def test_folders_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(Path(), Path()) == 3


def test_a_page_is_html(make_pan: MakePan, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_pan(frames=2)
    page = source.with_name("page.png")
    assert call(source, make_pan("b.mp4", frames=2), "-o", page) == 2
    assert "a page is written as .html" in capsys.readouterr().err
    assert not page.exists()


def test_an_existing_page_is_refused_before_any_work(
    make_pan: MakePan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    assert call(make_pan(frames=4), make_pan("b.mp4", frames=4), "-o", page) == 2
    assert "exists" in capsys.readouterr().err
    assert call(make_pan(frames=4), make_pan("b.mp4", frames=4), "-o", page, "-y") == 0
