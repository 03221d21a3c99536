"""Checkpoints as safetensors: weights, what optimizers remember, and the step."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Optimizer

from vidstyle.errors import InputError, UsageError
from vidstyle.stylizers.style_file import write_safetensors
from vidstyle.training.config import TrainingSettings
from vidstyle.training.ranks import ranks

WEIGHTS: Final = "network"
"""Kind of what is learned; all other kinds are what an optimizer remembers of a parameter."""
FREE_TO_CHANGE: Final = frozenset(
    (
        *("resume", "output", "device", "keep_reverse"),
        *("photos", "paintings", "clips", "styles", "perceptual"),
        *("title", "painter", "year", "licence", "data", "weak"),
    )
)
"""Settings that a resumed training may name differently: where things lie, and mere words."""
VERSION: Final = "3"
"""Of what a step does: one more with every change that a resumed training must not undergo."""


class _Header(NamedTuple):
    """What a checkpoint says of itself."""

    step: int
    config: dict[str, Any]
    sources: dict[str, str]


def save_checkpoint(
    learned: nn.Module,
    optimizers: Sequence[Optimizer],
    step: int,
    config: TrainingSettings,
    sources: Mapping[str, str],
) -> None:
    """Write all that the next step depends on: what is learned and remembered, buffers too.

    `sources` says what is learnt from, in short.
    """
    tensors = {f"{WEIGHTS}.{name}": t for name, t in learned.state_dict().items()}
    for optimizer in optimizers:
        for name, parameter in _named(learned, optimizer):
            for kind, remembered in optimizer.state[parameter].items():
                tensors[f"{kind}.{name}"] = remembered
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    metadata = {"config": json.dumps(_settings(config)), "sources": json.dumps(dict(sources))}
    metadata |= {"step": str(step), "version": VERSION}
    write_safetensors(config.checkpoint, tensors, metadata)


def load_checkpoint(
    learned: nn.Module,
    optimizers: Sequence[Optimizer],
    config: TrainingSettings,
    sources: Mapping[str, str],
) -> int:
    """Restore a checkpoint into modules and optimizers; return the step it was written after.

    Raises:
        UsageError: it was written with other settings, of other sources, or by another vidstyle.
        InputError: it cannot be read.
    """
    path = config.checkpoint
    header, tensors = _read(path)
    _refuse_other_settings(path, header.config, _settings(config))
    _refuse_other_sources(path, header.sources, sources)
    kinds: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        kind, _, of = name.partition(".")
        kinds[kind][of] = tensor
    try:
        learned.load_state_dict(kinds.pop(WEIGHTS, {}))
    except RuntimeError as error:
        raise InputError(f"{path}: not a whole checkpoint; choose another --name") from error
    for optimizer in optimizers:
        for name, parameter in _named(learned, optimizer):
            optimizer.state[parameter] = {
                kind: _placed(of[name], parameter) for kind, of in kinds.items() if name in of
            }
    return header.step


def _read(path: Path) -> tuple[_Header, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a readable checkpoint ({error})") from error
    if said.get("version") != VERSION:
        raise UsageError(f"{path}: is of another version of vidstyle; choose another --name")
    try:
        config, sources = dict(json.loads(said["config"])), dict(json.loads(said["sources"]))
        return _Header(int(said["step"]), config, sources), tensors
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a whole checkpoint; choose another --name") from error


def _placed(remembered: Tensor, parameter: nn.Parameter) -> Tensor:
    """Put it where its parameter is; counts of steps stay with the processor."""
    return remembered.to(parameter.device) if remembered.ndim else remembered


def _named(learned: nn.Module, optimizer: Optimizer) -> list[tuple[str, nn.Parameter]]:
    """An optimizer's parameters, by their names in the module that holds them."""
    own = {parameter for group in optimizer.param_groups for parameter in group["params"]}
    return [(name, p) for name, p in learned.named_parameters() if p in own]


def _settings(config: TrainingSettings) -> dict[str, Any]:
    """All that a step depends on; its pictures are shared out among the processes that train.

    The folder of clips may be elsewhere, but clips are learnt from either always or never.
    """
    settings = {k: v for k, v in asdict(config).items() if k not in FREE_TO_CHANGE}
    settings |= {"style_names": list(config.style_names), "processes": ranks()}
    return settings | {"clips": config.clips is not None}


def _refuse_other_settings(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        if old.get(name) != value:
            raise UsageError(
                f"{path}: was trained with {_spelt(name)} {old.get(name)!r}, not {value!r}; "
                f"resume with the same, or choose another --name"
            )


def _spelt(name: str) -> str:
    return "from" if name == "begin_with" else name.replace("_", " ")


def _refuse_other_sources(path: Path, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for name, value in new.items():
        if old.get(name) != value:
            raise UsageError(
                f"{path}: learnt from other {name}; resume with the same, or choose another --name"
            )
