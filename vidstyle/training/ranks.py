"""Several processes that train one network together, as `torchrun` starts them.

Each takes its own share of every step's pictures, the gradients are averaged over all, and so all
have the same weights after every step. Only the first one writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import torch
from torch import Tensor, nn
from torch import distributed as dist

PATIENCE: Final = timedelta(days=1)
"""For the first, which prepares clips while the others wait. Those that are left by one that
failed are ended by torchrun at once."""


def rank() -> int:
    """Which of the processes this is; 0 is the first, or the only one."""
    return int(os.environ["RANK"]) if dist.is_torchelastic_launched() else 0


def ranks() -> int:
    """How many processes train together."""
    return int(os.environ["WORLD_SIZE"]) if dist.is_torchelastic_launched() else 1


def meet(device: torch.device) -> torch.device:
    """Wait for the other processes, if there are any; give this one's own device of that kind."""
    if ranks() == 1:
        return device
    on_gpus = device.type == "cuda"
    if on_gpus:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        backend, own = ("nccl", device) if on_gpus else ("gloo", None)
        dist.init_process_group(backend, timeout=PATIENCE, device_id=own)
        dist.barrier()
    return device


def leave() -> None:
    """Leave the other processes, when all is done."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Give every process the mean of all processes' gradients; where one has none, it counts 0."""
    if ranks() == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        average_over_ranks(parameter.grad)


def average_over_ranks(values: Tensor) -> Tensor:
    """Give every process, in place, the mean of all processes' values."""
    if ranks() > 1:
        dist.all_reduce(values)
        values /= ranks()
    return values
