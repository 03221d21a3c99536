"""What is measured of a clip: the one list that tables, page and JSON are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vidstyle.jobs.measuring.evaluation import ClipReport, Value

SHORT, LONG = 1, 10
"""Frames between the two pictures of a pair: the ranges over which steadiness is measured."""


@dataclass(frozen=True)
class Measure:
    """One number of a clip."""

    name: str
    """{distance} in it stands for the perceptual distance that was taken."""
    meaning: str
    of: str | Value
    """Of which of `ClipReport.measures` it is the mean, or what else gives it."""
    better: Literal["lower", "higher", ""] = ""
    """Nothing where neither is better by itself."""
    scale: Literal[1, 100, 1000] = 1
    """What the page multiplies it by, so that it is read at a glance."""
    relative: bool = False
    """Whether how it compares to the unblended painting's is of use."""
    amount: bool = False
    """Whether it is in grey levels squared, which only say something beside the source's."""

    def value(self, clip: ClipReport) -> float | None:
        """The number, not yet scaled; None where it could not be taken."""
        return clip.mean(self.of) if isinstance(self.of, str) else self.of(clip)


def _pairs(clip: ClipReport) -> float:
    return sum(value is not None for value in clip.short.warp_error.values)


SECTIONS: Mapping[str, tuple[Measure, ...]] = {
    "How still it holds, from frame to frame": (
        Measure(
            "E_warp (Lai)",
            "what motion does not explain: mean square, colours 0 to 1",
            lambda clip: clip.short.e_warp,
            "lower",
            scale=1000,
            relative=True,
        ),
        Measure(
            "MSE (Ruder)",
            "the same over all pixels, those without a known motion counting as 0",
            lambda clip: clip.short.square_error.mean,
            "lower",
            scale=1000,
            relative=True,
        ),
        Measure(
            "e_stab",
            "the root of that, as ReCoNet and others report it",
            lambda clip: clip.short.e_stab,
            "lower",
            relative=True,
        ),
        Measure(
            "L1, + first frame",
            "L1 to the last and to the shot's first frame, motion undone (Lei et al. 2020)",
            "e_pair",
            "lower",
            relative=True,
        ),
        Measure(
            "mask coverage",
            "part of the pixels where the source's motion is known",
            lambda clip: clip.short.coverage,
            scale=100,
        ),
        Measure("pairs", "neighbouring frames that were compared", _pairs),
    ),
    f"How still it holds, {LONG} frames apart": (
        Measure(
            "E_warp (Lai)",
            "what motion does not explain: drift",
            lambda clip: clip.long.e_warp,
            "lower",
            scale=1000,
            relative=True,
        ),
        Measure(
            "e_stab",
            "root mean square over all pixels",
            lambda clip: clip.long.e_stab,
            "lower",
            relative=True,
        ),
        Measure(
            "mask coverage",
            "part of the pixels where the source's motion is known",
            lambda clip: clip.long.coverage,
            scale=100,
        ),
    ),
    "What that was bought with": (
        Measure(
            "detail: Laplacian",
            "variance of the Laplacian: blur makes it small, noise large",
            "detail",
            relative=True,
            amount=True,
        ),
        Measure(
            "detail: high band",
            "energy in the upper half of the spectrum",
            "high_band",
            relative=True,
            amount=True,
        ),
        Measure(
            "D_perceptual, {distance}",
            "distance to the unblended painting: change by the blend",
            "d_perceptual",
            "lower",
        ),
        Measure(
            "follows motion",
            "how much of its own change the source's motion explains, at most 1",
            "followed",
            "higher",
        ),
        Measure(
            "frozen pairs",
            "share of pairs in which the source moves and the clip stands still",
            "frozen",
            "lower",
            scale=100,
        ),
    ),
    "How near it stays to the source": (
        Measure("SSIM", "likeness of structure, 1 is alike", "ssim", "higher"),
        Measure(
            "layout kept", "correlation of where the edges are, 1 is alike", "layout", "higher"
        ),
        Measure("{distance}", "perceptual distance, 0 is alike", "content_distance", "lower"),
        Measure(
            "CFSD",
            "distance of self-similarities (VGG19 relu3_1), 0 is alike",
            "cfsd",
            "lower",
            scale=1000,
        ),
    ),
    "How near it comes to the style": (
        Measure("Gram distance", "distance of Gram matrices (VGG19), 0 is alike", "gram", "lower"),
        Measure(
            "SIFID", "Frechet distance of Inception features within one picture", "sifid", "lower"
        ),
        Measure(
            "VGG-SIFID",
            "the same with VGG19 relu2_1, in units of the style image's; no SIFID",
            "vgg_sifid",
            "lower",
        ),
    ),
}
"""All measures by their headings, steadiness first, and below it what it was bought with."""

SERIES = tuple(m.of for group in SECTIONS.values() for m in group if isinstance(m.of, str))
"""What `ClipReport.measures` may hold."""
