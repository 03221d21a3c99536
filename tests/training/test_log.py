"""The log of the losses: a table that survives an interruption as the checkpoint does."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from vidstyle.training.log import LOG_EVERY, LossLog, read_losses


def test_takes_down_now_and_then_and_is_read_back_exactly(tmp_path: Path) -> None:
    log = LossLog(tmp_path, 0)
    for step in range(1, 2 * LOG_EVERY + 2):
        log.add(step, {"style": step / 3} | ({"stability": 0.1} if step > LOG_EVERY else {}))
    log.add(2 * LOG_EVERY + 1, {"style": 7.0}, now=True)
    log.write()
    assert read_losses(tmp_path / "losses.csv") == {
        LOG_EVERY: {"style": LOG_EVERY / 3},
        2 * LOG_EVERY: {"style": 2 * LOG_EVERY / 3, "stability": 0.1},
        2 * LOG_EVERY + 1: {"style": 7.0},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["losses.csv"]


def test_a_resumed_training_goes_on_after_its_checkpoint(tmp_path: Path) -> None:
    log = LossLog(tmp_path, 0)
    for step in (5, 8, 12):
        log.add(step, {"style": float(step)}, now=True)
    log.write()
    assert LossLog(tmp_path, 8).rows == {5: {"style": 5.0}, 8: {"style": 8.0}}
    assert LossLog(tmp_path, 0).rows == {}
    assert read_losses(tmp_path / "none.csv") == {}


def test_tensorboard_is_told_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            told.append((folder, purge_step))

        def add_scalar(self, *scalar: object) -> None:
            told.append(scalar)

        def flush(self) -> None:
            told.append("flush")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = LossLog(tmp_path, 2)
    log.add(3, {"feature stability": 0.5}, now=True)
    log.write()
    assert told == [
        (str(tmp_path / "tensorboard"), 3),
        ("feature_stability", 0.5, 3),
        "flush",
    ], "what an interrupted training wrote after its checkpoint is hidden"


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00\n", b"30,2.\x00x\n", b"30,2.5.1\n", b"30", b"\n,,,\n", b"9" * 200_000]
)
def test_of_a_damaged_table_the_whole_rows_are_read(tmp_path: Path, damage: bytes) -> None:
    """After a power cut: a training goes on, and keeps what it knows."""
    (tmp_path / "losses.csv").write_bytes(b"step,a\n10,1.5\n20,2.5\n" + damage)
    read = read_losses(tmp_path / "losses.csv")
    assert {step: read[step] for step in (10, 20)} == {10: {"a": 1.5}, 20: {"a": 2.5}}
    assert set(read) <= {10, 20, 30}


def test_what_is_no_table_at_all_is_none(tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_bytes(bytes(range(256)))
    assert read_losses(tmp_path / "losses.csv") == {}
