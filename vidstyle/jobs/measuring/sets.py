"""The evaluation of sets: folders of pictures and clips against a folder of paintings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import fmean
from time import perf_counter

import numpy as np
from torch import Tensor

from vidstyle.errors import InputError
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import (
    EvaluateConfig,
    EvaluateProgress,
    EvaluationReport,
    mean_of,
    mean_of_known,
)
from vidstyle.jobs.measuring.judge import Networks, Seen, if_there, likeness, load_networks, tensor
from vidstyle.jobs.measuring.set_report import SetReport, SetsReport
from vidstyle.jobs.media import media_in
from vidstyle.metrics.detail import detail, high_band
from vidstyle.metrics.distributions import (
    Features,
    Interval,
    frechet,
    in_units_of,
    inception_score,
    kid,
)
from vidstyle.motion.scale import scaled
from vidstyle.perceptual.metric_networks import Distance, load_art_inception, load_lpips
from vidstyle.perceptual.network import RELU4_1
from vidstyle.types import Picture
from vidstyle.video.align import align, crop
from vidstyle.video.images import is_image, read_image
from vidstyle.video.info import probe
from vidstyle.video.opening import check_rate
from vidstyle.video.read import expected_frames, read_frames

SIDE = 256
RESIZER = f"centre square, areas averaged (bicubic where it is enlarged) to {SIDE}x{SIDE}"
_LEAST = 5
"""Pictures below which there is no distance of sets to speak of."""
_ENOUGH = 2000
"""Pictures from which on a Frechet distance hardly depends on their number."""


def evaluate_sets(
    config: EvaluateConfig,
    *,
    on_progress: Callable[[EvaluateProgress], None] = lambda _: None,
) -> SetsReport:
    """Measure folders of paintings against their sources and against the style's own paintings.

    Of each clip `config.samples` frames stand for it, and clips whose source is found are measured
    one by one as `evaluate_clips` does. A painting belongs to the source whose name it begins with:
    "dog.monet.jpg" to "dog.jpg".

    Args:
        config: `source`, `outputs` and `style_image` are folders; without `style_image` there are
            no distances of sets.
        on_progress: called as pictures are looked at.

    Raises:
        InputError: a folder is missing, empty, or holds what cannot be read.
        UsageError: a rate is given, which is for numbered pictures; or there is no such device.
        ResourceError: the device is not there, or memory too short.
    """
    since = perf_counter()
    notes: list[str] = []
    check_rate(config.rate, (config.source, *config.outputs))
    networks = _SetNetworks.open(config, notes)
    numbers = count(1)

    def say(path: Path) -> None:
        on_progress(EvaluateProgress(next(numbers), remark=path.name, thing="picture"))

    style = None if config.style_image is None else _look(config, config.style_image, networks, say)
    sources = _look(config, config.source, networks, say)
    outputs = [_look(config, path, networks, say, sources) for path in config.outputs]
    if style is None:
        notes.append("name a folder of paintings with --style-image to measure distances to it")
    reports = [_report(seen, style) for seen in (sources, *outputs)]
    for seen, report in zip(outputs, reports[1:], strict=True):
        notes += _doubts(seen, report, style)
    clips = [_clips(config, networks.common, sources, seen, notes, on_progress) for seen in outputs]
    finished = [_with_clips(*both) for both in zip(reports[1:], clips, strict=True)]
    return SetsReport(
        source=replace(reports[0], name="source"),
        outputs=tuple(finished),
        style=config.style_image,
        style_pictures=0 if style is None else style.pictures,
        resizer=RESIZER,
        perceptual=networks.common.distance,
        network=networks.common.description,
        notes=tuple(notes),
        seconds=perf_counter() - since,
    )


@dataclass(frozen=True)
class _SetNetworks:
    """The networks that look at every picture."""

    common: Networks
    lpips_alex: Distance | None
    art: Callable[[Tensor], Tensor] | None

    @classmethod
    def open(cls, config: EvaluateConfig, notes: list[str]) -> _SetNetworks:
        wanted = config.style_image is not None
        networks = load_networks(config.perceptual, config.device, notes, inception=wanted)
        art = if_there(lambda: load_art_inception(networks.device), notes) if wanted else None
        alex = None
        if art is not None:
            alex = if_there(lambda: load_lpips("alex", networks.device), notes)
        return cls(networks, alex, art)


@dataclass
class _Folder:
    """What was seen in one folder."""

    path: Path
    files: list[Path]
    pictures: int = 0
    pairs: int = 0
    vectors: dict[str, list[Features]] = field(default_factory=lambda: defaultdict(list))
    """Features of whole pictures, by kind."""
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Measures of single pictures, by name."""

    def rows(self, kind: str) -> Features | None:
        """All features of one kind, (N, D)."""
        return np.concatenate(self.vectors[kind]) if kind in self.vectors else None


def _look(
    config: EvaluateConfig,
    folder: Path,
    networks: _SetNetworks,
    say: Callable[[Path], None],
    sources: _Folder | None = None,
) -> _Folder:
    """Look at every picture of a folder and, where its source is found, at that beside it."""
    seen = _Folder(folder, media_in(folder))
    for path in seen.files:
        source = None if sources is None else source_of(path, sources.files)
        for image, original in pictures_beside(path, source, config):
            _take(seen, image, original, networks)
            say(path)
    return seen


def _take(seen: _Folder, image: Picture, original: Picture | None, networks: _SetNetworks) -> None:
    common, picture = networks.common, tensor(image, networks.common.device)
    seen.pictures += 1
    seen.values["detail"].append(detail(image))
    seen.values["high_band"].append(high_band(image))
    vgg: Sequence[Tensor] = ()
    if common.vgg is not None:
        vgg = common.vgg(picture)
        seen.vectors["vgg"].append(_rows(vgg[RELU4_1].mean((2, 3))))
    if common.inception is not None:
        features = common.inception(picture)
        seen.vectors["inception"].append(_rows(features.pooled))
        seen.vectors["logits"].append(_rows(features.logits))
    if networks.art is not None:
        seen.vectors["art"].append(_rows(networks.art(picture)))
    if original is not None:
        _compare(seen, Seen(picture, vgg), tensor(original, common.device), networks)


def _rows(features: Tensor) -> Features:
    return features.double().cpu().numpy()


def _compare(folder: _Folder, own: Seen, original: Tensor, networks: _SetNetworks) -> None:
    folder.pairs += 1
    common = networks.common
    vgg = () if common.vgg is None else common.vgg(original)
    found = likeness(common, Seen(original, vgg), own)
    if networks.lpips_alex is not None:
        found["lpips_alex"] = networks.lpips_alex(original, own.picture)
    for name, value in found.items():
        if value is not None:
            folder.values[name].append(value)


def _report(seen: _Folder, style: _Folder | None) -> SetReport:
    numbers = {name: fmean(values) for name, values in seen.values.items()}
    alex = numbers.pop("lpips_alex", None)
    logits = seen.rows("logits")
    if logits is not None:
        numbers["inception_score"] = inception_score(logits)
    intervals: dict[str, Interval] = {}
    if style is not None and min(seen.pictures, style.pictures) >= _LEAST:
        for prefix, ours, its in _features(seen, style):
            intervals[f"{prefix}kid"] = kid(ours, its)
            numbers[f"{prefix}fid"] = frechet(ours, its)
        art, its_art = seen.rows("art"), style.rows("art")
        if art is not None and its_art is not None and alex is not None:
            numbers["art_fid"] = (1 + alex) * (1 + frechet(art, its_art))
    return SetReport(seen.path.name, seen.path, seen.pictures, seen.pairs, numbers, intervals)


def _features(seen: _Folder, style: _Folder) -> Iterator[tuple[str, Features, Features]]:
    """What sets are told apart by: the prefix of the measures, the pictures' and the style's."""
    ours, its = seen.rows("vgg"), style.rows("vgg")
    if ours is not None and its is not None:
        yield "vgg_", in_units_of(its, ours), in_units_of(its, its)
    ours, its = seen.rows("inception"), style.rows("inception")
    if ours is not None and its is not None:
        yield "", ours, its


def _doubts(seen: _Folder, report: SetReport, style: _Folder | None) -> Iterator[str]:
    if style is not None:
        least = min(seen.pictures, style.pictures)
        if least < _LEAST:
            yield f"{seen.path}: distances of sets need {_LEAST} pictures or more on both sides"
        elif least < _ENOUGH and {"fid", "vgg_fid"} & set(report.numbers):
            yield f"Frechet distances are biased at N = {least:,}: decide by the kernel distances"
    if seen.pairs < seen.pictures:
        yield (
            f"{seen.path}: no source was found for {seen.pictures - seen.pairs:,} of "
            f"{seen.pictures:,} pictures; a painting's name begins with its source's"
        )


def _clips(
    config: EvaluateConfig,
    networks: Networks,
    sources: _Folder,
    seen: _Folder,
    notes: list[str],
    on_progress: Callable[[EvaluateProgress], None],
) -> tuple[EvaluationReport, ...]:
    """Every clip of a set whose source is found, measured by itself, if it can be."""
    reports = []
    for path in seen.files:
        source = source_of(path, sources.files)
        if source is None or is_image(source) or is_image(path):
            continue
        pair = replace(config, source=source, outputs=(path,), style_image=None)
        try:
            say = partial(_say, on_progress, path)
            reports.append(evaluate_clips(pair, on_progress=say, networks=networks))
        except InputError as error:
            notes.append(f"not measured over time: {error}")
    return tuple(reports)


def _say(on_progress: Callable[[EvaluateProgress], None], clip: Path, at: EvaluateProgress) -> None:
    on_progress(replace(at, clip=clip))


def _with_clips(report: SetReport, clips: tuple[EvaluationReport, ...]) -> SetReport:
    found = {
        "e_warp": mean_of_known(clip.outputs[0].short.e_warp for clip in clips),
        "e_warp_ratio": mean_of_known(
            clip.ratio(clip.outputs[0], lambda c: c.short.e_warp) for clip in clips
        ),
        "detail_ratio": mean_of_known(
            clip.ratio(clip.outputs[0], mean_of("detail")) for clip in clips
        ),
    }
    numbers = dict(report.numbers) | {k: v for k, v in found.items() if v is not None}
    return replace(report, numbers=numbers, clips=clips)


def source_of(painting: Path, sources: list[Path]) -> Path | None:
    """The source whose name, with its suffix or without, the painting's begins with.

    Of a phone's picture and the clip of the same name that comes with it, the one of its kind.
    """
    names = [(name, source) for source in sources for name in (source.stem, source.name)]
    fitting = [pair for pair in names if f"{painting.stem}.".startswith(f"{pair[0]}.")]
    alike = [pair for pair in fitting if is_image(pair[1]) == is_image(painting)]
    return max(alike, key=lambda pair: len(pair[0]), default=("", None))[1]


def pictures_beside(
    path: Path, source: Path | None, config: EvaluateConfig
) -> Iterator[tuple[Picture, Picture | None]]:
    """Pictures of a painting, (SIDE, SIDE, 3) RGB each, and those of its source that they show."""
    if source is not None and is_image(path) and is_image(source):
        yield square(read_image(path)), square(read_image(source))
        return
    if source is not None and not is_image(path) and not is_image(source):
        with suppress(InputError):  # of another shot, or too short to tell
            yield from _moments(path, source, config)
            return
    for picture in pictures_of(path, config):
        yield picture, None


def _moments(path: Path, source: Path, config: EvaluateConfig) -> Iterator[tuple[Picture, Picture]]:
    """Frames spread over what a painted clip and its source share, of the same times."""
    alignment = align(
        probe(source, config.limits),
        [probe(path, config.limits)],
        start=config.start or Fraction(0),
        duration=config.duration,
        frames=config.frames,
    )
    (match,) = alignment.matches
    stride = max(1, len(alignment.times) // config.samples)
    for moment in islice(alignment.read(), 0, stride * config.samples, stride):
        (painted,) = moment.clips
        yield square(crop(painted, match.part)), square(crop(moment.source, alignment.part))


def pictures_of(path: Path, config: EvaluateConfig) -> Iterator[Picture]:
    """A picture, or `config.samples` frames spread over a clip: (SIDE, SIDE, 3) RGB each."""
    if is_image(path):
        yield square(read_image(path))
        return
    info = probe(path, config.limits)
    stride = max(1, (expected_frames(info) or config.samples) // config.samples)
    for frame in islice(read_frames(info), 0, stride * config.samples, stride):
        yield square(frame.image)


def square(image: Picture) -> Picture:
    """The centre square of a picture, (SIDE, SIDE, 3)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return scaled(np.ascontiguousarray(image[top : top + side, left : left + side]), SIDE, SIDE)
