"""The evaluation of paintings against their sources: clips, or folders as sets."""

from __future__ import annotations

from collections.abc import Callable

from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluateProgress, EvaluationReport
from vidstyle.jobs.measuring.set_report import SetsReport
from vidstyle.jobs.measuring.sets import evaluate_sets


def evaluate(
    config: EvaluateConfig,
    *,
    on_progress: Callable[[EvaluateProgress], None] = lambda _: None,
) -> EvaluationReport | SetsReport:
    """Measure paintings of a clip, or folders of paintings.

    Raises:
        InputError: a clip, a picture or a folder cannot be read, or they have nothing in common.
        UsageError: an option is for inputs that there are none of, or there is no such device.
        ResourceError: the device is not there, or memory too short.
    """
    measured = evaluate_sets if config.is_of_sets else evaluate_clips
    return measured(config, on_progress=on_progress)
