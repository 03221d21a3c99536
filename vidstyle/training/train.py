"""Train a style by the method that its config asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidstyle.training.config import CycleGanConfig, FeedForwardConfig
from vidstyle.training.cyclegan import CycleGanTraining
from vidstyle.training.feed_forward import FeedForwardTraining
from vidstyle.training.loop import TrainProgress


def train(
    config: FeedForwardConfig | CycleGanConfig,
    on_progress: Callable[[TrainProgress], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train a style and write `output/NAME.safetensors`; all else lies in `output/NAME.run/`.

    Args:
        config: what to train; its type says by which method.
        on_progress: called after every step.
        on_note: called with each sentence that the user should know.

    Raises:
        InputError: the pictures or the perceptual network cannot be read, or are too few.
        UsageError: a checkpoint or a style exists and `resume` is not asked for, or does not fit.
        StyleError: the style to begin with is not there, or cannot be gone on with.
        ResourceError: the disk is full, a folder not writable, the device not there.
    """
    if isinstance(config, CycleGanConfig):
        return CycleGanTraining(config, on_note).run(on_progress)
    return FeedForwardTraining(config, on_note).run(on_progress)
