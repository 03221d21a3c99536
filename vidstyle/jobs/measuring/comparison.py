"""What an evaluation compares: the source, the unblended painting, the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.errors import InputError, StyleError
from vidstyle.jobs.measuring.evaluation import EvaluateConfig
from vidstyle.jobs.measuring.meter import Meter
from vidstyle.jobs.measuring.moments import Moments
from vidstyle.jobs.measuring.repaint import repainter
from vidstyle.perceptual.network import LEAST_SIDE
from vidstyle.types import Picture, VideoInfo
from vidstyle.video.align import Alignment, align
from vidstyle.video.info import probe
from vidstyle.video.opening import check_rate
from vidstyle.video.stamp import painted_rate, read_stamp

Stamp = dict[str, Any]


@dataclass
class Comparison:
    """The moments of all clips, side by side, and a meter for each clip."""

    moments: Moments
    meters: list[Meter]
    """In the order of each moment's images."""
    has_unblended: bool


def open_comparison(config: EvaluateConfig, notes: list[str]) -> Comparison:
    """Open all clips, and lay them on the source; `notes` gets what is to be said of that.

    Raises:
        InputError: a clip cannot be read, or compared with the source.
        UsageError: `rate` is for numbered pictures; or `device` names none.
        ResourceError: the device is not there.
    """
    check_rate(config.rate, (config.source, *config.outputs))
    source = probe(config.source, config.limits, rate=config.rate)
    model = _stamped(config.outputs)
    rate = config.rate or (painted_rate(model[1]) if model else None)
    if rate:
        source = probe(config.source, config.limits, rate=rate)
    paint = None if config.unblended else _repainter(config, model, source, notes)
    paths = [*filter(None, [config.unblended]), *config.outputs]
    alignment = align(
        source,
        [probe(path, config.limits, rate=rate or source.average_rate) for path in paths],
        start=config.start or Fraction(0),
        duration=config.duration,
        frames=config.frames,
    )
    moments = Moments(alignment, _measuring_size(alignment, config.height), paint)
    meters = [Meter("source", config.source)]
    if paint or config.unblended:
        how = (f"as {model[0].name} was painted",) if model and paint else ()
        meters.append(Meter("unblended", config.unblended, notes=how))
    meters += [Meter(path.name, path, keep=config.worst) for path in config.outputs]
    files = [meter for meter in meters[1:] if meter.path]
    for meter, match in zip(files, alignment.matches, strict=True):
        meter.notes = match.notes
    notes += alignment.notes
    return Comparison(moments, meters, bool(paint or config.unblended))


def _stamped(outputs: Iterable[Path]) -> tuple[Path, Stamp] | None:
    """The first output that says how it was painted, and what it says."""
    stamps = ((path, read_stamp(path)) for path in outputs)
    return next(((path, stamp) for path, stamp in stamps if stamp), None)


def _repainter(
    config: EvaluateConfig, model: tuple[Path, Stamp] | None, source: VideoInfo, notes: list[str]
) -> Callable[[Picture], Picture] | None:
    if model is None:
        notes.append(
            "no output says how it was painted, so nothing is compared with an unblended "
            "painting; name one with --unblended"
        )
        return None
    try:
        return repainter(model[1], source, config.device, notes)
    except StyleError as error:
        notes.append(f"the unblended painting cannot be repainted: {error}; name --unblended")
        return None


def _measuring_size(alignment: Alignment, height: int) -> tuple[int, int]:
    """Height and width of the part that is compared, with square pixels.

    Raises:
        InputError: it is too small for networks to look at.
    """
    info, (wide, high) = alignment.source, alignment.part
    own_height = info.height * high
    height = min(height, round(own_height))
    width = round(info.width * wide * info.sample_aspect_ratio * height / own_height)
    if min(height, width) < LEAST_SIDE:
        raise InputError(
            f"{info.path}: is too small to be measured at {width}x{height}; networks look at "
            f"{LEAST_SIDE} pixels a side or more"
        )
    return height, width
