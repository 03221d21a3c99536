"""What a figure was measured on: processor, memory, system and the versions that decide speed."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import sleep

import torch

from vidstyle.jobs.text import count
from vidstyle.stylizers.device import available_cores, available_memory, has_bfloat16

_PACKAGES = {
    "vidstyle": ("vidstyle",),
    "torch": ("torch",),
    "openvino": ("openvino",),
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "av": ("av",),
}
"""Names that a library is distributed under; the first that is installed counts."""


@dataclass(frozen=True)
class MachineCard:
    """The machine and the libraries behind a table of figures."""

    processor: str
    cores: int
    """Cores that this process may use."""
    bfloat16: bool
    """Whether the processor computes in bfloat16 by itself."""
    memory_gib: float
    gpus: tuple[str, ...]
    system: str
    python: str
    versions: dict[str, str]
    """By library; those that are not installed are missing."""

    def facts(self) -> dict[str, str]:
        """The card as a few words under each heading, for people."""
        cores = count(self.cores, "usable core")
        half = ", bfloat16" if self.bfloat16 else ""
        return {
            "processor": f"{self.processor}, {cores}{half}",
            "memory": f"{self.memory_gib:.0f} GiB",
            "GPU": ", ".join(self.gpus) or "none",
            "system": f"{self.system}, Python {self.python}",
            "versions": ", ".join(f"{name} {number}" for name, number in self.versions.items()),
        }

    def markdown(self) -> str:
        """The facts as a list, for a file of results."""
        return "\n".join(f"- {heading}: {fact}" for heading, fact in self.facts().items())


def machine_card() -> MachineCard:
    """Look at the machine that this runs on."""
    return MachineCard(
        processor=_processor(),
        cores=available_cores(),
        bfloat16=has_bfloat16("cpu"),
        memory_gib=available_memory() / 2**30,
        gpus=tuple(torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())),
        system=f"{platform.system()} {platform.release().partition('-')[0]}",
        python=platform.python_version(),
        versions={name: v for name, names in _PACKAGES.items() if (v := _version(names))},
    )


def busy_cores(seconds: float = 0.5) -> float:
    """How many cores other programs keep busy while this thread sleeps; 0 where nobody counts."""
    before = _ticks()
    sleep(seconds)
    total, idle = (after - was for after, was in zip(_ticks(), before, strict=True))
    return (os.cpu_count() or 1) * (1 - idle / total) if total else 0.0


def _ticks() -> tuple[int, int]:
    """Of all processors since the start: in all, and without work (proc_stat(5))."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    except OSError:
        return 0, 0
    ticks = [int(field) for field in fields[1:9]]
    return sum(ticks), ticks[3] + ticks[4]


def _processor() -> str:
    """The model as Linux names it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _version(distributions: tuple[str, ...]) -> str | None:
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
