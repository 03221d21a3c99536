"""Which processor computes, and what it can do. Torch is imported only where it is asked."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vidstyle.errors import ResourceError, UsageError

if TYPE_CHECKING:
    import torch

_GPU_NAME: Final = re.compile(r"(cuda|mps)(:[0-9]{1,3})?")
_GPU_NODES: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What NVIDIA's and AMD's drivers, and Windows' for Linux guests, make visible of a GPU."""

_OWN_GROUP: Final = Path("/proc/self/cgroup")
_GROUPS: Final = Path("/sys/fs/cgroup")
_NUMBERS: Final = {"cpu.max": 2, "memory.max": 1}
"""In a file of limits; where there is no limit, the first is "max"."""

_MOST_PIXELS: Final = 17_000_000
"""Two frames of 4K. Side by side, networks need memory for each frame: some 100 bytes a pixel."""

_MOST_ON_GPU: Final = 8
"""Frames that fill a GPU; more would only make others wait longer."""
_GPU_BYTES: Final = 1000
"""Of GPU memory that networks take a pixel, at most."""


def choose_device(name: str) -> str:
    """Turn a name ("auto", "cpu", "cuda", "cuda:1", "mps") into one of a device that works.

    Raises:
        UsageError: it is none of these.
        ResourceError: this machine has no such device.
    """
    if name == "auto":
        return _fastest()
    if name == "cpu":
        return name
    import torch

    if not _GPU_NAME.fullmatch(name):
        raise UsageError(f"device {name!r} is unknown; try auto, cpu, cuda or mps")
    device = torch.device(name)
    if not _works(device):
        raise ResourceError(f"device {name!r} is not there; try --device cpu")
    return name


def _works(device: torch.device | str) -> bool:
    """Whether a device is there, and torch was built for its kind."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        return False
    return True


def _fastest() -> str:
    # Importing torch takes longer than painting the first frames does.
    if sys.platform == "linux" and not any(Path(node).exists() for node in _GPU_NODES):
        return "cpu"
    import torch

    if torch.cuda.is_available() and _works("cuda"):
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def has_bfloat16(device: str) -> bool:
    """Say whether torch computes bfloat16 in hardware; where it is emulated, fp32 is faster."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def available_cores() -> int:
    """Processor cores that this process may use, in a container too."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    for quota, period in _container_limits("cpu.max"):
        cores = min(cores, max(1, ceil(quota / period)))
    return cores


def available_memory() -> int:
    """Bytes of memory that this machine, or its container, has; 0 where nobody says."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        return 0
    return min([memory, *(limit for (limit,) in _container_limits("memory.max"))])


def _container_limits(name: str) -> Iterator[list[int]]:
    """What Linux's control groups (version 2) allow this process: its own and those above."""
    with suppress(OSError):
        _, _, own = _OWN_GROUP.read_text().partition("0::/")
        group = Path("/", own.strip())
        for folder in (group, *group.parents):
            limit = ""
            with suppress(OSError):  # the topmost group of a machine has no limits
                limit = (_GROUPS / folder.relative_to("/") / name).read_text()
            numbers = limit.split()
            if len(numbers) == _NUMBERS[name] and all(map(str.isdecimal, numbers)):
                yield [int(number) for number in numbers]


def frames_on_gpu(height: int, width: int, device: str) -> int:
    """How many frames a GPU should paint at a time: what half of its free memory holds."""
    if not device.startswith("cuda"):
        return 1
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(_MOST_ON_GPU, free // (2 * _GPU_BYTES * height * width)))


def frames_at_a_time(height: int, width: int, threads: int) -> int:
    """How many frames a CPU should paint side by side: one a thread, unless they are huge."""
    return max(1, min(threads, _MOST_PIXELS // (height * width)))
