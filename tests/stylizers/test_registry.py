"""Finding styles: by name and tier, by path, with help for what is not there."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.errors import ResourceError, StyleError
from vidstyle.stylizers import registry as registry_module
from vidstyle.stylizers.graph_cache import cache_folder
from vidstyle.stylizers.registry import StyleRegistry, shipped_folder, user_folder, write_manifest

MakeStyle = Callable[..., Path]


def test_finds_the_asked_tier_or_else_the_other(tmp_path: Path, make_style: MakeStyle) -> None:
    make_style("sea", "fast"), make_style("sea", "best"), make_style("sky", "best")
    registry = StyleRegistry([tmp_path])
    assert registry.names() == ["sea", "sky"]
    assert registry.tiers("sea") == ["best", "fast"]
    assert registry.find("sea", "fast").card.tier == "fast"
    assert registry.find("sea", "best").card.tier == "best"
    assert registry.find("sky", "fast").card.tier == "best"


def test_the_earlier_folder_wins(tmp_path: Path, make_style: MakeStyle) -> None:
    make_style("sea", folder=tmp_path / "shipped")
    own = make_style("sea", folder=tmp_path / "own")
    registry = StyleRegistry([tmp_path / "own", tmp_path / "shipped", tmp_path / "missing"])
    assert registry.find("sea", "fast").path == own


def test_finds_by_path(make_style: MakeStyle) -> None:
    path = make_style()
    assert StyleRegistry([]).find(str(path), "fast").path == path


def test_an_unknown_name_suggests_near_ones(tmp_path: Path, make_style: MakeStyle) -> None:
    make_style("monet")
    with pytest.raises(StyleError, match="did you mean monet"):
        StyleRegistry([tmp_path]).find("monnet", "fast")


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../../b",
        "missing.safetensors",
        "a\0.safetensors",
        "x" * 5000 + ".safetensors",
        "x" * 5000 + ".png",
    ],
)
def test_paths_are_files_or_errors(tmp_path: Path, name: str) -> None:
    with pytest.raises(StyleError):
        StyleRegistry([tmp_path]).find(name, "fast")


@pytest.mark.parametrize("name", ["my picture.jpg", "sub/picture.PNG"])
def test_a_picture_is_told_how_to_become_a_style(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(b"")
    with pytest.raises(StyleError, match="not a style yet") as refusal:
        StyleRegistry([tmp_path]).find(name, "fast")
    command = shlex.split(str(refusal.value).split("with: ")[1])
    assert command == ["vidstyle", "train", name, "--photos", "FOLDER", "--temporal"]


@pytest.mark.parametrize(
    "name", ["", "..", "A", "a\0b", "x" * 65, "\x1b[31m", "-x", "con", "nul.fast", "x."]
)
def test_what_cannot_be_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StyleError, match="cannot be a style's name"):
        StyleRegistry([tmp_path]).find(name, "fast")


def test_a_broken_file_hides_nothing_and_says_why_when_asked_for(
    tmp_path: Path, make_style: MakeStyle
) -> None:
    make_style("sea")
    (tmp_path / "bad.safetensors").write_bytes(b"junk")
    registry = StyleRegistry([tmp_path])
    assert registry.names() == ["sea"]
    with pytest.raises(StyleError, match=r"bad\.safetensors: not a readable"):
        registry.find("bad", "fast")


def test_links_out_of_the_folder_and_pipes_are_passed_over(
    tmp_path: Path, make_style: MakeStyle
) -> None:
    make_style("sea", folder=tmp_path / "in")
    outside = make_style("sky", folder=tmp_path / "out")
    (tmp_path / "in" / "sky.fast.safetensors").symlink_to(outside)
    (tmp_path / "in" / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "in" / "pipe.safetensors")
    registry = StyleRegistry([tmp_path / "in"])
    assert registry.names() == ["sea"]
    with pytest.raises(StyleError, match="no style is called 'sky'"):
        registry.find("sky", "fast")
    assert StyleRegistry([]).find(str(outside), "fast").card.name == "sky"


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_broken_manifest_is_told_of(
    tmp_path: Path, make_style: MakeStyle, content: bytes
) -> None:
    make_style("sea")
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(StyleError, match=r"manifest\.json: is broken"):
        StyleRegistry([tmp_path]).find("sea", "fast")


def test_a_changed_file_fails_its_checksum(tmp_path: Path, make_style: MakeStyle) -> None:
    make_style("sea", seed=0)
    write_manifest(tmp_path)
    StyleRegistry([tmp_path]).find("sea", "fast")
    make_style("sea", seed=1)
    with pytest.raises(StyleError, match="checksum"):
        StyleRegistry([tmp_path]).find("sea", "fast")


def test_a_file_that_the_manifest_does_not_know_is_found(
    tmp_path: Path, make_style: MakeStyle
) -> None:
    make_style("sea")
    write_manifest(tmp_path)
    make_style("sky")
    assert StyleRegistry([tmp_path]).find("sky", "fast").card.name == "sky"


def test_shipped_styles_lie_in_the_package_or_else_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are installed, and as they are checked out."""
    package = tmp_path / "vidstyle"
    monkeypatch.setattr(registry_module, "__file__", str(package / "stylizers" / "registry.py"))
    assert shipped_folder() == tmp_path / "weights"
    (package / "weights").mkdir(parents=True)
    assert shipped_folder() == package / "weights"


def test_the_users_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDSTYLE_STYLES", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "vidstyle" / "styles"
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "mine"))
    assert user_folder() == tmp_path / "mine"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("VIDSTYLE_STYLES", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ResourceError, match="set VIDSTYLE_STYLES"):
        user_folder()
    assert StyleRegistry().folders == (shipped_folder(),)
    assert not cache_folder().exists()


def test_what_is_shipped_is_found_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_style: MakeStyle
) -> None:
    path = make_style("a", folder=tmp_path / "shipped")
    write_manifest(path.parent)
    monkeypatch.setattr(registry_module, "shipped_folder", lambda: path.parent)
    assert registry_module.shipped_file(path.name) == path
    with pytest.raises(StyleError, match="is missing"):
        registry_module.shipped_file("b.safetensors")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(StyleError, match="checksum"):
        registry_module.shipped_file(path.name)
