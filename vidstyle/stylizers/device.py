"""Which processor computes, and what it can do."""

from __future__ import annotations

import torch

from vidstyle.errors import ResourceError, UsageError


def choose_device(name: str) -> torch.device:
    """Turn a name ("auto", "cpu", "cuda", "cuda:1", "mps") into a device that works.

    Raises:
        UsageError: torch knows no such device.
        ResourceError: this machine has no such device.
    """
    if name == "auto":
        return _fastest()
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device {name!r} is unknown; try auto, cpu, cuda or mps") from error
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ResourceError(f"device {name!r} is not there; try --device cpu") from error
    return device


def _fastest() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Say whether bfloat16 is computed in hardware; where it is emulated, fp32 is faster."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())
