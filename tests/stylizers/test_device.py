"""What this process may take of its machine."""

from pathlib import Path

import pytest

from vidstyle.errors import UsageError
from vidstyle.stylizers import device
from vidstyle.stylizers.device import available_cores, available_memory, choose_device


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a control group two levels below the topmost, on a machine of 64 cores."""
    own = tmp_path / "cgroup"
    own.write_text("4:memory:/old\n0::/docker/one\n")
    monkeypatch.setattr(device, "_OWN_GROUP", own)
    monkeypatch.setattr(device, "_GROUPS", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**20}.__getitem__)
    folder = tmp_path / "docker/one"
    folder.mkdir(parents=True)
    return folder


def test_without_limits_it_is_the_machine_s(group: Path) -> None:
    assert (available_cores(), available_memory()) == (64, 2**32)
    (group / "cpu.max").write_text("max 100000\n")
    (group / "memory.max").write_text("max\n")
    assert (available_cores(), available_memory()) == (64, 2**32)


@pytest.mark.parametrize(("quota", "cores"), [(200_000, 2), (150_000, 2), (1_000, 1)])
def test_a_container_has_what_it_was_given(group: Path, quota: int, cores: int) -> None:
    (group / "cpu.max").write_text(f"{quota} 100000\n")
    (group / "memory.max").write_text(f"{2**30}\n")
    assert (available_cores(), available_memory()) == (cores, 2**30)


def test_groups_above_count_too(group: Path) -> None:
    (group / "cpu.max").write_text("800000 100000\n")
    (group.parent / "cpu.max").write_text("300000 100000\n")
    (group.parents[1] / "memory.max").write_text("5000\n")
    assert (available_cores(), available_memory()) == (3, 5000)


def test_machines_that_know_no_groups(
    group: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup").write_text("4:memory:/old\n")
    assert (available_cores(), available_memory()) == (64, 2**32)
    monkeypatch.setattr(device, "_OWN_GROUP", tmp_path / "none")
    assert available_cores() == 64


@pytest.mark.parametrize("text", ["", "100000\n", "a b\n", "-1 100000\n", "1 2 3\n"])
def test_limits_that_cannot_be_read_are_none(group: Path, text: str) -> None:
    (group / "cpu.max").write_text(text)
    (group / "memory.max").write_text("a lot")
    assert (available_cores(), available_memory()) == (64, 2**32)


@pytest.mark.parametrize("name", ["gramophone", "meta", "cpu:0", "xpu", ""])
def test_devices_that_nothing_is_painted_on_are_unknown(name: str) -> None:
    with pytest.raises(UsageError, match="is unknown"):
        choose_device(name)
