"""README tells the truth: its Python runs, its commands are commands, its figures were measured."""

import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from vidstyle.cli.main import cli
from vidstyle.cli.options import Settings
from vidstyle.coherence import DEFAULT_CONSISTENCY

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROSE = " ".join(README.split())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = "\n".join(blocks("(?:sh|bash|console)")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("vidstyle ")]


def test_the_python_in_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_clip: Callable[..., Path]
) -> None:
    """In a folder that holds clip.mp4 and photo.jpg; later blocks see the names of earlier ones."""
    make_clip("clip.mp4", frames=8, size=(160, 96))
    Image.fromarray(np.full((90, 120, 3), 90, np.uint8)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    snippets = blocks("python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), names)


def test_links_into_the_project_lead_somewhere() -> None:
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link}
    assert len(links) > 20
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("line", commands())
def test_the_commands_in_the_readme_can_be_parsed(line: str) -> None:
    _, name, *args = shlex.split(line, comments=True)
    assert name in {*cli.commands, "--help", "--version"}
    if name in cli.commands:
        context = click.Context(cli, info_name="vidstyle", obj=Settings())
        with suppress(click.exceptions.Exit):  # --help ends here
            cli.commands[name].make_context(name, args, parent=context)


def rows(page: str, *first: str) -> list[list[str]]:
    """Of the tables of a page of results, the cells of all rows that begin so."""
    lines = (RESULTS / page).read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [row for row in cells if tuple(row[: len(first)]) == first]


def steadiness_pages() -> dict[str, list[str]]:
    """Of each page that the table of steadiness names, the figures told."""
    told = re.findall(r"\[([\d.]+), ([\d.]+)\]\(benchmarks/results/(\S+\.md)\)", README)
    assert len(told) > 15
    return {page: figures for *figures, page in told}


def test_the_figures_of_steadiness_are_those_of_their_pages() -> None:
    """E_warp and detail at the default consistency, over what they are without."""
    for page, figures in steadiness_pages().items():
        held = next(row for row in rows(page) if row[1] == f"{DEFAULT_CONSISTENCY:g}")
        assert figures == [held[2], held[5]], page


def test_over_ten_frames_the_error_is_that_of_its_page() -> None:
    figure, page = re.findall(r"\[to ([\d.]+)\]\(benchmarks/results/(\S+\.md)\)", PROSE)[0]
    assert figure == rows(page, "monet fast", f"{DEFAULT_CONSISTENCY:g}")[0][3]


@pytest.mark.parametrize(
    ("clip", "told"),
    [
        ("car-detection.mp4", "{} to {} (a street)"),
        ("people-detection.gif", "{} to {} (people who walk about)"),
        ("av1_video.mkv", "a test pattern ({} to {})"),
    ],
)
def test_the_range_of_a_clip_is_that_over_all_pages(clip: str, told: str) -> None:
    """Its E_warp at the default consistency, over what it is without, in every style and tier."""
    ratios = sorted(row[6] for page in steadiness_pages() for row in rows(page, clip))
    assert len(ratios) == len(steadiness_pages())
    assert told.format(ratios[0], ratios[-1]) in PROSE


def test_what_is_said_of_the_clips_is_true_of_every_page() -> None:
    assert "over the first 6 frames of 21 clips" in PROSE
    assert "For most styles the worst clip is a test pattern" in PROSE
    assert "One clip has no error to begin with" in PROSE
    texts = [(RESULTS / page).read_text(encoding="utf-8") for page in steadiness_pages()]
    worst = [text for text in texts if "Worst: av1_video.mkv" in text]
    assert 2 * len(worst) > len(texts)
    for page in steadiness_pages():
        clips = [row for row in rows(page) if row[1] == "6"]
        assert len(clips) == 21, page
        assert sum(row[6] == "–" for row in clips) == 1, page


def number(cell: str) -> float:
    """What a cell begins with."""
    return float(cell.split(maxsplit=1)[0])


def test_the_figures_of_speed_are_those_of_their_page() -> None:
    """Of each painter and size there is a row of speed, one of stages and one of costs."""
    found = {tuple(row[:2]): row for row in rows("speed.md")[::-1]}  # the first table's stay
    fps = {painter: row[2].split()[0] for painter, row in found.items()}
    ratios = {tier: round(number(found[tier, "848x480"][5])) for tier in ("fast", "best")}
    spread = found["fast", "848x480"][2].removeprefix(fps["fast", "848x480"])
    for told in (
        f"`fast` paints 848x480 at {fps['fast', '848x480']} frames a second{spread} with",
        f"left out, {ratios['fast']} times as fast as a plain Johnson network",
        f"; 640x360 runs at {float(fps['fast', '640x360']):.0f}, "
        f"1080p at {fps['fast', '1920x1080']}, 4K at {fps['fast', '3840x2160']}. ",
        f"`best` paints 848x480 at {fps['best', '848x480']}, {ratios['best']} times as fast as",
    ):
        assert told in PROSE


def test_the_minutes_told_at_the_top_follow_from_the_page_of_speed() -> None:
    told = "at 25 frames a second takes about a minute, one of 1080p five, three times that in the"
    assert told in PROSE
    fast, large, best = (
        number(rows("speed.md", *painter)[0][2])
        for painter in (("fast", "848x480"), ("fast", "1920x1080"), ("best", "848x480"))
    )
    assert [round(25 / fast), round(25 / large), round(fast / best)] == [1, 5, 3]


def test_the_figures_of_memory_are_those_of_the_page_of_speed() -> None:
    fast, best = (
        number(rows("speed.md", tier, "1920x1080")[-1][6]) / 1024 for tier in ("fast", "best")
    )
    told = f"Beyond the libraries 1080p takes {fast:.1f} GiB of memory, {best:.1f} in `best`."
    assert told in PROSE


def test_a_frame_of_a_long_clip_costs_what_one_of_a_short_clip_does() -> None:
    assert "A frame of 10,000 costs what one of 300 does." in PROSE
    (short,), (long,) = (rows("speed.md", f"{n} of 640x360") for n in ("300", "10,000"))
    low, high = map(float, re.findall(r"[\d.]+", short[1])[1:])
    assert low <= number(long[1]) <= high
