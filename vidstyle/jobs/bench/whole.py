"""Painting a clip as `vidstyle run` does, file to file; this runs in a process of its own."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.run import run
from vidstyle.jobs.style import Style, load_style
from vidstyle.types import Tier

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Painted:
    """One run over one clip."""

    frames: int
    seconds: float
    """From the first frame read to the finished file."""
    load_s: float
    """What it took to get there: style and engine, the first time, and the plan."""
    style: str
    tier: str
    engine: str
    notes: tuple[str, ...]


def paint(config: RunConfig) -> Painted:
    """Paint the one clip of `config`.

    Raises:
        VidstyleError: as `run` does.
    """
    since = perf_counter()
    report = run(config, style=_style(config.style, config.tier, config.device, config.engine))
    (file,) = report.files
    return Painted(
        frames=file.frames,
        seconds=file.seconds,
        load_s=perf_counter() - since - file.seconds,
        style=file.style,
        tier=file.tier,
        engine=file.engine,
        notes=report.notes,
    )


@lru_cache(maxsize=1)
def _style(name: str, tier: Tier | None, device: str, engine: str) -> Style:
    return load_style(name, tier=tier, device=device, engine=engine)


def peak_memory() -> float:
    """MiB that this process had in memory at most.

    Linux counts it for the process alone; `getrusage` starts a new process at its parent's peak.
    """
    if _STATUS.exists():
        fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def peak_gpu_memory() -> float | None:
    """MiB that torch reserved on a CUDA device at most; None where there is none."""
    torch = sys.modules.get("torch")  # to import it here would take memory that a run does not
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_reserved()) / 2**20
