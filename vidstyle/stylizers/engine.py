"""Engines: a style's network made ready to paint frames of one size on one device."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import ResourceError, UsageError
from vidstyle.stylizers.device import available_cores, choose_device
from vidstyle.stylizers.registry import StyleFile

ENGINES: Final = ("auto", "torch", "openvino")


class Engine(Protocol):
    """Paints frames of one size."""

    name: str
    """Engine, device and precision, for people."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as asked or expected, a sentence each."""

    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) RGB frames, 0-255; the result has the same shape.

        An engine of torch takes a tensor on its device as well, and gives one then.
        """
        ...

    def choose(self, shares: Sequence[float]) -> None:
        """From now on, paint so much of each style; for a style on a schedule only."""
        ...


def open_engine(
    style: StyleFile,
    *,
    height: int,
    width: int,
    device: str = "auto",
    engine: str = "auto",
    threads: int | None = None,
) -> Engine:
    """Load a style and make it ready for frames of one size.

    Args:
        style: what `StyleRegistry.find` gave.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: "auto" takes OpenVINO on CPUs, where it is two to three times as fast, else torch.
        threads: that OpenVINO computes with; None takes every core there is.

    Raises:
        StyleError: the style's file is broken.
        UsageError: engine and device are unknown, or do not go together.
        ResourceError: the device or OpenVINO is not there.
    """
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    chosen = choose_device(device)
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "openvino" and chosen != "cpu":
        raise UsageError(f"engine openvino runs on the CPU, not on {chosen}; add --device cpu")
    if engine == "openvino" and not installed:
        raise ResourceError(
            "engine openvino is not installed; pip install openvino, or --engine torch"
        )
    if chosen != "cpu" or engine == "torch":
        return _torch(style, height, width, chosen)
    if not installed:
        note = "OpenVINO is not installed: painting with torch, slower"
        return _torch(style, height, width, chosen, (note,))
    return _open_vino_or_torch(style, height, width, threads or available_cores(), engine)


def _torch(
    style: StyleFile, height: int, width: int, device: str, notes: tuple[str, ...] = ()
) -> Engine:
    from vidstyle.stylizers.torch_engine import TorchEngine

    return TorchEngine(style, height, width, device, notes)


def _open_vino_or_torch(
    style: StyleFile, height: int, width: int, threads: int, engine: str
) -> Engine:
    from vidstyle.stylizers.openvino_engine import OpenVinoEngine

    try:
        return OpenVinoEngine(style, height, width, threads)
    except (RuntimeError, MemoryError) as error:
        reason = (str(error).strip() or "out of memory").splitlines()[-1]
        if engine == "openvino":
            raise ResourceError(
                f"OpenVINO cannot run this style here ({reason}); try --engine torch"
            ) from error
        note = f"OpenVINO failed ({reason}): painting with torch, slower"
        return _torch(style, height, width, "cpu", (note,))
