"""Words from strangers, and numbers for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.jobs.text import clean, clock, count, figure, span, speed


@given(st.text(st.characters()))
def test_clean_text_cannot_steer_a_terminal(text: str) -> None:
    shown = clean(text)
    shown.encode("utf-8")
    assert not set(shown) & {chr(code) for code in (*range(32), *range(127, 160), 0x202E, 0x200F)}


@pytest.mark.parametrize("text", ["Nymphéas", "星月夜", "🎨 clip.mp4", "a [red]b[/red]"])
def test_clean_leaves_words_as_they_are(text: str) -> None:
    assert clean(text) == text


def test_file_names_that_are_not_utf8_can_be_shown() -> None:
    assert clean(b"caf\xe9.mp4".decode("utf-8", "surrogateescape")) == "caf?.mp4"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00"),
        (65, "1:05"),
        (3599.7, "1:00:00"),
        (7384, "2:03:04"),
    ],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_clock() -> None:
    assert [clock(0.4), clock(9), clock(3601)] == ["0:00", "0:09", "1:00:01"]


def test_count() -> None:
    assert [count(1, "frame"), count(0, "frame"), count(12000, "frame")] == [
        "1 frame",
        "0 frames",
        "12,000 frames",
    ]


def test_a_slow_speed_is_not_nought() -> None:
    assert [speed(24), speed(1), speed(0.0534)] == ["24.0", "1.0", "0.053"]


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (None, 1, "–"),
        (0, 1, "0"),
        (0.000421, 1, "0.000421"),
        (0.000421, 1000, "0.421"),
        (1.5, 1, "1.50"),
        (520.4, 1, "520"),
        (24, 1, "24"),
        (-0.5, 1, "-0.500"),
        (9.996, 1, "10.0"),
    ],
)
def test_figures_have_three_digits_and_no_powers(value: float, scale: float, text: str) -> None:
    assert figure(value, scale) == text
