"""What an evaluation of whole sets reports. Plain data: this module imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.jobs.measuring.evaluation import EvaluationReport

if TYPE_CHECKING:
    from vidstyle.metrics.distributions import Interval

INTERVALS: Mapping[str, str] = {
    "vgg_kid": "kernel distance to the style set, VGG19 relu4_1 averaged over places; no KID",
    "kid": "kernel inception distance to the style set (Binkowski et al. 2018)",
}
"""What `SetReport.intervals` may hold: values with a 95 % bootstrap interval."""

NUMBERS: Mapping[str, str] = {
    "vgg_fid": "Frechet distance to the style set of the same features; no FID",
    "fid": "Frechet inception distance to the style set (Heusel et al. 2017)",
    "art_fid": "(1 + LPIPS alex to the sources) (1 + FID with art Inception) (Wright, Ommer 2022)",
    "inception_score": "sharp and diverse as ImageNet classes (Salimans et al. 2016)",
    "ssim": "structural similarity to the sources, mean over the pairs",
    "layout": "correlation of where the edges are with the sources'",
    "content_distance": "perceptual distance to the sources",
    "cfsd": "distance of self-similarities to the sources' (VGG19 relu3_1)",
    "detail": "variance of the Laplacian of the luma, mean over the pictures",
    "high_band": "energy of the luma above half of the highest frequency",
    "e_warp": "mean over the clips of E_warp",
    "e_warp_ratio": "mean over the clips of E_warp over the unblended painting's",
    "detail_ratio": "mean over the clips of detail over the unblended painting's",
}
"""What `SetReport.numbers` may hold."""


@dataclass(frozen=True)
class SetReport:
    """One set of pictures: those of a folder, and frames of the clips in it."""

    name: str
    """"source", or the folder's name."""
    path: Path
    pictures: int
    """N, without which no distance of sets means anything."""
    pairs: int
    """Pictures whose source was found by its name."""
    numbers: Mapping[str, float]
    """See `NUMBERS`; what could not be had is absent."""
    intervals: Mapping[str, Interval]
    """See `INTERVALS`."""
    clips: tuple[EvaluationReport, ...] = field(default=())
    """Every clip whose source was found, by itself."""


@dataclass(frozen=True)
class SetsReport:
    """How near sets of paintings come to the paintings they are after."""

    source: SetReport
    outputs: tuple[SetReport, ...]
    style: Path | None
    """The set that distances are to."""
    style_pictures: int
    resizer: str
    perceptual: str | None
    """What `content_distance` is."""
    network: str | None
    """Which VGG19 looked at the pictures."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def sets(self) -> tuple[SetReport, ...]:
        """All sets, the source first."""
        return (self.source, *self.outputs)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values; "output" is a list where there are several."""
        outputs = [_plain(one) for one in self.outputs]
        return {
            "source": _plain(self.source),
            "output": outputs[0] if len(outputs) == 1 else outputs,
            "style": self.style and {"path": str(self.style), "pictures": self.style_pictures},
            "resizer": self.resizer,
            "perceptual": self.perceptual,
            "network": self.network,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }


def _plain(one: SetReport) -> dict[str, Any]:
    return {
        "name": one.name,
        "path": str(one.path),
        "pictures": one.pictures,
        "pairs": one.pairs,
        **{name: one.numbers.get(name) for name in NUMBERS},
        **{
            name: asdict(one.intervals[name]) if name in one.intervals else None
            for name in INTERVALS
        },
        "clips": [clip.to_json() for clip in one.clips],
    }
