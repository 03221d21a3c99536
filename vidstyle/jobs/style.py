"""A style ready to paint pictures of any size."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.errors import UsageError
from vidstyle.motion.ops import Size
from vidstyle.motion.scale import scaled
from vidstyle.stylizers.device import (
    available_cores,
    choose_device,
    frames_at_a_time,
    frames_on_gpu,
)
from vidstyle.stylizers.engine import Engine, check_engine, open_engine
from vidstyle.stylizers.mixture import is_mixture, is_schedule
from vidstyle.stylizers.registry import StyleFile, StyleRegistry, is_path
from vidstyle.types import MOST_BRUSH, TIERS, StyleCard, Tier

_KEPT = 2
"""Engines that stay open: clips of one size share one, a folder of odd sizes must not pile up."""


class Style:
    """A style and where it is computed. Engines are opened when a size is first painted.

    Attributes:
        card: what the style says of itself.
        sha256: of its file.
        spec: what `load_style` finds it by.
        schedule: how it changes over a clip, if it does.
        brush: how many times as large as learnt its strokes are.
        reverse: whether it takes the way back, from paintings to photographs.
        notes: what is not as asked, a sentence each.
    """

    def __init__(
        self,
        file: StyleFile,
        device: str = "auto",
        engine: str = "auto",
        notes: tuple[str, ...] = (),
        brush: float = 1.0,
        *,
        reverse: bool = False,
    ) -> None:
        """Choose where to compute; the other arguments are as for `load_style`.

        Raises:
            UsageError, ResourceError: device or engine are unknown, not there, or do not go
                together.
        """
        if reverse:
            file = file.reversed()
        self.card: StyleCard = file.card
        self.sha256 = file.sha256()
        self.spec = file.spec
        self.schedule = file.schedule
        self.notes = notes
        self.brush = brush
        self.reverse = reverse
        self._device = check_engine(engine, device)

        self._opened = lru_cache(_KEPT)(
            lambda height, width: open_engine(
                file, height=height, width=width, device=device, engine=engine
            )
        )
        self._chosen_batch = lru_cache(lambda height, width: _batch(height, width, self._device))

    @property
    def tensors_on(self) -> str | None:
        """The device on which frames stay from the first step to the last; None on a CPU."""
        return self._device if self._device.startswith("cuda") else None

    def engine(self, height: int, width: int) -> Engine:
        """The engine for pictures of one size: that of their `canvas`.

        Raises:
            StyleError, UsageError, ResourceError: as `open_engine` does.
        """
        return self._opened(height, width)

    def canvas(self, height: int, width: int) -> Size:
        """Height and width in which pictures of a size are painted.

        A network's strokes have a size in pixels, whatever the picture's: in a smaller one they are
        larger, and painted sooner.
        """
        return max(round(height / self.brush), 1), max(round(width / self.brush), 1)

    def batch(self, height: int, width: int) -> int:
        """How many frames are worth painting at a time, chosen once: graphs are recorded for it."""
        return self._chosen_batch(height, width)

    def paint(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint one picture (H, W, 3), or a batch (N, H, W, 3); RGB, 0-255, the same shape back.

        Frames of a video are painted one by one here; `vidstyle.run` also holds them still. Of a
        style that changes over a clip it is what the clip begins with.

        Raises:
            ValueError: the array has another shape or type.
            StyleError, UsageError, ResourceError: the style cannot be used here.
        """
        fits = pictures.ndim in (3, 4) and pictures.shape[-1] == 3 and pictures.size > 0
        if not fits or pictures.dtype != np.uint8:
            raise ValueError(
                f"pictures are uint8 arrays (H, W, 3) or (N, H, W, 3) and not empty, "
                f"not {pictures.dtype} {pictures.shape}"
            )
        batch = pictures.reshape(-1, *pictures.shape[-3:])
        height, width = batch.shape[1:3]
        canvas = self.canvas(height, width)
        engine = self.engine(*canvas)
        if self.schedule:  # a clip of this size may have left it in what it ended with
            engine.choose(self.schedule.at(0))
        if canvas == (height, width):
            painting: NDArray[np.uint8] = engine.paint(batch)
            return painting.reshape(pictures.shape)
        small = np.stack([scaled(picture, *canvas) for picture in batch])
        painted = [scaled(p, height, width) for p in engine.paint(small)]
        return np.stack(painted).reshape(pictures.shape)


def load_style(
    name: str | Path,
    *,
    tier: Tier | None = None,
    reverse: bool = False,
    brush: float = 1.0,
    device: str = "auto",
    engine: str = "auto",
) -> Style:
    """Load a style by its name or by the path of its file.

    Args:
        name: "monet" and the like, a mixture such as "monet:0.6,scream:0.4", or a path.
        tier: "fast" or "best"; None takes `fast` on a CPU and `best` on a GPU. A style that is not
            trained for the tier comes in its other one: see `Style.card`.
        reverse: take the way back, from paintings to photographs, of a style that keeps it.
        brush: how many times as large as learnt the strokes are, 1 to 4.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: "auto", "torch" or "openvino".

    Raises:
        StyleError: there is no such style, its file is broken, or it keeps no way back.
        UsageError, ResourceError: tier or device is unknown, the brush out of its range, or the
            device not there.
    """
    if tier not in (None, *TIERS):
        raise UsageError(f"tier {tier!r} is unknown; choose one of {', '.join(TIERS)}")
    if not 1 <= brush <= MOST_BRUSH:
        raise UsageError(f"brush must be between 1 and {MOST_BRUSH}, not {brush}")
    name = str(name)  # a path may come as one
    wanted = tier or default_tier(device)
    file = StyleRegistry().find(name, wanted)
    # A file named by its path is what it is; its tier surprises only who asked for another.
    by_path = is_path(name)
    surprise = file.card.tier != wanted and (tier is not None or not by_path)
    mixed = not by_path and (is_mixture(name) or is_schedule(name))
    chosen = file.card.tier
    why = f"these can be mixed in {chosen} only" if mixed else f"{name} has no {wanted} tier yet"
    notes = (f"{why}: painting with {chosen}",) if surprise else ()
    return Style(file, device, engine, notes, brush, reverse=reverse)


def _batch(height: int, width: int, device: str) -> int:
    if device == "cpu":
        return frames_at_a_time(height, width, available_cores())
    return frames_on_gpu(height, width, device)


def default_tier(device: str) -> Tier:
    """The tier that suits a device."""
    return "fast" if choose_device(device) == "cpu" else "best"
