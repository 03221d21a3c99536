"""How the losses went, step by step: a table in the run folder, and TensorBoard's where it is."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from vidstyle.files import replacing
from vidstyle.training.ranks import rank

LOG_EVERY: Final = 10
"""Steps between two rows."""

Losses = dict[str, float]


class LossLog:
    """The rows of `losses.csv`; after a resume those up to the checkpoint, then new ones.

    Attributes:
        rows: losses by step.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / "losses.csv"
        before = read_losses(self.path) if step else {}
        self.rows = {k: losses for k, losses in before.items() if k <= step}
        self._board = _tensorboard(folder, step) if rank() == 0 else None

    def add(self, step: int, losses: Losses, *, now: bool = False) -> None:
        """Take down a step's losses when its turn has come, or `now`."""
        if now or step % LOG_EVERY == 0:
            self.rows[step] = dict(losses)
            if self._board:
                for name, value in losses.items():
                    self._board.add_scalar(name.replace(" ", "_"), value, step)

    def write(self) -> None:
        """Write the table anew; the old one stays whole until the new one is.

        Raises:
            ResourceError: the disk is full, or the place cannot be written.
        """
        names = list(dict.fromkeys(name for losses in self.rows.values() for name in losses))
        with replacing(self.path) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["step", *names])
            table.writeheader()
            table.writerows({"step": step, **losses} for step, losses in self.rows.items())
        if self._board:
            self._board.flush()


def read_losses(path: Path) -> dict[int, Losses]:
    """Losses by step of a table that `LossLog` wrote; of a damaged one, the rows that are whole."""
    rows: dict[int, Losses] = {}
    if not path.is_file():
        return rows
    with (
        path.open(newline="", encoding="utf-8", errors="replace") as file,
        suppress(csv.Error),  # a line without an end
    ):
        for row in csv.DictReader(line.replace("\0", "") for line in file):
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                step = int(row.pop("step"))
                rows[step] = {name: float(value) for name, value in row.items() if value}
    return rows


def _tensorboard(folder: Path, step: int) -> Any:
    """A writer that hides what an interrupted training wrote after `step`; None without one."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
