"""What is said when a file cannot be written, and that no half one is left."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from vidstyle.errors import ResourceError
from vidstyle.files import replacing, writing


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EFBIG, "the disk is full"),
        (errno.ENOENT, "its folder does not exist"),
        (errno.EACCES, r"\(refused\); choose a place you may write to"),
    ],
)
def test_refusals_name_the_file_and_the_reason(number: int, words: str) -> None:
    with (
        pytest.raises(ResourceError, match=rf"^a/b\.png: cannot be .*{words}"),
        writing(Path("a/b.png")),
    ):
        raise OSError(number, "Refused")


def test_a_file_is_replaced_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "Full"), KeyboardInterrupt()])
def test_what_is_not_whole_leaves_the_old_one(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises((ResourceError, KeyboardInterrupt)), replacing(path) as part:
        part.write_text("ha")
        raise error
    assert [(left, left.read_text()) for left in tmp_path.iterdir()] == [(path, "old")]
