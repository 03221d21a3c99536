"""A source and its paintings side by side: frames that belong to one moment, at one size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from vidstyle.motion.scale import scaled
from vidstyle.types import Picture
from vidstyle.video.align import Alignment, crop

_NO_LAG = Fraction(0)


@dataclass(frozen=True)
class Moment:
    """What all clips show at one time."""

    time: Fraction
    """Seconds since the source's first frame."""
    images: tuple[Picture, ...]
    """(H, W, 3) RGB of one size, the source first."""
    lags: tuple[Fraction, ...]
    """Seconds by which each of them had begun before; 0 at the source's own frame rate."""


@dataclass(frozen=True)
class Moments:
    """The moments that a source and other clips share, read as they are asked for."""

    alignment: Alignment
    size: tuple[int, int]
    """Height and width of the pictures that come out."""
    paint: Callable[[Picture], Picture] | None = None
    """Makes one more clip, from the source's frames at full size; it comes after the source."""

    def __iter__(self) -> Iterator[Moment]:
        """Every moment, in order."""
        matches = self.alignment.matches
        for number, (time, source, clips) in enumerate(self.alignment.read()):
            own = [source] if self.paint is None else [source, self.paint(source)]
            parts = [self.alignment.part] * len(own) + [match.part for match in matches]
            images = [crop(*pair) for pair in zip([*own, *clips], parts, strict=True)]
            lags = [_NO_LAG] * len(own) + [match.lags[number] for match in matches]
            yield Moment(time, tuple(scaled(image, *self.size) for image in images), tuple(lags))
