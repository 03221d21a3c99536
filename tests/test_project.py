"""The project's own files: what a clone needs in order to build, and what must not drift apart."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {path.parent.name for path in (ROOT / "vidstyle").glob("*/__init__.py")}


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def requirements(pyproject: dict[str, Any]) -> list[str]:
    project = pyproject["project"]
    return project["dependencies"] + project["optional-dependencies"]["dev"]


def test_every_dependency_is_pinned_exactly(
    pyproject: dict[str, Any], pins: dict[str, str]
) -> None:
    names = {re.split(r"[<>=!]", requirement)[0] for requirement in requirements(pyproject)}
    assert names <= set(pins)
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", pin) for pin in pins.values())


def test_the_pins_are_what_is_installed(pins: dict[str, str]) -> None:
    for name in ("torch", "torchvision", "av", "opencv-python", "click", "rich"):
        assert version(name).split("+")[0] == pins[name]


def test_the_installed_command_is_this_version(pyproject: dict[str, Any]) -> None:
    assert version("vidstyle") == pyproject["project"]["version"]


def test_every_package_has_a_layer(pyproject: dict[str, Any]) -> None:
    order, *_ = pyproject["tool"]["importlinter"]["contracts"]
    in_layers = {name for layer in order["layers"] for name in re.split(r"\W+", layer)}
    assert in_layers == PACKAGES | {"cuda", "errors", "files", "pictures", "types"}


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    of_one_machine = re.compile(
        r"index-url|find-links|://[^/\s]*(pypi|pythonhosted)|(?<![\w.~/])/(home|root|work)/\w"
    )
    paths = list(ROOT.iterdir())
    for folder in (".ci", "benchmarks", "samples", "tests", "vidstyle", "weights"):
        paths += (ROOT / folder).rglob("*")
    suffixes = ("", ".html", ".md", ".py", ".sh", ".toml", ".txt")
    texts = [path for path in paths if path.is_file() and path.suffix in suffixes]
    assert len(texts) > 300
    for path in texts:
        if path != Path(__file__):
            found = of_one_machine.search(path.read_text(encoding="utf-8", errors="replace"))
            assert not found, (path, found)


def test_make_says_what_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
