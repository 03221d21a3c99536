"""Pairs of neighbouring frames of real clips, with the flow between them, from files.

Training reads no videos: `vidstyle.jobs.pairs` takes the frames out of the clips once and keeps
them; `save_pair` and `ClipPairs` are the two ends of that cache, `save_held_out` and
`load_held_out` those of the frames that only the preview shows.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from vidstyle.errors import InputError
from vidstyle.files import replacing
from vidstyle.training.data import PhotoBatches
from vidstyle.training.motion import MovedPair, centre, luminance, moved_pair, shifted_grid
from vidstyle.types import Picture

CLIP_SHARE: Final = 0.4
"""Share of the steps that see real clips; the others see motion whose flow is exact."""
LIGHT_REACH: Final = 17
"""Pixels over which light is taken to change alike; what differs within them is noise."""
PAIR_SUFFIX: Final = ".npz"
HELD_OUT: Final = "held-out.npy"


@dataclass(frozen=True)
class FramePair:
    """Two neighbouring frames of a clip."""

    first: Picture
    """(H, W, 3) RGB."""
    second: Picture
    """(H, W, 3) RGB."""
    flow: NDArray[np.floating]
    """(H, W, 2): where each pixel of the second lies in the first, x and y offsets in pixels."""
    hidden: NDArray[np.bool_]
    """(H, W): pixels of the second that the first does not show."""

    def crop(self, side: int, rng: np.random.Generator) -> FramePair:
        """Cut a random square of `side` pixels out of both, mirrored now and then."""
        height, width = self.hidden.shape
        top, left = (int(rng.integers(n - side + 1)) for n in (height, width))
        across = slice(left, left + side)
        parts = [part[top : top + side, across] for part in vars(self).values()]
        if rng.random() < 0.5:
            parts = [part[:, ::-1] for part in parts]
            parts[2] = parts[2] * np.array((-1, 1), parts[2].dtype)
        return FramePair(*parts)


def save_pair(path: Path, pair: FramePair) -> None:
    """Write a pair, its flow in half precision.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    flow = pair.flow.astype(np.float16)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file, first=pair.first, second=pair.second, flow=flow, hidden=pair.hidden
        )


def load_pair(path: Path) -> FramePair:
    """Read what `save_pair` wrote.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return FramePair(file["first"], file["second"], file["flow"], file["hidden"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: no readable pair of frames ({error}); remove its folder") from (
            error
        )


def save_held_out(folder: Path, frames: NDArray[np.uint8]) -> None:
    """Keep successive frames (N, H, W, 3) of a clip that is not learnt from.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    with replacing(folder / HELD_OUT) as part, part.open("wb") as file:
        np.save(file, frames)


def load_held_out(folder: Path, side: int) -> Tensor | None:
    """The middles (N, 3, S, S) of what `save_held_out` kept in a folder, if it did.

    Raises:
        InputError: it cannot be read.
    """
    path = folder / HELD_OUT
    if not path.is_file():
        return None
    try:
        frames = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: no readable frames ({error}); remove its folder") from error
    top, left = ((n - side) // 2 for n in frames.shape[1:3])
    middles = frames[:, top : top + side, left : left + side]
    return torch.from_numpy(middles).permute(0, 3, 1, 2).float() / 255


class ClipPairs:
    """The pairs in a folder, drawn at random."""

    def __init__(self, folder: Path) -> None:
        """Find them.

        Raises:
            InputError: there are none.
        """
        self.files = sorted(folder.glob(f"*{PAIR_SUFFIX}"))
        if not self.files:
            raise InputError(f"{folder}: holds no pairs of frames")

    def draw(self, count: int, photos: Tensor, rng: np.random.Generator) -> MovedPair:
        """Make a pair of `count` frames, which come before the photographs (N, 3, S, S).

        As in ReCoNet (Gao et al. 2018) the change of luminance that the flow does not explain is
        light, but only what neighbouring pixels share of it: the rest is noise, not to be painted.
        """
        side = photos.shape[-1]
        chosen = rng.integers(len(self.files), size=count)
        frames = [load_pair(self.files[k]).crop(side, rng) for k in chosen]
        first, second = (
            _stack([getattr(pair, name) for pair in frames]).permute(0, 3, 1, 2) / 255
            for name in ("first", "second")
        )
        grid = shifted_grid(count, side, np.zeros(2, int))
        grid = grid + _stack([pair.flow for pair in frames]) * (2 / side)
        uncovered = 1 - _stack([pair.hidden for pair in frames])[:, None]
        still = torch.zeros(count, 1, side, side)
        pair = MovedPair(torch.cat([first, photos]), second, grid, still, uncovered)
        return replace(pair, light=_light(pair))


def _stack(arrays: list[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))


def _light(pair: MovedPair) -> Tensor:
    """Change of luminance (M, 1, S, S) from the first to the second, averaged over what is seen."""
    moved, mask = pair.move(pair.first[: len(pair.second)])
    change = luminance(pair.second - moved) * mask
    around, seen = (
        F.avg_pool2d(x, LIGHT_REACH, 1, LIGHT_REACH // 2, count_include_pad=False)
        for x in (change, mask)
    )
    return around / seen.clamp(min=1e-3)


class MovedBatches(Dataset[MovedPair]):
    """Item k is the pair of step k: photographs that are moved here or, sometimes, real frames."""

    def __init__(
        self, photos: PhotoBatches, side: int, clips: ClipPairs | None, *, beside: bool = False
    ) -> None:
        """Take photographs `MARGIN` pixels wider than `side` all around.

        Frames take the places of half of them or, with `beside`, come before all of them.
        """
        self.photos = photos
        self.side = side
        self.clips = clips
        self.beside = beside

    def __getitem__(self, step: int) -> MovedPair:
        rng = np.random.default_rng((self.photos.seed, step, 1))
        photos = self.photos[step]
        if self.clips is not None and rng.random() < CLIP_SHARE:
            seen = centre(photos, self.side)
            count = len(seen) if self.beside else (len(seen) + 1) // 2
            return self.clips.draw(count, seen if self.beside else seen[count:], rng)
        return moved_pair(photos, self.side, rng)
