"""What a benchmark is asked to measure. Plain data: this module imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidstyle.errors import UsageError
from vidstyle.types import Tier

USUAL_SIZE = (848, 480)
LEAST_FRAMES = 16
_LEAST_SIDE, _MOST_SIDE = 64, 8192


@dataclass(frozen=True)
class BenchConfig:
    """Which painters to measure, on what. Every combination becomes a row of the report.

    Raises:
        UsageError: a value is out of its range.
    """

    style: str = "monet"
    tiers: tuple[Tier, ...] = ()
    """Empty takes the one that suits the device."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of the frames; empty takes the input's own, or 848x480."""
    engines: tuple[str, ...] = ("auto",)
    devices: tuple[str, ...] = ("auto",)
    input: Path | None = None
    """A clip to paint; None makes one."""
    against: Literal["baseline"] | None = None
    """What to measure beside it, turn by turn: what most people run today."""
    frames: int | None = None
    """Length of the clip; None takes what is measured within seconds."""
    rounds: int | None = None
    """How often the clip is painted: the report gives the median, and how far it spreads.

    None takes three, or fewer where the first take 40 seconds.
    """

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for width, height in self.sizes:
            if min(width, height) < _LEAST_SIDE or max(width, height) > _MOST_SIDE:
                raise UsageError(
                    f"size {width}x{height} cannot be measured; "
                    f"both sides must be between {_LEAST_SIDE} and {_MOST_SIDE} pixels"
                )
        if self.frames is not None and self.frames < LEAST_FRAMES:
            raise UsageError(f"frames must be at least {LEAST_FRAMES}, not {self.frames}")
        if self.rounds is not None and self.rounds < 1:
            raise UsageError(f"rounds must be at least 1, not {self.rounds}")
