"""Finding styles: by name and tier, by path, with help for what is not there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.errors import StyleError
from vidstyle.stylizers.registry import StyleRegistry, user_folder, write_manifest

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


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "missing.safetensors"])
def test_paths_are_files_or_errors(tmp_path: Path, name: str) -> None:
    with pytest.raises(StyleError):
        StyleRegistry([tmp_path]).find(name, "fast")


@pytest.mark.parametrize("name", ["", "..", "A", "a\0b", "x" * 65, "\x1b[31m", "-x"])
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


def test_a_changed_file_fails_its_checksum(tmp_path: Path, make_style: MakeStyle) -> None:
    make_style("sea", seed=0)
    write_manifest(tmp_path)
    StyleRegistry([tmp_path]).find("sea", "fast")
    make_style("sea", seed=1)
    with pytest.raises(StyleError, match="checksum"):
        StyleRegistry([tmp_path]).find("sea", "fast")


def test_the_users_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIDSTYLE_STYLES", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "vidstyle" / "styles"
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "mine"))
    assert user_folder() == tmp_path / "mine"
