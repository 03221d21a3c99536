"""A training with all around it: frames of clips before, a plot of the losses as it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vidstyle.files import replacing, writing
from vidstyle.jobs.demonstration import is_demonstration, take_stills
from vidstyle.jobs.publish import held
from vidstyle.stylizers.device import choose_device
from vidstyle.training.config import CycleGanConfig, FeedForwardConfig
from vidstyle.training.log import read_losses
from vidstyle.training.loop import TrainProgress, refuse_clash
from vidstyle.training.ranks import rank
from vidstyle.training.train import train as train_style


def train(
    config: FeedForwardConfig | CycleGanConfig,
    on_progress: Callable[[TrainProgress], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
    on_clips: Callable[[int, int], None] = lambda _done, _of: None,
) -> Path:
    """Train a style and write `output/NAME.safetensors`; `output/NAME.run/` holds all else.

    Under `torchrun` several processes train it together; only the first calls back.

    Args:
        config: what to train.
        on_progress: called after every step.
        on_note: called with each sentence that the user should know.
        on_clips: called with how many clips have been prepared, and how many there are.

    Raises:
        InputError, UsageError, StyleError: as `vidstyle.training.train.train` does, or the clips
            cannot be read, or another process trains this style.
        ResourceError: the output folder cannot be written.
    """
    if rank() > 0:  # the first of several processes speaks and writes for all
        return train_style(config)
    run_folder = config.run_folder
    refuse_clash(config)  # before an hour goes into clips
    choose_device(config.device)
    with writing(config.output):
        config.output.mkdir(parents=True, exist_ok=True)

    def progress(at: TrainProgress) -> None:
        if at.saved:
            plot_losses(run_folder)
        on_progress(at)

    with held(run_folder.resolve(), config.style_path):
        if is_demonstration(config):
            take_stills(config.photos)
        if config.clips is not None:
            from vidstyle.jobs.pairs import cache_pairs

            cache_pairs(config.clips, config.pair_folder, config.shown_size, on_clips, on_note)
        path = train_style(config, progress, on_note)
        plot_losses(run_folder)
    return path


def plot_losses(run_folder: Path) -> None:
    """Draw `losses.csv` as `losses.png`: each loss over the steps, on a logarithmic scale."""
    from matplotlib.figure import Figure

    rows = read_losses(run_folder / "losses.csv")
    if not rows:
        return
    names = list(dict.fromkeys(name for losses in rows.values() for name in losses))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name in names:
        points = [(step, losses[name]) for step, losses in rows.items() if losses.get(name, 0) > 0]
        if points:
            axes.plot(*zip(*points, strict=True), "." if len(points) == 1 else "", label=name)
    axes.set(yscale="log", xlabel="step", ylabel="loss, unweighted")
    axes.grid(alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    with replacing(run_folder / "losses.png") as part:
        figure.savefig(part, dpi=100, format="png")
