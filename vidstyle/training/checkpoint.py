"""Checkpoints as safetensors: weights, Adam's moments and the step, which fixes the data order."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Adam

from vidstyle.errors import InputError, UsageError
from vidstyle.stylizers.style_file import write_safetensors
from vidstyle.training.config import TrainConfig

FREE_TO_CHANGE: Final = frozenset(
    (
        *("resume", "output", "device", "photos", "style", "perceptual"),
        *("title", "painter", "year", "licence", "data", "weak"),
    )
)
"""Settings that a resumed training may name differently: none of them changes a step."""


def save_checkpoint(
    path: Path, network: nn.Module, optimizer: Adam, step: int, config: TrainConfig
) -> None:
    """Write all that the next step depends on."""
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        for moment in ("exp_avg", "exp_avg_sq"):
            tensors[f"{moment}.{name}"] = optimizer.state[parameter][moment]
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write_safetensors(path, tensors, {"step": str(step), "config": json.dumps(_settings(config))})


def load_checkpoint(path: Path, network: nn.Module, optimizer: Adam, config: TrainConfig) -> int:
    """Restore a checkpoint into network and optimizer; return the step it was written after.

    Raises:
        UsageError: it was written with other settings.
        InputError: it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a readable checkpoint ({error})") from error
    _refuse_other_settings(path, json.loads(metadata["config"]), _settings(config))
    prefix = "network."
    network.load_state_dict(
        {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    )
    step = int(metadata["step"])
    _restore_moments(network, optimizer, tensors, step)
    return step


def _restore_moments(
    network: nn.Module, optimizer: Adam, tensors: dict[str, Tensor], step: int
) -> None:
    for name, parameter in network.named_parameters():
        moments = {
            m: tensors[f"{m}.{name}"].to(parameter.device) for m in ("exp_avg", "exp_avg_sq")
        }
        count = parameter.new_tensor(float(step), device="cpu")
        optimizer.state[parameter] = {"step": count, **moments}


def _settings(config: TrainConfig) -> dict[str, Any]:
    return {k: v for k, v in asdict(config).items() if k not in FREE_TO_CHANGE}


def _refuse_other_settings(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        if old.get(name) != value:
            raise UsageError(
                f"{path}: was trained with {name} {old.get(name)}, not {value}; "
                f"resume with the same, or choose another --name"
            )
