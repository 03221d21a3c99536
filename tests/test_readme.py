"""README tells the truth: its Python runs, and its commands are commands."""

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
README = (ROOT / "README.md").read_text(encoding="utf-8")


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


def test_the_figures_of_steadiness_are_those_of_their_pages() -> None:
    """E_warp and detail at the default consistency, over what they are without."""
    told = re.findall(r"\[([\d.]+), ([\d.]+)\]\((benchmarks/results/steadiness-\S+\.md)\)", README)
    assert len(told) > 15
    for *figures, page in told:
        rows = (ROOT / page).read_text(encoding="utf-8").splitlines()
        held = next(row for row in rows if f"| {DEFAULT_CONSISTENCY:g} |" in row).split(" | ")
        assert figures == [held[2], held[5]], page
