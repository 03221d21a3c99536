"""What networks say of pictures: likeness to the source, to the unblended painting, to a style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from vidstyle.errors import InputError
from vidstyle.jobs.measuring.meter import Meter
from vidstyle.metrics.distributions import Features, frechet, gram_distance, in_units_of, places
from vidstyle.metrics.likeness import (
    feature_distance,
    layout_kept,
    self_similarity_distance,
    ssim,
)
from vidstyle.perceptual.metric_networks import Distance, Inception, load_inception, load_lpips
from vidstyle.perceptual.network import (
    RELU2_1,
    RELU3_1,
    VGG19,
    PerceptualNetwork,
    load_perceptual,
)
from vidstyle.stylizers.device import choose_device
from vidstyle.types import Picture

T = TypeVar("T")


@dataclass(frozen=True)
class Networks:
    """The networks that could be had."""

    device: torch.device
    lpips: Distance | None
    vgg: PerceptualNetwork | None
    inception: Inception | None

    @property
    def description(self) -> str | None:
        """Which VGG19 it is."""
        return None if self.vgg is None else self.vgg.description

    @property
    def distance(self) -> str | None:
        """Name of the perceptual distance."""
        if self.lpips is not None:
            return "LPIPS (squeeze)"
        return None if self.vgg is None else "VGG19 distance"


def check_networks(perceptual: Path | None, device: str) -> None:
    """Find out whether networks could be loaded, without fetching any.

    Raises:
        InputError: `perceptual` names a file that is no such network.
        UsageError, ResourceError: `device` names none, or none that is there.
    """
    choose_device(device)
    if perceptual is not None:
        load_perceptual(perceptual)


def load_networks(
    perceptual: Path | None, device: str, notes: list[str], *, inception: bool
) -> Networks:
    """Load what can be had; what cannot becomes a note.

    Raises:
        InputError, UsageError, ResourceError: as `check_networks` does.
    """
    where = torch.device(choose_device(device))
    if perceptual is None:
        vgg = if_there(lambda: load_perceptual(VGG19), notes)
    else:
        vgg = load_perceptual(perceptual)
    lpips = if_there(lambda: load_lpips("squeeze", where), notes)
    judge = if_there(lambda: load_inception(where), notes) if inception else None
    return Networks(where, lpips, None if vgg is None else vgg.to(where), judge)


def if_there(load: Callable[[], T], notes: list[str]) -> T | None:
    """What `load` gives; None and a note where that cannot be had."""
    try:
        return load()
    except InputError as error:
        notes.append(str(error))
        return None


def tensor(image: Picture, device: torch.device) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(image).to(device).permute(2, 0, 1)[None].float() / 255.0


@dataclass(frozen=True)
class Seen:
    """A picture (1, 3, H, W) in [0, 1], and what networks see in it."""

    picture: Tensor
    vgg: Sequence[Tensor] = ()
    places: Features | None = None


def likeness(networks: Networks, source: Seen, own: Seen) -> dict[str, float | None]:
    """How like its source a picture is, by the name of each measure; None where it has no value."""
    found = {
        "ssim": ssim(source.picture, own.picture),
        "layout": layout_kept(source.picture, own.picture),
    }
    if networks.distance is not None:
        found["content_distance"] = distance(networks, source, own)
    if own.vgg:
        found["cfsd"] = self_similarity_distance(source.vgg[RELU3_1], own.vgg[RELU3_1])
    return found


def distance(networks: Networks, a: Seen, b: Seen) -> float:
    """The perceptual distance `networks.distance` of two pictures."""
    if networks.lpips is not None:
        return networks.lpips(a.picture, b.picture)
    return feature_distance(a.vgg, b.vgg)


class Judge:
    """Compares what all clips show at one moment."""

    def __init__(self, networks: Networks, style: Picture | None, has_unblended: bool) -> None:
        self.networks = networks
        self.samples = 0
        self._has_unblended = has_unblended
        self._style = None if style is None else self._look(style)

    def look(self, time: float, images: Sequence[Picture], meters: Sequence[Meter]) -> None:
        """Note every likeness of each clip's picture with its meter, the source's first."""
        self.samples += 1
        source, *seen = (self._look(image) for image in images)
        unblended = seen[0] if self._has_unblended else None
        self._note_style(meters[0], time, source)
        for meter, own in zip(meters[1:], seen, strict=True):
            for name, value in likeness(self.networks, source, own).items():
                meter.note(name, time, value)
            if self.networks.distance and unblended is not None and own is not unblended:
                meter.note("d_perceptual", time, distance(self.networks, unblended, own))
            self._note_style(meter, time, own)

    def _look(self, image: Picture) -> Seen:
        picture = tensor(image, self.networks.device)
        vgg = () if self.networks.vgg is None else self.networks.vgg(picture)
        if self.networks.inception is None:
            return Seen(picture, vgg)
        return Seen(picture, vgg, places(self.networks.inception(picture).places))

    def _note_style(self, meter: Meter, time: float, own: Seen) -> None:
        style = self._style
        if style is None:
            return
        if own.vgg:
            meter.note("gram", time, gram_distance(own.vgg, style.vgg))
            ours, its = (places(seen.vgg[RELU2_1]) for seen in (own, style))
            meter.note("vgg_sifid", time, frechet(in_units_of(its, ours), in_units_of(its, its)))
        if own.places is not None and style.places is not None:
            meter.note("sifid", time, frechet(own.places, style.places))
