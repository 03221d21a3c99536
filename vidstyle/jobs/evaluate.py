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
        InputError: as `evaluate_clips` and `evaluate_sets` do.
    """
    measured = evaluate_sets if config.is_of_sets else evaluate_clips
    return measured(config, on_progress=on_progress)
