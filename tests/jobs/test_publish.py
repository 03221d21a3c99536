"""The hidden folder beside the output, and the step that makes a file appear."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from vidstyle.errors import ResourceError, UsageError
from vidstyle.jobs.publish import JOURNAL, NAMING, held, is_half_published, part_folder, publish


def test_the_folder_is_beside_the_output_and_goes_with_the_block(tmp_path: Path) -> None:
    with part_folder(tmp_path / "clip.mp4") as folder:
        assert folder.parent == tmp_path
        assert folder.name.startswith(".")
        (folder / "x").write_text("half")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_it_goes_when_the_block_fails(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), part_folder(tmp_path / "clip.mp4") as folder:
        (folder / "x").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_gone_at_the_start(tmp_path: Path) -> None:
    left = tmp_path / ".clip.mp4.part"
    left.mkdir()
    (left / "painted.nut").write_text("left over")
    with part_folder(tmp_path / "clip.mp4") as folder:
        assert folder == left
        assert list(folder.iterdir()) == []


def test_two_runs_cannot_write_one_output(tmp_path: Path) -> None:
    with part_folder(tmp_path / "clip.mp4") as first:
        (first / "painted.nut").write_text("at work")
        with pytest.raises(UsageError, match="another run"), part_folder(tmp_path / "clip.mp4"):
            pass
        assert (first / "painted.nut").read_text() == "at work"


@pytest.mark.parametrize("made_again", [True, False])
def test_a_run_that_finished_while_another_asked_for_its_lock_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_again: bool
) -> None:
    flock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        folder = next(tmp_path.iterdir())
        folder.rename(tmp_path.with_name("gone"))
        if made_again:
            folder.mkdir()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(UsageError, match="another run"), part_folder(tmp_path / "clip.mp4"):
        pass


def test_a_process_that_was_forked_meanwhile_keeps_nothing_locked(tmp_path: Path) -> None:
    """Loaders of pictures may outlive the training that made them."""
    with held(tmp_path / "a.run", tmp_path / "a.safetensors"):
        (open_one,) = (
            int(link.name)
            for link in Path("/proc/self/fd").iterdir()
            if os.path.realpath(link) == str(tmp_path / "a.run")
        )
        kept = os.dup(open_one)  # as a forked process has it
    try:
        with held(tmp_path / "a.run", tmp_path / "a.safetensors"):
            pass
    finally:
        os.close(kept)


def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with part_folder(tmp_path / "clip.mp4") as folder:
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_held_folder_in_which_nothing_is_left_goes_with_the_block(tmp_path: Path) -> None:
    folder = tmp_path / "a.run"
    with held(folder, tmp_path / "a.safetensors"):
        (folder / "checkpoint").write_text("half")
    assert folder.exists()
    with held(folder, tmp_path / "a.safetensors"):
        (folder / "checkpoint").unlink()
    assert not folder.exists()


def test_a_place_that_cannot_be_written_is_a_resource_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ResourceError, match=r"file: cannot be written \(not a directory\)"),
        part_folder(tmp_path / "file/clip.mp4"),
    ):
        pass


def test_publish_replaces_only_when_told_to(tmp_path: Path) -> None:
    part, output = tmp_path / "part" / "clip.mp4", tmp_path / "clip.mp4"
    part.parent.mkdir()
    output.write_text("old")
    part.write_text("new")
    with pytest.raises(UsageError, match="left as it is"):
        publish([part], tmp_path, overwrite=False)
    assert output.read_text() == "old"
    publish([part], tmp_path, overwrite=True)
    assert output.read_text() == "new"
    assert list(part.parent.iterdir()) == []


def test_of_several_none_is_published_where_one_may_not_be(tmp_path: Path) -> None:
    parts = [tmp_path / "part" / f"{number}.png" for number in range(3)]
    parts[0].parent.mkdir()
    for part in parts:
        part.write_text("new")
    (tmp_path / "2.png").write_text("old")
    with pytest.raises(UsageError, match=r"2\.png: came to be"):
        publish(parts, tmp_path, overwrite=False)
    assert not (tmp_path / "0.png").exists()
    publish(parts, tmp_path, overwrite=True)
    assert [(tmp_path / part.name).read_text() for part in parts] == ["new"] * 3


def test_files_are_on_the_disk_before_they_get_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a power cut could leave names without content, and what they stood for is gone."""
    parts, told = [tmp_path / "part" / f"{number}.png" for number in range(2)], []
    parts[0].parent.mkdir()
    for part in parts:
        part.write_text("new")
    replace = os.replace

    def naming(part: Path, place: Path) -> None:
        told.append(f"name {place.name}")
        replace(part, place)

    monkeypatch.setattr("vidstyle.jobs.publish.os.replace", naming)
    monkeypatch.setattr("vidstyle.jobs.publish.sync", lambda path: told.append(f"sync {path.name}"))
    publish(parts, tmp_path, overwrite=False)
    names = ["name 0.png", "name 1.png"]
    assert told == ["sync 0.png", "sync 1.png", *names, f"sync {tmp_path.name}"]


def test_a_name_that_is_too_long_is_told_of(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="a: is too long a name; name another with -o"),
        part_folder(tmp_path / ("a" * 300)),
    ):
        pytest.fail("it was lent")


def test_pictures_that_all_have_their_names_are_not_half_published(tmp_path: Path) -> None:
    """A kill between the last name and the end of the folder leaves the mark, but no journal."""
    output = tmp_path / "p%04d.png"
    with part_folder(output) as folder:
        (folder / JOURNAL).touch()
        assert not is_half_published(output)
        (folder / NAMING).touch()
        assert is_half_published(output)
        (folder / JOURNAL).unlink()
        assert not is_half_published(output)


def test_a_folder_with_a_journal_stays_until_it_is_begun_anew(tmp_path: Path) -> None:
    left = tmp_path / ".clip.mp4.part"
    with part_folder(tmp_path / "clip.mp4") as folder:
        (folder / JOURNAL).write_text("finished so far")
        (folder / "00000.nut").write_text("frames")
    with part_folder(tmp_path / "clip.mp4") as folder:
        assert {path.name for path in folder.iterdir()} == {JOURNAL, "00000.nut"}
    with part_folder(tmp_path / "clip.mp4", restart=True) as folder:
        assert list(folder.iterdir()) == []
    assert not left.exists()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    (tmp_path / ".clip.mp4.part").symlink_to(precious)
    with pytest.raises(ResourceError), part_folder(tmp_path / "clip.mp4", restart=True):
        pass
    assert (precious / "file").read_text() == "mine"
