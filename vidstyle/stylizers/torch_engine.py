"""Painting with torch: on GPUs, and wherever OpenVINO is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import ResourceError, StyleError, is_shortage
from vidstyle.stylizers.device import has_bfloat16
from vidstyle.stylizers.networks import choose_shares
from vidstyle.stylizers.painter import FramePainter
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network
from vidstyle.stylizers.tiles import TiledNetwork

TILES: Final = (1024, 512, 256)
"""Sides of the tiles that are tried, one after the other, where memory is short."""


class TorchEngine:
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
        self.notes = notes
        self.half = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        self.uses_half = self.device.type == "cuda" or has_bfloat16(device)
        precision = str(self.half).removeprefix("torch.") if self.uses_half else "float32"
        self.name = f"torch {device} {precision}"
        self._network: Callable[[Tensor], Tensor] = network
        if style.schedule:
            self.choose(style.shares)
        self._at_a_time: int | None = None
        self._sides = iter(TILES)

    def choose(self, shares: Sequence[float]) -> None:
        """From now on, paint so much of each style."""
        choose_shares(
            self.painter.network, torch.tensor(shares, dtype=torch.float32, device=self.device)
        )

    @torch.inference_mode()
    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) frames.

        Raises:
            ResourceError: the device's memory does not hold a tile of a frame.
            StyleError: the network paints no numbers.
        """
        while True:
            size = self._at_a_time or len(batch)
            try:
                return np.concatenate(
                    [self._paint(batch[n : n + size]) for n in range(0, len(batch), size)]
                )
            except (RuntimeError, MemoryError) as error:
                if not is_shortage(error):
                    raise
                shortage = error
            # Out of the block: the exception holds on to the memory of what failed.
            self._ask_for_less(size, shortage)
            del shortage

    def _paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        frames = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
        painted = self._run(frames, half=self.uses_half)
        if self.uses_half and not _is_finite(painted):
            self._note(f"{self.name} overflows here: painting such frames in float32, slower")
            painted = self._run(frames, half=False)
        if not _is_finite(painted):
            raise StyleError("the style's network paints no numbers (NaN); train it anew")
        return self.painter.finish(painted).cpu().numpy()

    def _run(self, frames: Tensor, *, half: bool) -> Tensor:
        with torch.autocast(self.device.type, self.half, enabled=half):
            return self._network(self.painter.prepare(frames))

    def _ask_for_less(self, size: int, shortage: BaseException) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if size > 1:
            self._at_a_time = size // 2
            self._note(f"{self.device} is short of memory: painting fewer frames at a time")
            return
        side = next(self._sides, None)
        if side is None:
            height, width = self.painter.height, self.painter.width
            raise ResourceError(
                f"{self.device}: too little memory for {width}x{height} frames, even in tiles; "
                "try --tier fast, or --device cpu"
            ) from shortage
        self._network = TiledNetwork(self.painter.network, side)
        self._note(f"{self.device} is short of memory: painting in tiles of {side}, much slower")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes += (note,)


def _is_finite(painted: Tensor) -> bool:
    return bool(torch.isfinite(painted.sum(dtype=torch.float32)))
