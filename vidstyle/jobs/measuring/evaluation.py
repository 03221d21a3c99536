"""What an evaluation is asked, and what it reports. Plain data: this module imports nothing heavy.

A clip's measures are kept over time (`Series`), because where a clip flickers matters as much as
how much; the numbers of a table are their means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from vidstyle.errors import UsageError
from vidstyle.jobs.config import check_part
from vidstyle.jobs.measuring.measures import SERIES
from vidstyle.types import Limits, Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_HEIGHT = 64


@dataclass(frozen=True)
class EvaluateConfig:
    """Which paintings of which clip to measure, and how.

    Raises:
        UsageError: a value is out of its range, or there is no output.
    """

    source: Path
    outputs: tuple[Path, ...]
    """Paintings of `source`, by any tool."""
    unblended: Path | None = None
    """The painting without anything done against flicker; None repaints it from what the first
    output with a stamp says of itself, and does without where none has one."""
    style_image: Path | None = None
    """The painting that lends the style; style distances need it."""
    perceptual: Path | None = None
    """File of VGG19; None takes torchvision's, where that can be downloaded."""
    start: Fraction | None = None
    """Seconds of the source to leave out at its beginning."""
    duration: Fraction | None = None
    """Seconds of the source to measure; None measures to its end."""
    rate: Fraction | None = None
    """Frames a second of numbered pictures; None is as the painting says, or 25."""
    limits: Limits = field(default_factory=Limits)
    """What clips may ask for."""
    frames: int | None = None
    """Frames to measure at most."""
    height: int = 360
    """Pictures are scaled to this many rows for measuring, but never up."""
    samples: int = 12
    """Frames, spread over the clip, that are looked at by networks and compared by SSIM."""
    worst: int = 0
    """How many pairs of each output to keep with their pictures: those with the largest error."""
    device: str = "auto"
    """Where the unblended painting is painted and networks look at pictures."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not self.outputs:
            raise UsageError("there is no output to measure: name a painting of the source")
        if self.height < LEAST_HEIGHT:
            raise UsageError(f"height must be at least {LEAST_HEIGHT}, not {self.height}")
        folders = {os.path.isdir(path) for path in (self.source, *self.outputs)}
        if len(folders) > 1:
            raise UsageError("clips are measured against clips, folders against folders; not mixed")
        if self.is_of_sets and self.unblended is not None:
            raise UsageError("--unblended is one clip; it cannot be held against folders")
        check_part(self.start, self.duration, self.rate)
        if self.samples < 1:
            raise UsageError(f"samples must be at least 1, not {self.samples}")
        if self.frames is not None and self.frames < 2:
            raise UsageError(f"frames must be at least 2, not {self.frames}")

    @property
    def is_of_sets(self) -> bool:
        """Whether folders are measured, as sets."""
        return os.path.isdir(self.source)  # too long a name is none


@dataclass(frozen=True)
class EvaluateProgress:
    """How far an evaluation has come."""

    frames: int
    expected: int | None = None
    """Frames there will be; None when the source does not tell."""
    remark: str = ""
    """What else is to be said of it."""
    thing: str = "frame"
    """What is counted, in the singular."""
    clip: Path | None = None
    """Of the paintings of a folder, the one that is measured by itself; it is counted anew."""


@dataclass(frozen=True)
class Series:
    """A measure over time."""

    times: tuple[float, ...]
    """Seconds on the source's clock."""
    values: tuple[float | None, ...]
    """As many; None where there is nothing to measure, as across a cut."""

    @property
    def mean(self) -> float | None:
        """Mean of the values there are; None without any."""
        return mean_of_known(self.values)


@dataclass(frozen=True)
class Steadiness:
    """What motion does not explain of the difference of two frames.

    Motion and mask are the source's. Colours count from 0 to 1. A pair stands at the time of its
    first frame; it is None across a cut and where no pixel is trusted.
    """

    warp_error: Series
    """Lai et al. (ECCV 2018): mean square over the trusted pixels."""
    square_error: Series
    """Ruder et al. (IJCV 2018): mean square over all pixels, untrusted ones counting as 0."""
    trusted: Series
    """Part of the pixels that is trusted, 0-1."""

    @property
    def e_warp(self) -> float | None:
        """Mean of `warp_error`."""
        return self.warp_error.mean

    @property
    def e_stab(self) -> float | None:
        """Huang et al. (CVPR 2017), ReCoNet: root of the mean of `square_error`."""
        mean = self.square_error.mean
        return None if mean is None else sqrt(mean)

    @property
    def coverage(self) -> float | None:
        """Mean of `trusted`."""
        return self.trusted.mean


@dataclass(frozen=True, eq=False)  # arrays do not compare to one truth
class Pair:
    """Two neighbouring frames of a clip, kept to be looked at."""

    time: float
    """Seconds of the first frame on the source's clock."""
    warp_error: float
    source: Picture
    """(H, W, 3) RGB: the first frame of the source."""
    first: Picture
    second: Picture
    """The clip's own frames, alike."""
    error: NDArray[np.float32]
    """(H, W): mean square over the channels at each pixel, 0 where the motion is not trusted."""


@dataclass(frozen=True)
class ClipReport:
    """One clip: the source, the unblended painting or an output."""

    name: str
    """"source", "unblended", or the output's file name."""
    path: Path | None
    """None for a painting made for this evaluation."""
    encoded: bool
    """Frames were taken from a file, so after encoding; else as they were painted."""
    times: tuple[float, ...]
    """Seconds of the frames on the source's clock."""
    short: Steadiness
    """Over neighbouring frames."""
    long: Steadiness
    """Over `LONG` frames."""
    measures: Mapping[str, Series] = field(default_factory=dict)
    """All other measures by name, see `SERIES`; those that could not be taken are absent."""
    notes: tuple[str, ...] = ()
    """What was done to it before it was measured, a sentence each: scaled, matched by time ..."""
    worst: tuple[Pair, ...] = ()
    """The pairs of neighbours with the largest error, largest first."""

    def mean(self, measure: str) -> float | None:
        """Mean of one of `measures`; None where it was not taken."""
        series = self.measures.get(measure)
        return None if series is None else series.mean


Value = Callable[[ClipReport], float | None]
"""A number of a clip; None where there is none."""


def mean_of(measure: str) -> Value:
    """What gives a clip's mean of one of `SERIES`."""
    return lambda clip: clip.mean(measure)


def mean_of_known(values: Iterable[float | None]) -> float | None:
    """Mean of the values there are; None without any."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def quotient(own: float | None, base: float | None) -> float | None:
    """One number over another; None where either is missing, or the second 0."""
    return own / base if own is not None and base else None


PAIR_MEASURES = ("warp_error", "square_error", "trusted")
"""The series of `Steadiness`."""


@dataclass(frozen=True)
class Method:
    """How the numbers were made; without it they cannot be compared with others."""

    height: int
    width: int
    """Pixels of the pictures that were measured."""
    frames: int
    pairs: int
    """Of neighbours of one shot in the source; clips at other rates have fewer."""
    cuts: tuple[float, ...] = ()
    """Seconds of the frames that begin a new shot; no pair reaches across."""
    flow: str = ""
    mask: str = ""
    perceptual: str | None = None
    """What `content_distance` and `d_perceptual` are: "LPIPS (squeeze)" or "VGG19 distance"."""
    network: str | None = None
    """Which VGG19 looked at the pictures."""
    samples: int = 0
    """Frames that were looked at."""
    identity: float = 0.0
    """Largest relative deviation, over all pairs, of Ruder's error from Lai's times coverage."""


@dataclass(frozen=True)
class EvaluationReport:
    """How steady each clip is, and what that was bought with."""

    source: ClipReport
    unblended: ClipReport | None
    outputs: tuple[ClipReport, ...]
    method: Method
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def clips(self) -> tuple[ClipReport, ...]:
        """All clips, the source first."""
        middle = () if self.unblended is None else (self.unblended,)
        return (self.source, *middle, *self.outputs)

    def ratio(self, clip: ClipReport, value: Value) -> float | None:
        """A number of `clip` over the unblended painting's; None where either is missing or 0."""
        return quotient(value(clip), None if self.unblended is None else value(self.unblended))

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values; "output" is a list where there are several.

        Missing numbers are null. `series` holds every measure over time.
        """
        outputs = [self._plain(clip) for clip in self.outputs]
        return {
            "source": self._plain(self.source),
            "unblended": self.unblended and self._plain(self.unblended),
            "output": outputs[0] if len(outputs) == 1 else outputs,
            "method": asdict(self.method) | {"cuts": list(self.method.cuts)},
            "notes": list(self.notes),
            "seconds": self.seconds,
        }

    def _plain(self, clip: ClipReport) -> dict[str, Any]:
        short, long = clip.short, clip.long
        series = {name: getattr(short, name) for name in PAIR_MEASURES}
        series |= {f"long_{name}": getattr(long, name) for name in PAIR_MEASURES}
        series |= clip.measures
        return {
            "name": clip.name,
            "path": None if clip.path is None else str(clip.path),
            "frames_taken": "after encoding" if clip.encoded else "before encoding",
            "notes": list(clip.notes),
            "e_warp": short.e_warp,
            "square_error": short.square_error.mean,
            "e_stab": short.e_stab,
            "coverage": short.coverage,
            "long": {"e_warp": long.e_warp, "e_stab": long.e_stab, "coverage": long.coverage},
            **{name: clip.mean(name) for name in SERIES},
            "relative_to_unblended": {
                "e_warp": self.ratio(clip, lambda c: c.short.e_warp),
                "e_stab": self.ratio(clip, lambda c: c.short.e_stab),
                "long_e_warp": self.ratio(clip, lambda c: c.long.e_warp),
                "detail": self.ratio(clip, lambda c: c.mean("detail")),
                "high_band": self.ratio(clip, lambda c: c.mean("high_band")),
            },
            "series": {
                name: {"times": list(s.times), "values": list(s.values)}
                for name, s in series.items()
            },
        }
