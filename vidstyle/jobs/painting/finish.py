"""What is done to a steady painting last: as much of the picture as is asked for comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vidstyle.jobs.config import RunConfig
from vidstyle.types import Picture

# Levels of contrast up to which a picture shows nothing, and from which on it is painted whole.
_FLAT, _MODELLED = 2.0, 8.0
# Levels away from black, or from white, from which on a picture is painted whole.
_CLEAR = 96.0
# Power of the mean of those levels: what counts is how light the lights are, since a fade dims
# them, and a night does not. One in a hundred pixels counts for three quarters of its level.
_POWER = 16
# About as many rows and columns are looked at.
_SAMPLES = 64
# What shows letters on black, each from where it begins to count to where it counts whole: levels
# of the ground, the dark part of the picture, what of the dark is the ground itself to two levels,
# and what is neither dark nor bright. Credits: 0, 0.9, 0.99, 0.03; the darkest night at hand, a
# hall lit by what its audience holds up: 3, 0.98, 0.84, 0.03.
_GROUND, _DARK, _CLEAN, _BETWEEN = (24, 8), (0.5, 0.8), (0.90, 0.98), (0.1, 0.04)
_SAME = 2
# Light as a share of the way from the ground to the letters: up to where it is dark, from where on
# painted whole, and between what it is neither of both.
_UNLIT, _LIT = 0.1, 0.35
_NEITHER = (0.04, 0.1, 0.45, 0.7)
_LEAST_REACH = 4.0
"""Levels from the ground to the letters, at least: less shows nothing."""


@dataclass(frozen=True)
class Finish:
    """How much of the painting is shown, and in whose colours. Call it with both pictures."""

    strength: float = 1.0
    """Share of the painting, 0 to 1."""
    keep_colours: bool = False
    """Take only light and dark from the painting."""

    @classmethod
    def of(cls, config: RunConfig) -> Self:
        """What a run is asked for."""
        return cls(config.strength, config.keep_colours)

    @classmethod
    def of_stamp(cls, stamp: dict[str, Any]) -> Self:
        """What was asked for, by a stamp of `video.stamp.read_stamp`."""
        return cls(float(stamp.get("strength", 1)), bool(stamp.get("keep_colours")))

    def __call__(self, image: Picture, painting: Picture) -> Picture:
        """The finished picture: (H, W, 3) RGB, 0-255, as both are."""
        if self.keep_colours:
            painting = recolour(painting, image)
        painting = without_ground(image, painting)
        return mix(image, painting, self.strength * paintable(image))


def paintable(image: Picture) -> float:
    """How much there is to paint in an (H, W, 3) RGB picture: 1 in most, 0 in an empty one.

    Networks even out light and contrast before they paint: what fades to black would be as bright
    as day to its end, and an empty frame be filled with the noise of its encoder.
    """
    light = _luma(_spread(image)).astype(np.float64)
    contrast = (light.std() - _FLAT) / (_MODELLED - _FLAT)
    from_black, from_white = (
        np.mean(levels**_POWER) ** (1 / _POWER) / _CLEAR for levels in (light, 255 - light)
    )
    return float(np.clip(min(contrast, from_black, from_white), 0, 1))


def without_ground(image: Picture, painting: Picture) -> Picture:
    """The painting of an (H, W, 3) RGB picture; behind letters on black, black stays black.

    Painters would lay a ground of one colour there, with a halo around each line.
    """
    sample = _strongest(_spread(image))
    ground = float(np.median(sample))
    reach = max(float(np.percentile(sample, 99.8)) - ground, _LEAST_REACH)
    lettered = _lettered(sample, ground, reach)
    if lettered == 0:
        return painting
    there = _ramp((np.arange(256) - ground) / reach, (_UNLIT, _LIT))
    shares = np.rint(256 * (1 - lettered * (1 - there))).astype(np.uint16)
    light = Image.fromarray(_strongest(image)).filter(ImageFilter.BoxBlur(1))
    share = shares[np.asarray(light)]
    rows = share.any(axis=1)
    out = image.copy()
    out[rows] = _mixed(image[rows], painting[rows], share[rows, :, None])
    return out


def _lettered(levels: NDArray[np.uint8], ground: float, reach: float) -> float:
    """How sure it is, 0 to 1, that levels of a picture are letters on a black ground."""
    off = levels - ground
    light = off / reach
    dark = light < _UNLIT
    neither = np.interp(light, _NEITHER, (0, 1, 1, 0)).mean()
    signs = (
        (ground, _GROUND),
        (dark.mean(), _DARK),
        ((abs(off[dark]) <= _SAME).mean(), _CLEAN),
        (neither, _BETWEEN),
    )
    return float(np.prod([_ramp(np.float64(value), ends) for value, ends in signs]))


def _ramp(values: Any, ends: tuple[float, float]) -> Any:
    """0 up to the first end, or from it on where that is the larger one, and 1 at the other."""
    return ((values - ends[0]) / (ends[1] - ends[0])).clip(0, 1)


def recolour(painting: Picture, image: Picture) -> Picture:
    """The light and dark of `painting` in the colours of `image`, (H, W, 3) RGB, 0-255.

    "Luminance-only transfer" of Gatys et al. (2016), "Preserving color in neural artistic style
    transfer". Colours that differ in luma alone, not in chroma, differ by a grey: so the difference
    of the lumas is added to each channel. What leaves the range is cut off.
    """
    lighter = _luma(painting) - _luma(image)
    out = image + lighter[..., None]
    return np.clip(out, 0, 255, out=out).astype(np.uint8)


def mix(image: Picture, painting: Picture, strength: float) -> Picture:
    """Blend two pictures of one shape, 0-255: strength 0 is `image` exactly, 1 is `painting`.

    In between, strength is rounded to a 256th and the result to the nearest level.
    """
    if strength == 1:
        return painting
    return _mixed(image, painting, np.uint16(round(strength * 256)))


def _mixed(image: Picture, painting: Picture, share: NDArray[np.uint16] | np.uint16) -> Picture:
    total: NDArray[np.uint16] = image * (np.uint16(256) - share) + painting * share
    return ((total + np.uint16(128)) >> np.uint16(8)).astype(np.uint8)


def _spread(picture: Picture) -> Picture:
    """Some of its pixels, from all over it."""
    step = max(1, min(picture.shape[:2]) // _SAMPLES)
    return np.ascontiguousarray(picture[::step, ::step])


def _strongest(picture: Picture) -> NDArray[np.uint8]:
    """(H, W): of each pixel the largest channel; saturated letters have little luma."""
    return np.maximum(np.maximum(picture[..., 0], picture[..., 1]), picture[..., 2])


def _luma(picture: Picture) -> NDArray[np.int16]:
    """By BT.601's weights."""
    return np.asarray(Image.fromarray(picture).convert("L"), np.int16)
