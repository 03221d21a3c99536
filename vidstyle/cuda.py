"""What keeps a CUDA device busy: copies beside its work, and work that is sent in one piece.

On other devices a copy is a plain copy and work is done as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import Lock
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

Work = Callable[..., tuple[Tensor, ...]]
"""Takes and gives tensors alone."""
_ONE_RECORDING = Lock()
"""torch lets one graph be recorded at a time in a process."""


def upload(array: NDArray[Any], device: torch.device) -> Tensor:
    """The array's values as a tensor on the device; they are there when this returns.

    The copy waits for nothing that was sent to the device before.
    """
    is_cuda, kind = device.type == "cuda", getattr(torch, array.dtype.name)
    host = torch.empty(array.shape, dtype=kind, pin_memory=is_cuda)
    host.numpy()[...] = array
    if not is_cuda:
        return host.to(device)
    stream = _beside(device, "up")
    with torch.cuda.stream(stream):
        on_device = host.to(device, non_blocking=True)
    stream.synchronize()
    # Its memory is not to be used anew before the work that will read it is done.
    on_device.record_stream(torch.cuda.current_stream(device))
    return on_device


def download(tensor: Tensor) -> NDArray[Any]:
    """The tensor as an array. This waits for what was sent before, not for what is sent later."""
    tensor = tensor.contiguous()
    if tensor.device.type != "cuda":
        return tensor.cpu().numpy()
    stream = _beside(tensor.device, "down")
    stream.wait_stream(torch.cuda.current_stream(tensor.device))
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    with torch.cuda.stream(stream):
        host.copy_(tensor, non_blocking=True)
    stream.synchronize()
    return host.numpy().copy()  # pinned memory is dear, and the array may have to wait for long


def give_back() -> None:
    """Give the device's unused memory back; never while another thread records."""
    with _ONE_RECORDING:
        torch.cuda.empty_cache()


@lru_cache
def _beside(device: torch.device, use: str) -> torch.cuda.Stream:
    """A stream for one use: copies up and down are two engines of the device."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


class Recording:
    """Work that a CUDA device repeats without being told each of its thousand steps again.

    The work must always do the same steps on tensors of the same shapes: it asks the device
    nothing, and what it remembers it changes in place. Its first call is done as it is, for then
    libraries set themselves up; the second is recorded as a CUDA graph. A call with other shapes
    is done as it is; when the same come twice in a row, they are recorded in place of the old.

    Attributes:
        note: why it could not be recorded, a sentence, else None. The work is done all the same.
    """

    def __init__(self, work: Work, device: torch.device) -> None:
        self._work, self._device = work, device
        self._plain = device.type != "cuda"
        self._recorded: list[torch.Size] | None = None
        self._last: list[torch.Size] | None = None
        self._replay: Work = work
        self.note: str | None = None

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Do the work."""
        if self._plain:
            return self._work(*inputs)
        shapes = [tensor.shape for tensor in inputs]
        again, self._last = shapes == self._last, shapes
        if shapes == self._recorded:
            return self._replay(*inputs)
        if not again:
            return self._work(*inputs)
        try:
            self._replay, self._recorded = record(self._work, inputs, self._device), shapes
        except RuntimeError as error:
            self._plain, self._replay = True, self._work
            reason = str(error).strip().partition("\n")[0]
            self.note = f"{self._device} records no graph ({reason}): sending every step, slower"
        return self._replay(*inputs)


def record(work: Work, inputs: tuple[Tensor, ...], device: torch.device) -> Work:
    """Record `work` as a CUDA graph, without doing it; what is returned does it.

    Raises:
        RuntimeError: some step cannot be recorded.
    """
    # The present stream is named so that it comes back even when torch fails to give it back.
    present = torch.cuda.current_stream(device)
    with _ONE_RECORDING, torch.cuda.device(device), torch.cuda.stream(present):
        taken = tuple(tensor.clone() for tensor in inputs)
        graph, side = torch.cuda.CUDAGraph(), _beside(device, "record")
        # Other threads may go on with their own work meanwhile. By default torch records on a
        # stream of the device that was the first to record anything.
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            given = work(*taken)

    def replay(*inputs: Tensor) -> tuple[Tensor, ...]:
        with torch.cuda.device(device):
            for kept, new in zip(taken, inputs, strict=True):
                kept.copy_(new)
            graph.replay()
            return tuple(tensor.clone() for tensor in given)

    return replay
