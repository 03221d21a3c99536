"""Clips of any origin against the source they were made from, as one page to look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vidstyle.errors import UsageError
from vidstyle.files import writing
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluateProgress, EvaluationReport
from vidstyle.jobs.measuring.moments import Moment
from vidstyle.jobs.page.content import page
from vidstyle.jobs.publish import published, refuse_taken
from vidstyle.motion.scale import scaled
from vidstyle.video.reel import Reel, ReelVideo

REEL_SECONDS = Fraction(10)
"""The page's video ends here, so that the page stays small enough to be sent."""
_REEL_WIDTH = 640
_KEPT = 12
"""Worst pairs that are kept of each clip; of neighbours among them the page shows one."""


@dataclass(frozen=True)
class CompareReport:
    """A comparison that is done."""

    output: Path
    evaluation: EvaluationReport
    reel: ReelVideo


def compare(
    config: EvaluateConfig,
    output: Path,
    *,
    overwrite: bool = False,
    on_progress: Callable[[EvaluateProgress], None] = lambda _: None,
) -> CompareReport:
    """Measure clips against their source, and write what was found as one HTML file.

    The clips may come from any tool: they are aligned by time, see `video.align`. The page asks
    the network for nothing; its video shows the first ten seconds at most.

    Raises:
        UsageError: `output` exists and may not be overwritten, or is one of the clips.
        InputError: a clip cannot be read, is of another shot, or shares no time with the others.
        ResourceError: the output cannot be written.
    """
    _refuse(config, output, overwrite=overwrite)
    recorder, kept = _ReelRecorder(), replace(config, worst=_KEPT)
    with published(output, overwrite=overwrite) as part:  # before an hour goes into measuring
        report = evaluate_clips(kept, on_progress=on_progress, on_moment=recorder.take)
        reel = recorder.finish()
        text = page(report, reel, whole=len(reel.times) == report.method.frames)
        with writing(output):
            part.write_text(text, encoding="utf-8")
    return CompareReport(output, report, reel)


def _refuse(config: EvaluateConfig, output: Path, *, overwrite: bool) -> None:
    if os.path.realpath(output) in map(os.path.realpath, (config.source, *config.outputs)):
        raise UsageError(f"{output}: is one of the clips; name a page to write with -o")
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{output}: a page is written as .html; change the suffix")
    refuse_taken(output, overwrite=overwrite)


class _ReelRecorder:
    """Keeps the moments of an evaluation for the reel as they pass."""

    def __init__(self) -> None:
        self._reel: Reel | None = None
        self._size = (0, 0)
        self._begin = Fraction(0)

    def take(self, moment: Moment) -> None:
        if self._reel is None:
            self._size = _even(*moment.images[0].shape[:2])
            self._reel = Reel(len(moment.images), *self._size)
            self._begin = moment.time
        if moment.time - self._begin < REEL_SECONDS:
            self._reel.add(moment.time, [scaled(image, *self._size) for image in moment.images])

    def finish(self) -> ReelVideo:
        assert self._reel is not None  # an evaluation without a moment has failed
        return self._reel.finish()


def _even(height: int, width: int) -> tuple[int, int]:
    """The size of the page's video: at most so wide, and even, as its codec wants."""
    shrink = min(1, _REEL_WIDTH / width)
    return 2 * round(height * shrink / 2), 2 * round(width * shrink / 2)
