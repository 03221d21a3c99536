"""The evaluation of clips: one pass over a source and its paintings, over flow of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from vidstyle.errors import InputError
from vidstyle.jobs.measuring.comparison import Comparison, open_comparison
from vidstyle.jobs.measuring.evaluation import (
    ClipReport,
    EvaluateConfig,
    EvaluateProgress,
    EvaluationReport,
    Method,
)
from vidstyle.jobs.measuring.judge import Judge, Networks, check_networks, load_networks
from vidstyle.jobs.measuring.measure import Pass
from vidstyle.jobs.measuring.moments import Moment
from vidstyle.jobs.prefetch import Crew
from vidstyle.motion.scale import scaled
from vidstyle.types import Picture
from vidstyle.video.images import read_image

_FLOW = "dense inverse search (Kroeger et al. 2016) on every pixel, computed on the source"
_MASK = "Lai et al. 2018: neither occluded nor beside a motion boundary, and inside the picture"
_AHEAD = 3
"""Moments that wait to be measured while the next are read and painted."""
_MANY = 0.1


def evaluate_clips(
    config: EvaluateConfig,
    *,
    on_progress: Callable[[EvaluateProgress], None] = lambda _: None,
    on_moment: Callable[[Moment], None] = lambda _: None,
    networks: Networks | None = None,
) -> EvaluationReport:
    """Measure paintings of a clip: how steady they are, and what that was bought with.

    Clips are laid in time by thumbnails first, of 4 KB a frame. Then one pass finds flow, mask and
    cuts, on the source, and they serve every clip. `on_moment` is shown all that is measured: the
    clips' frames, in the order of the report's clips. `networks` spares loading those that are to
    look at them.

    Raises:
        InputError: a clip cannot be read, or the clips have no two neighbouring frames in common.
        UsageError, ResourceError: as `check_networks` and `open_comparison` do.
    """
    since = perf_counter()
    notes: list[str] = []
    style = None if config.style_image is None else read_image(config.style_image)
    if networks is None:  # before all clips are read
        check_networks(config.perceptual, config.device)
    comparison = open_comparison(config, notes)
    if networks is None:
        networks = load_networks(
            config.perceptual, config.device, notes, inception=style is not None
        )
    judge = Judge(networks, _as_small(style, comparison.moments.size), comparison.has_unblended)
    measured = Pass(comparison.meters, comparison.moments.alignment.tolerance)
    expected = len(comparison.moments.alignment.times)
    stride = -(-expected // config.samples)
    with Crew() as crew:
        for number, moment in enumerate(crew.watched(crew.ahead(comparison.moments, _AHEAD)), 1):
            measured.take(moment)
            on_moment(moment)
            if number >= 2 and (number - 2) % stride == 0:  # the first frame has no history
                judge.look(float(moment.time), moment.images, comparison.meters)
            on_progress(EvaluateProgress(number, expected))
    _check(comparison, measured)
    return _report(comparison, measured, judge, notes, perf_counter() - since)


def _as_small(style: Picture | None, size: tuple[int, int]) -> Picture | None:
    """The painting, its short side as long as that of the pictures that are measured."""
    if style is None:
        return None
    height, width = style.shape[:2]
    scale = min(size) / min(height, width)
    return scaled(style, round(height * scale), round(width * scale))


def _check(comparison: Comparison, measured: Pass) -> None:
    if measured.pairs < 1:
        raise InputError(
            f"{comparison.moments.alignment.source.path}: has no two neighbouring frames of one "
            "shot in common with its paintings; steadiness needs two"
        )


def _report(
    comparison: Comparison, measured: Pass, judge: Judge, notes: list[str], seconds: float
) -> EvaluationReport:
    height, width = comparison.moments.size
    source, *others = [meter.report() for meter in comparison.meters]
    unblended = others.pop(0) if comparison.has_unblended else None
    notes += _doubts(source, others)
    if not measured.moved:
        notes.append("nothing moves in the source: whether the painting follows cannot be told")
    method = Method(
        height=height,
        width=width,
        frames=measured.frames,
        pairs=measured.pairs,
        cuts=tuple(measured.cuts),
        flow=_FLOW,
        mask=_MASK,
        perceptual=judge.networks.distance,
        network=judge.networks.description,
        samples=judge.samples,
        identity=max(meter.identity for meter in comparison.meters),
    )
    return EvaluationReport(source, unblended, tuple(others), method, tuple(notes), seconds)


def _doubts(source: ClipReport, outputs: Sequence[ClipReport]) -> Iterator[str]:
    """What makes an output's numbers worth less than they look, a sentence each."""
    for output in outputs:
        frozen = output.mean("frozen") or 0
        own, least = output.short.e_warp, source.short.e_warp
        if frozen > _MANY:
            yield f"{output.name} stands still in {frozen:.0%} of the pairs that move in the source"
        if own is not None and least is not None and own < least:
            yield (
                f"{output.name} is steadier than the source itself: look whether it is blurred, "
                "pale or frozen"
            )
