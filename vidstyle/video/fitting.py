"""Whether two clips show the same shot, and how one lies on the other: in time and in its frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Thumbs = NDArray[np.uint8]
"""(N, 36, 64): the luma of N frames."""
Prints = NDArray[np.float32]
"""(N, D): the structure of N frames, a unit vector each."""

_WIDTH, _HEIGHT = 64, 36
# Broad light and colour are what a style changes most: they are taken out of the structure.
_BROAD = ImageFilter.GaussianBlur(4)
_SAMPLES = 64
_AT_A_TIME = 512
# A clip is moved in time, or cut to a frame, only where that fits better by more than noise.
_GAIN = 0.01
_STILL = 0.98
# Aspect ratios this close differ by the rounding of sizes.
_SAME_ASPECT = Fraction(1, 50)


@dataclass(frozen=True)
class Framing:
    """Which middle parts of a source and of a clip show the same; shares of width and height."""

    words: str
    source: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))
    clip: tuple[Fraction, Fraction] = (Fraction(1), Fraction(1))


@dataclass(frozen=True)
class Fit:
    """How a clip lies on its source."""

    likeness: float
    """How strongly the structure of two frames shown together correlates at best, 0 to 1. Its sign
    does not count: a negative shows the same."""
    offset: Fraction
    """Seconds of the source at which the clip's first frame is shown."""
    framing: Framing


def thumb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The (36, 64) luma of an (H, W, 3) uint8 RGB frame."""
    small = Image.fromarray(image).resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
    return np.asarray(small.convert("L"))


def framings(source: Fraction, clip: Fraction) -> Iterator[Framing]:
    """How a tool may have come from one aspect ratio (width over height) to another."""
    ratio, whole = clip / source, Fraction(1)
    if abs(ratio - 1) <= _SAME_ASPECT:
        yield Framing("")
        return
    yield Framing("its picture is squeezed into another shape and was stretched back")
    wide = ratio > 1
    part = (1 / ratio, whole) if wide else (whole, ratio)
    yield Framing("it has bars, which were cut off", clip=part)
    part = (whole, 1 / ratio) if wide else (ratio, whole)
    share = round(100 * min(part))
    side = "height" if wide else "width"
    yield Framing(f"it shows the middle {share} % of the source's {side} only", source=part)


def fit(
    source: Thumbs,
    source_times: Sequence[Fraction],
    clip: Thumbs,
    clip_times: Sequence[Fraction],
    choices: Sequence[Framing],
    expected: Fraction = Fraction(0),
    *,
    certain: bool = False,
) -> Fit:
    """The offset and framing with which a clip is most like its source.

    Up to 64 frames of the clip are held against the nearest of the source, at every offset with
    which they overlap by half of what they can. The `expected` offset and the first framing are
    left only for a better fit, the offset never if it is `certain`. Times are seconds from each
    clip's first frame.
    """
    taken = np.linspace(0, len(clip) - 1, min(_SAMPLES, len(clip))).round().astype(int)
    offsets = [expected, *source_times, *(-time for time in clip_times[1:])]
    moments = np.array([[float(clip_times[k])] for k in taken])
    grid = np.array([float(offset) for offset in offsets]) + moments
    times = np.array([float(time) for time in source_times])
    best, best_score = None, -1.0
    for framing in choices:
        prints = _prints(clip[taken], framing.clip)
        alike = np.concatenate(
            [
                np.abs(_prints(source[k : k + _AT_A_TIME], framing.source) @ prints.T)
                for k in range(0, len(source), _AT_A_TIME)
            ]
        )
        found, inside = _together(alike, times, grid)
        scores = _scores(found, inside)
        place = int(scores.argmax())
        if certain or scores[place] <= scores[0] + _GAIN or _stands_still(prints):
            place = 0
        if best is None or scores[place] > best_score + _GAIN:
            best_score = float(scores[place])
            best = Fit(float(found[:, place].max()), offsets[place], framing)
    assert best is not None
    return best


def _together(
    alike: Prints, times: NDArray[np.float64], grid: NDArray[np.float64]
) -> tuple[Prints, NDArray[np.bool_]]:
    """Likeness of each sample to the source's nearest frame at each offset, and where there is one.

    Takes `alike` as (source frames, samples), `grid` as (samples, offsets). The nearest frame
    counts, not the one that is shown: that would favour a shift at other rates.
    """
    middles = (times[1:] + times[:-1]) / 2
    half = (times[-1] - times[0]) / max(len(times) - 1, 1) / 2
    inside = (grid > times[0] - half) & (grid < times[-1] + half)
    found = alike[np.searchsorted(middles, grid), np.arange(len(grid))[:, None]]
    return np.where(inside, found, np.float32(0)), inside


def _scores(found: Prints, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean likeness at each offset, -1 where too few samples overlap."""
    counts = inside.sum(axis=0)
    means = found.sum(axis=0) / np.maximum(counts, 1)
    return np.where(2 * counts >= counts.max(), means, -1.0)


def _stands_still(prints: Prints) -> bool:
    """A clip that does not change tells nothing of its time: any source frame may be its own."""
    return float((prints @ prints.T).min()) > _STILL


def _prints(thumbs: Thumbs, part: tuple[Fraction, Fraction]) -> Prints:
    """What is fine in the middle `part` of each picture, about its mean and of unit length."""
    fine = np.stack([_fine(thumb, part) for thumb in thumbs]).reshape(len(thumbs), -1)
    fine -= fine.mean(axis=1, keepdims=True)
    fine /= np.maximum(np.linalg.norm(fine, axis=1, keepdims=True), 1e-6)
    return fine


def _fine(thumb: NDArray[np.uint8], part: tuple[Fraction, Fraction]) -> NDArray[np.float32]:
    box = middle((_WIDTH, _HEIGHT), part)
    cut = Image.fromarray(thumb).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC, box=box)
    return np.asarray(cut, np.float32) - np.asarray(cut.filter(_BROAD), np.float32)


def middle(
    size: tuple[int, int], part: tuple[Fraction, Fraction]
) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the middle `part` of a picture of a (width, height)."""
    left, top = ((1 - share) * length / 2 for share, length in zip(part, size, strict=True))
    return float(left), float(top), float(size[0] - left), float(size[1] - top)
