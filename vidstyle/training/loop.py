"""What every training does, whatever its method: steps, checkpoints, previews, the style file."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from vidstyle.errors import DivergedError, UsageError
from vidstyle.files import replacing
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.stylizers.device import choose_device, has_bfloat16
from vidstyle.stylizers.networks import StyleNetwork
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.stylizers.style_file import save_style
from vidstyle.training.checkpoint import load_checkpoint, save_checkpoint
from vidstyle.training.clips import ClipPairs, load_held_out
from vidstyle.training.config import TrainingSettings
from vidstyle.training.data import (
    Pictures,
    hold_out,
    load_picture,
    middle,
    to_tensor,
    usable_pictures,
)
from vidstyle.training.discriminator import PatchGAN
from vidstyle.training.log import LossLog
from vidstyle.training.ranks import average_gradients, leave, meet, rank, ranks
from vidstyle.training.sources import of_archives, of_contents, of_pictures
from vidstyle.training.targets import perceptual_path
from vidstyle.types import StyleCard

SAVE_SECONDS = 120.0
"""Between two checkpoints and previews: the first look comes early, and little is ever lost."""
PREVIEWS: Final = 4
"""Pictures in a row of the preview."""
HELD_OUT_NAMES: Final = "held-out.txt"
"""In the run folder: the pictures that are not learnt from, a line each."""
RECIPE: Final = ("steps", "temporal", "seed", "batch", "crop", "learning_rate")
"""Settings of every method that the card tells."""

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class TrainProgress:
    """Where a training stands after a step."""

    step: int
    steps: int
    losses: dict[str, float]
    """Unweighted, averaged over the last steps; of this process's share, where several train."""
    saved: bool = False
    """Whether a checkpoint, a preview and the losses so far have just been written."""


class TrainingLoop(ABC, Generic[Batch]):
    """One training and the step it has reached; a method says what a step is.

    Attributes:
        photos: that are learnt from, and those that are not.
        clips: pairs of frames that motion is learnt from, if that is asked for.
        learned: all that is learned or remembered from one step to the next.
        optimizers: of its parameters.
        frozen: networks that look at what is painted, and do not learn.
        sources: what is learnt from, in short.
        shown: what the preview shows, (N, 3, S, S) each; kept by the first process alone.
    """

    config: TrainingSettings
    photos: Pictures
    clips: ClipPairs | None
    learned: nn.Module
    optimizers: Sequence[Optimizer]
    frozen: Sequence[nn.Module] = ()
    log: LossLog
    sources: Mapping[str, str]
    shown: list[Tensor]

    def __init__(self, config: TrainingSettings) -> None:
        self.config = config
        refuse_clash(config)
        self.device = meet(torch.device(choose_device(config.device)))
        self.clips = ClipPairs(config.pair_folder) if config.clips else None
        self.step = 0
        self.losses: dict[str, float] = {}
        self.held_out: list[Path] = []

    def run(self, on_progress: Callable[[TrainProgress], None]) -> Path:
        """Take the steps that are left, saving as it goes; return the style file's path."""
        self.config.run_folder.mkdir(parents=True, exist_ok=True)
        if rank() == 0:
            self._list_held_out()
            self.shown = self._shown()
        self.log = LossLog(self.config.run_folder, self.step)
        self.losses = self.log.rows.get(self.step, {})
        if self.device.type == "cuda":  # on few cores it would take longer than it gains
            compile_networks([self.learned, *self.frozen])
        saved = time.monotonic()
        for batch in self._batches():
            # Plain numbers: a tensor that outlives its step would hold on to the step's graph.
            losses = {name: loss.item() for name, loss in self._take_step(batch).items()}
            self.step += 1
            self._remember(losses)
            due = rank() == 0 and time.monotonic() - saved >= SAVE_SECONDS
            if due:
                self._save()
                saved = time.monotonic()
            on_progress(TrainProgress(self.step, self.config.steps, self.losses, due))
        if rank() == 0:
            self._save()
        leave()
        return self.config.style_path

    @abstractmethod
    def _dataset(self) -> Dataset[Batch]:
        """What is learnt from: item k is the k-th share, whoever asks.

        A step has a share for each process that trains: alone, item k belongs to step k.
        """

    @abstractmethod
    def _take_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch; give the losses, unweighted."""

    @abstractmethod
    def _finished(self) -> StyleNetwork:
        """The network that goes into the style file."""

    def _way_back(self) -> StyleNetwork | None:
        """The network that turns paintings into photographs, if the style file keeps one."""
        return None

    @abstractmethod
    def _cards(self) -> list[StyleCard]:
        """What the style file says of itself, style by style."""

    @abstractmethod
    def _preview(self) -> list[Tensor]:
        """Rows of pictures (N, 3, S, S) that show how far it has come."""

    @property
    def _batch_number(self) -> int:
        """Of the batch that this process learns from in the next step."""
        return self.step * ranks() + rank()

    def _resume(self) -> None:
        """Go on from the checkpoint, if that is asked for; to be called when all is built."""
        self.sources = self._sources()
        if self.config.resume:
            self.step = load_checkpoint(self.learned, self.optimizers, self.config, self.sources)

    def _sources(self) -> dict[str, str]:
        """What is learnt from, in short: it stays the same until the training is done."""
        network = perceptual_path(self.config.perceptual)
        sources = {
            "photographs": of_pictures(self.config.photos, self.photos.learnt),
            "perceptual networks": of_contents([network]) if network.is_file() else str(network),
        }
        if self.clips:
            sources["clips"] = of_archives(self.clips.files)
        return sources

    def _autocast(self) -> torch.autocast:
        """Half precision where it is quicker."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=has_bfloat16(self.device.type)
        )

    def _pictures(self, folder: Path, size: int, on_note: Callable[[str], None]) -> Pictures:
        """A folder's pictures, but for those that are broken or too small; `on_note` names them.

        They will be scaled to the size: enlarged more than twice, a picture would teach blur.
        """
        usable = usable_pictures(folder, size // 2, on_note)
        pictures = hold_out(usable, self.config.val, size)
        self.held_out += pictures.held_out
        return pictures

    def _counted(self) -> str:
        """How much is learnt from, paintings apart, in words for the card."""
        photos = f"{len(self.photos.learnt)} photographs"
        if not self.clips:
            return photos
        pairs = len(self.clips.files)
        return f"{photos} and {pairs} pair{'s' if pairs > 1 else ''} of frames"

    def _shown(self) -> list[Tensor]:
        """Photographs (N, 3, S, S) for the preview, and frames of the clip that is held out.

        They are read once: a picture that is moved away meanwhile does not end the training.
        """
        shown = [self._chosen(self.photos)]
        if self.clips:
            frames = load_held_out(self.config.pair_folder, self.config.crop)
            shown += [] if frames is None else [frames.to(self.device)]
        return shown

    def _chosen(self, pictures: Pictures) -> Tensor:
        """The middles of a few pictures, spread over all of them: (N, 3, S, S)."""
        shown = pictures.shown
        chosen = (shown[k * len(shown) // PREVIEWS] for k in range(PREVIEWS))
        scaled = (load_picture(path, pictures.size) for path in chosen)
        crops = [to_tensor(middle(picture, self.config.crop)) for picture in scaled]
        return torch.stack(crops).to(self.device)

    def _filled_card(self, **facts: Any) -> StyleCard:
        """A card with what every method knows, and the given facts."""
        c = self.config
        recipe = {key: value for key, value in asdict(c).items() if key in RECIPE}
        recipe["batch"] *= ranks()
        facts["recipe"] = recipe | facts["recipe"]
        facts["data"] = c.data or facts["data"]
        facts = {"name": c.name} | facts
        facts["title"] = c.title or legible(facts["title"])
        return StyleCard(
            painter=c.painter,
            year=c.year,
            tier=c.tier,
            losses=rounded(self.losses),
            licence=c.licence,
            weak=c.weak,
            **facts,
        )

    def _list_held_out(self) -> None:
        """Write which pictures are held out."""
        path = self.config.run_folder / HELD_OUT_NAMES
        path.unlink(missing_ok=True)
        if self.held_out:
            lines = "".join(f"{picture}\n" for picture in self.held_out)
            path.write_text(lines, "utf-8", "surrogateescape")

    def _batches(self) -> DataLoader[Batch]:
        return DataLoader(
            self._dataset(),
            batch_size=None,
            sampler=range(self._batch_number, self.config.steps * ranks(), ranks()),
            num_workers=8 if self.device.type == "cuda" else 0,
        )

    def _remember(self, losses: dict[str, float]) -> None:
        if not all(map(math.isfinite, losses.values())):
            raise DivergedError(
                f"{self.config.name}: a loss became infinite at step {self.step}; "
                "begin anew with another --seed and --name"
            )
        keep = 0.98 if self.losses else 0.0
        self.losses = {
            n: keep * self.losses.get(n, 0.0) + (1 - keep) * v for n, v in losses.items()
        }
        self.log.add(self.step, self.losses)

    def _save(self) -> None:
        if not all(bool(p.isfinite().all()) for p in self.learned.parameters()):
            raise DivergedError(
                f"{self.config.name}: a weight became infinite by step {self.step}; "
                "begin anew with another --seed and --name"
            )
        self.log.add(self.step, self.losses, now=True)
        self.log.write()
        save_checkpoint(self.learned, self.optimizers, self.step, self.config, self.sources)
        self._save_preview()
        save_style(self.config.style_path, self._finished(), self._cards(), self._way_back())

    @torch.no_grad()
    def _save_preview(self) -> None:
        rows = torch.cat([torch.cat(list(row), dim=2) for row in self._preview()], dim=1)
        pixels = (rows.float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        with replacing(self.config.run_folder / "preview.png") as part:
            Image.fromarray(pixels).save(part, "PNG")


def rounded(values: Mapping[str, float]) -> dict[str, float]:
    """As a card tells them."""
    return {name: round(value, 5) for name, value in values.items()}


def legible(name: str) -> str:
    """A file's name as text, with a question mark for each byte that is none."""
    return name.encode(errors="replace").decode()


def refuse_clash(config: TrainingSettings) -> None:
    """Refuse to begin where a training or a style lies, and to go on where none does.

    Raises:
        UsageError: it would.
    """
    if config.checkpoint.exists() and not config.resume:
        raise UsageError(
            f"{config.run_folder}: a training lies there already; "
            "go on with --resume, or choose another --name"
        )
    if config.style_path.exists() and not config.resume:
        raise UsageError(
            f"{config.style_path}: a style lies there already; choose another --name, or remove it"
        )
    for style in () if config.resume else StyleRegistry([config.output]).styles:
        if style.card.name in config.style_names and style.card.tier == config.tier:
            raise UsageError(
                f"{style.path}: holds a style {style.card.name} in {config.tier} already, and one "
                "would hide the other; choose another name, or another folder (-o)"
            )
    if config.resume and not config.checkpoint.exists():
        raise UsageError(f"{config.checkpoint}: nothing to resume; leave out --resume")


def descend(
    optimizers: Sequence[Optimizer],
    rate: float,
    losses: Mapping[str, Tensor],
    weights: Mapping[str, float],
) -> None:
    """Take one step at a rate down the weighted sum of the losses, of all processes' shares."""
    total = torch.stack([weight * losses[name] for name, weight in weights.items()]).sum()
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            average_gradients(group["params"])
            group["lr"] = rate
        optimizer.step()


def compile_networks(
    modules: Iterable[nn.Module], backend: str | Callable[..., Any] = "inductor"
) -> None:
    """Let torch make programs of networks when they are first run; where it cannot, they stay.

    Args:
        modules: networks, and what holds networks; their weights keep their names.
        backend: of `torch.compile`.
    """
    torch._dynamo.config.suppress_errors = True
    for network in (network for module in modules for network in module.modules()):
        if isinstance(network, StyleNetwork):  # its halves are run apart, too
            for half in ("encode", "decode"):
                setattr(network, half, torch.compile(getattr(network, half), backend=backend))
        elif isinstance(network, PatchGAN | PerceptualNetwork):
            network.compile(backend=backend)
