"""What tells one painting from another."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.identity import identity, request
from vidstyle.jobs.style import Style, load_style
from vidstyle.video.bars import Bars

MakeClip = Callable[..., Path]
MakeCollection = Callable[..., Path]


@pytest.fixture
def sea_and_sun(make_collection: MakeCollection) -> list[Style]:
    """Two styles of one file."""
    make_collection("sea", "sun", folder=Path(os.environ["VIDSTYLE_STYLES"]))
    return [load_style(name, device="cpu") for name in ("sea", "sun")]


def test_styles_of_one_file_make_paintings_of_their_own(
    make_clip: MakeClip, sea_and_sun: list[Style]
) -> None:
    clip = make_clip(frames=2)
    config = RunConfig((clip,), "any")
    sea, sun = (identity(clip, config, style, "torch", Bars(), 1, 5) for style in sea_and_sun)
    assert [name for name in sea if sea[name] != sun[name]] == ["the style"]
    sea_asked, sun_asked = (request("content", config, style) for style in sea_and_sun)
    assert sea_asked != sun_asked


def test_an_option_that_is_new_leaves_what_is_painted_done(sea_and_sun: list[Style]) -> None:
    """As long as it is not used."""

    @dataclass(frozen=True)
    class Later(RunConfig):
        hatching: float = 0.0

    asked = RunConfig((Path("a.mp4"),), "sea", strength=0.5)
    options: dict[str, Any] = {"inputs": asked.inputs, "style": "sea", "strength": 0.5}
    before, unused, used = (
        request("content", config, sea_and_sun[0])
        for config in (asked, Later(**options), Later(**options, hatching=0.5))
    )
    assert before == unused
    assert before != used


def test_a_whole_number_asks_for_what_a_decimal_does(sea_and_sun: list[Style]) -> None:
    whole, decimal = (RunConfig((Path("a.mp4"),), "sea", brush=n) for n in (2, 2.0))
    assert whole == decimal
    assert type(whole.brush) is float
    assert request("", whole, sea_and_sun[0]) == request("", decimal, sea_and_sun[0])


def test_where_segments_end_is_a_part_of_it(make_clip: MakeClip, sea_and_sun: list[Style]) -> None:
    """Those of two lengths do not fit together."""
    clip = make_clip(frames=2)
    config = RunConfig((clip,), "sea")
    short, long = (identity(clip, config, sea_and_sun[0], "torch", Bars(), 1, n) for n in (5, 6))
    assert [name for name in short if short[name] != long[name]] == ["frames a segment"]


def test_what_is_cut_off_is_a_part_of_it(make_clip: MakeClip, sea_and_sun: list[Style]) -> None:
    """Frames of two sizes do not fit together either."""
    clip = make_clip(frames=2)
    config = RunConfig((clip,), "sea")
    none, some = (
        identity(clip, config, sea_and_sun[0], "torch", bars, 1, 5) for bars in (Bars(), Bars(2, 2))
    )
    assert [name for name in none if none[name] != some[name]] == ["the black bars"]
