"""A moving picture made by code: texture, a panning camera, things that pass, a little noise.

Flow, blend and encoder have as much to do in it as in a real clip; a flat or a still picture would
flatter all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidstyle.motion.warp import grid, warp
from vidstyle.types import Picture

Places = NDArray[np.float32]

_CONTRAST, _EDGES = 36.0, 24.0
"""Levels: deviation of the soft texture, and half the step of the hard edges in it."""
_NOISE = 2
"""Levels of sensor noise, at most."""
_TILE = 512
"""Pixels after which the texture repeats; a power of two for the Fourier transform."""
_SPARE = 32
"""Pixels by which the noise is larger than the frame, so that it does not repeat."""


def moving_scene(width: int, height: int, count: int) -> Iterator[Picture]:
    """Yield `count` frames, (height, width, 3) uint8 RGB; the same every time.

    The camera sways and zooms by some hundredths of the height; three discs cross the picture, so
    that things are hidden and come into view. Speeds grow with the size, as in a real clip.
    """
    rng = np.random.default_rng(0)
    margin = height // 8
    backdrop = texture(rng, height + 2 * margin, width + 2 * margin)
    discs = [_Disc(texture(rng, height // 3, height // 3), phase) for phase in (0.0, 0.3, 0.7)]
    noise = rng.integers(-_NOISE, _NOISE + 1, (height + _SPARE, width + _SPARE, 3), np.int16)
    for number in range(count):
        sway = margin * 0.6 * np.array((np.sin(number / 20), np.cos(number / 27)), np.float32)
        zoom = np.float32(0.04 * np.sin(number / 35))
        centre = np.array((width / 2, height / 2), np.float32)
        frame = warp(backdrop, (grid(height, width) - centre) * zoom + sway + margin)
        for disc in discs:
            disc.put(frame, number)
        y, x = rng.integers(0, _SPARE, 2)
        grain = noise[y : y + height, x : x + width]
        yield np.clip(frame + grain, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class _Disc:
    """A round thing with a texture of its own, crossing the picture again and again."""

    picture: Picture
    phase: float

    def put(self, frame: Picture, number: int) -> None:
        """Paint it where it is at frame `number`, at a fraction of a pixel."""
        size = self.picture.shape[0]
        height, width = frame.shape[:2]
        across = (self.phase + number * height / 150 / width) % 1 * (width + size) - size
        down = (height - size) * (0.5 + 0.4 * np.sin(number / 15 + 9 * self.phase))
        place = np.array((across, down))
        left, top = np.floor(place).astype(int)
        inside = (slice(max(top, 0), top + size), slice(max(left, 0), left + size))
        area = frame[inside]
        rows, columns = area.shape[:2]
        start = np.array((max(left, 0), max(top, 0))) - place
        offset = np.broadcast_to(start.astype(np.float32), (rows, columns, 2))
        if area.size:
            share = _round(grid(rows, columns) + offset, size)
            area[:] = area + share * (warp(self.picture, offset) - area.astype(float))


def _round(places: Places, size: int) -> NDArray[np.float32]:
    """(H, W, 1): 1 inside a disc of diameter `size`, 0 outside, a pixel of slope between."""
    x, y = np.moveaxis(places - np.float32(size / 2), -1, 0)
    share: NDArray[np.float32] = np.clip(size / 2 - np.hypot(x, y), 0, 1)
    return share[..., None]


def texture(rng: np.random.Generator, height: int, width: int) -> Picture:
    """(height, width, 3) uint8: soft and sharp as photographs are, with edges; it repeats.

    Amplitude falls with a power of frequency, as in natural images (Field 1987, "Relations between
    the statistics of natural images and the response properties of cortical cells"), and so that
    an encoder spends about as much on it as on real clips.
    """
    light, cut = _soft_noise(rng, 1.5), _soft_noise(rng, 2.0)
    grey = 128 + _CONTRAST * light + np.where(cut > 0, _EDGES, -_EDGES)
    tints = [_CONTRAST / 2 * _soft_noise(rng, 2.0) for _ in range(3)]
    levels = np.stack([grey + tint for tint in tints], axis=-1)
    tile = np.clip(levels, 0, 255).astype(np.uint8)
    return np.tile(tile, (-(-height // _TILE), -(-width // _TILE), 1))[:height, :width].copy()


def _soft_noise(rng: np.random.Generator, power: float) -> NDArray[np.float64]:
    """(_TILE, _TILE), without a seam, mean 0, deviation 1; amplitude is 1 / frequency**power."""
    frequency = np.hypot(np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE))
    frequency[0, 0] = np.inf
    turns = np.exp(2j * np.pi * rng.random(frequency.shape))
    plane: NDArray[np.float64] = np.fft.irfft2(turns / frequency**power, (_TILE, _TILE))
    return plane / float(plane.std())
