"""Engines: a style's network made ready to paint frames of one size on one device."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final

from vidstyle.errors import ResourceError, UsageError
from vidstyle.stylizers.device import available_cores, choose_device
from vidstyle.stylizers.registry import StyleFile

ENGINES: Final = ("auto", "torch", "openvino")


class Engine(ABC):
    """Paints frames of one size.

    Attributes:
        name: engine, device and precision, for people.
    """

    name: str

    @property
    @abstractmethod
    def pulse(self) -> int:
        """Changes with every piece of work that is done: a frame in tiles takes very many."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """What was not as asked or expected, a sentence each."""

    @abstractmethod
    def begin(self, batch: Any) -> Callable[[], Any]:
        """Begin to paint (N, H, W, 3) RGB frames, uint8; what comes back, called, waits for them.

        The next batch may begin before this one is waited for, so that no core is without work
        while the last frame of a batch is painted. What is painted has the shape of the batch; an
        engine of torch takes a tensor on its device as well, and gives one then.

        Raises:
            ResourceError: now or when waiting, memory does not hold a tile of a frame.
            StyleError: likewise, and the network gives no numbers.
        """

    @abstractmethod
    def choose(self, shares: Sequence[float]) -> None:
        """From now on, begin with so much of each style; for a style on a schedule only."""

    def paint(self, batch: Any) -> Any:
        """Begin with a batch and wait for it."""
        return self.begin(batch)()


def open_engine(
    style: StyleFile,
    *,
    height: int,
    width: int,
    device: str = "auto",
    engine: str = "auto",
) -> Engine:
    """Load a style and make it ready for frames of one size.

    Args:
        style: what `StyleRegistry.find` gave.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: "auto" takes OpenVINO on CPUs, where it is two to three times as fast, else torch.

    Raises:
        StyleError: the style's file is broken.
        UsageError: engine and device are unknown, or do not go together.
        ResourceError: the device or OpenVINO is not there.
    """
    chosen = check_engine(engine, device)
    if chosen != "cpu" or engine == "torch":
        return _torch(style, height, width, chosen)
    if not _has_openvino():
        note = "OpenVINO is not installed: painting with torch, slower"
        return _torch(style, height, width, chosen, (note,))
    return _open_vino_or_torch(style, height, width, engine)


def check_engine(engine: str, device: str) -> str:
    """The device that `open_engine` will take, as torch names it.

    Raises:
        UsageError, ResourceError: as `open_engine` does.
    """
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    chosen = choose_device(device)
    if engine == "openvino" and chosen != "cpu":
        raise UsageError(f"engine openvino runs on the CPU, not on {chosen}; add --device cpu")
    if engine == "openvino" and not _has_openvino():
        raise ResourceError(
            "engine openvino is not installed; pip install openvino, or --engine torch"
        )
    return chosen


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _torch(
    style: StyleFile, height: int, width: int, device: str, notes: tuple[str, ...] = ()
) -> Engine:
    from vidstyle.stylizers.torch_engine import TorchEngine

    return TorchEngine(style, height, width, device, notes)


def _open_vino_or_torch(style: StyleFile, height: int, width: int, engine: str) -> Engine:
    from vidstyle.stylizers.openvino_engine import OpenVinoEngine

    try:
        return OpenVinoEngine(style, height, width, available_cores())
    except (RuntimeError, MemoryError) as error:
        reason = (str(error).strip() or "out of memory").splitlines()[-1]
        if engine == "openvino":
            raise ResourceError(
                f"OpenVINO cannot run this style here ({reason}); try --engine torch"
            ) from error
        note = f"OpenVINO failed ({reason}): painting with torch, slower"
        return _torch(style, height, width, "cpu", (note,))
