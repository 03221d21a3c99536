"""Painting with torch: on GPUs, and wherever OpenVINO is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor

from vidstyle.cuda import Recording, Work, download, give_back, upload
from vidstyle.errors import ShortageError, StyleError, is_shortage
from vidstyle.stylizers.device import has_bfloat16
from vidstyle.stylizers.engine import Engine
from vidstyle.stylizers.networks import choose_shares
from vidstyle.stylizers.painter import FramePainter
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network
from vidstyle.stylizers.tiles import TiledNetwork

TILES: Final = (1024, 512, 256)
"""Sides of the tiles that are tried, one after the other, where memory is short."""


@dataclass(frozen=True)
class _Painting:
    """One way to paint frames. It knows no engine: a graph of it must not keep one alive."""

    painter: FramePainter
    network: Callable[[Tensor], Tensor]
    half: torch.dtype | None

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """The painted frames, and whether all of what the network gave are numbers."""
        with torch.autocast(frames.device.type, self.half, enabled=self.half is not None):
            painted = self.network(self.painter.prepare(frames))
        finite = torch.isfinite(painted.sum(dtype=torch.float32))
        return self.painter.finish(painted), finite


class TorchEngine(Engine):
    """Runs a network in torch: half precision where the device computes it, norms in fp32.

    Where memory is short it paints fewer frames at a time, then frames in tiles, and keeps to it.
    What half precision does not hold is painted in fp32.
    """

    def __init__(
        self, style: StyleFile, height: int, width: int, device: str, notes: tuple[str, ...] = ()
    ) -> None:
        """Open the style for frames of one size; `notes` are passed on.

        Raises:
            StyleError: the style's file is broken.
        """
        network = load_network(style)
        self.painter = FramePainter(network, height, width).eval().to(device)
        self.device = torch.device(device)
        where = device
        if self.device.type == "cuda":
            self.painter.to(memory_format=torch.channels_last)  # what its matrix units read
            # A run that goes on paints what it would have painted: on this kind of GPU alone.
            torch.backends.cudnn.deterministic = True
            where += f" ({torch.cuda.get_device_name(self.device)})"
        self._notes = notes
        self.half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        self.uses_half = self.device.type == "cuda" or has_bfloat16(device)
        precision = str(self.half).removeprefix("torch.") if self.uses_half else "float32"
        self.name = f"torch {where} {precision}"
        self._shares = torch.tensor(style.shares, dtype=torch.float32, device=self.device)
        choose_shares(network, self._shares)
        self._painting = _Painting(self.painter, network, self.half if self.uses_half else None)
        self._recorded = Recording(self._painting, self.device)
        self._work: Work = self._recorded
        self._parts = 0
        self._at_a_time: int | None = None
        self._sides = iter(TILES)

    @property
    def pulse(self) -> int:
        """Changes with every part of a batch, and with every tile."""
        network = self._painting.network
        return self._parts + (network.tiles if isinstance(network, TiledNetwork) else 0)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as expected, a sentence each."""
        return self._notes + ((self._recorded.note,) if self._recorded.note else ())

    def choose(self, shares: Sequence[float]) -> None:
        """From now on, paint so much of each style."""
        self._shares.copy_(torch.tensor(shares))  # in place, for it may be part of a CUDA graph

    def begin(self, batch: Any) -> Callable[[], Any]:
        """Paint (N, H, W, 3) frames, an array or a tensor of its device; back comes the same kind.

        All is done when this returns: torch takes every core for one batch.

        Raises:
            ResourceError: the device's memory does not hold a tile of a frame.
            StyleError: the network gives no numbers.
        """
        if isinstance(batch, Tensor):
            painted: Any = self._paint_all(batch)
        else:
            painted = download(self._paint_all(upload(batch, self.device)))
        return lambda: painted

    @torch.inference_mode()
    def _paint_all(self, frames: Tensor) -> Tensor:
        while True:
            size = self._at_a_time or len(frames)
            try:
                return torch.cat([self._paint(part) for part in frames.split(size)])  # type: ignore[no-untyped-call]
            except (RuntimeError, MemoryError) as error:
                if not is_shortage(error):
                    raise
                shortage = error
            # Out of the block: the exception holds on to the memory of what failed.
            self._ask_for_less(size, shortage)
            del shortage

    def _paint(self, frames: Tensor) -> Tensor:
        painted, finite = self._work(frames)
        self._parts += 1
        if self.uses_half and not finite:
            self._note(f"{self.name} overflows here: painting such frames in float32, slower")
            painted, finite = replace(self._painting, half=None)(frames)
        if not finite:
            raise StyleError("the style's network gives no numbers (NaN); train it anew")
        return painted

    def _ask_for_less(self, size: int, shortage: BaseException) -> None:
        self._recorded = Recording(self._painting, self.device)
        self._work = self._recorded
        if self.device.type == "cuda":
            give_back()
        if size > 1:
            self._at_a_time = size // 2
            self._note(f"{self.device} is short of memory: painting fewer frames at a time")
            return
        side = next(self._sides, None)
        if side is None:
            height, width = self.painter.height, self.painter.width
            raise ShortageError(
                f"{self.device}: too little memory for {width}x{height} frames, even in tiles; "
                "try --tier fast, or --device cpu"
            ) from shortage
        self._at_a_time = 1  # tiles are of one frame
        tiled = TiledNetwork(self.painter.network, side)
        self._painting = replace(self._painting, network=tiled)
        self._work = self._painting  # tiles look at what they find: no graph can be made of that
        self._note(f"{self.device} is short of memory: painting in tiles of {side}, much slower")

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes += (note,)
