"""Style files: safetensors that hold a network in half precision and its card in the header.

A file may hold several styles that share one network: it has a card for each, and every norm's
scales and shifts are as many rows (see `ConditionalNorm`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from vidstyle.errors import StyleError
from vidstyle.files import replacing
from vidstyle.stylizers.card import CARD_KEY, cards_text
from vidstyle.stylizers.networks import (
    StyleNetwork,
    build,
    make_conditional,
    own_weights,
)
from vidstyle.stylizers.registry import StyleFile
from vidstyle.types import StyleCard

_NUMBERS: Final = {"F16", "BF16", "F32"}

REVERSE: Final = "reverse."
"""Begins the names of the tensors that lead from paintings to photographs."""


def save_style(
    path: Path,
    network: nn.Module,
    cards: Sequence[StyleCard],
    reverse: nn.Module | None = None,
) -> None:
    """Write a style file; the old one stays whole until the new one is.

    Args:
        path: of the file.
        network: that paints; of several styles, one that `make_conditional` made.
        cards: what to say of it, one for each of its styles.
        reverse: the network that turns paintings into photographs, if it is to be kept.

    Raises:
        ResourceError: as `write_safetensors` does.
    """
    tensors = network.state_dict()
    if reverse is not None:
        tensors |= {REVERSE + name: t for name, t in reverse.state_dict().items()}
    tensors = {name: t.detach().cpu().half().contiguous() for name, t in tensors.items()}
    cards = [replace(card, reversible=reverse is not None) for card in cards]
    write_safetensors(path, tensors, {CARD_KEY: cards_text(cards)})


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors under a part name, then rename, so that no half file is ever found.

    Raises:
        ResourceError: the disk is full, or the place cannot be written.
    """
    with replacing(path) as part:
        part.write_bytes(save(dict(tensors), metadata))  # save_file would make it private


def load_network(style: StyleFile) -> StyleNetwork:
    """Build the network that a card names and fill it from its file, in fp32, ready to paint.

    Nothing is allocated before the file's header and size agree with the card.

    Raises:
        StyleError: the tensors are not those of the network.
    """
    path = style.path
    try:
        _check_tensors(style)
        network = build(style.card)
        if style.schedule:
            make_conditional(network, len(style.shares))
        tensors = load_file(path)
        if style.card.reversible:
            tensors = _one_way(tensors, reverse=style.reverse)
        for name in own_weights(network) if style.shares and not style.schedule else ():
            tensors[name] = torch.tensor(style.shares) @ tensors[name].float()
        network.load_state_dict({name: t.float() for name, t in tensors.items()})
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise StyleError(f"{path}: its weights do not fit its card ({reason})") from error
    if not all(bool(torch.isfinite(t).all()) for t in network.state_dict().values()):
        raise StyleError(f"{path}: holds weights that are not finite; the file is damaged")
    return network.eval().requires_grad_(False)


def _one_way(tensors: dict[str, Tensor], *, reverse: bool) -> dict[str, Tensor]:
    chosen = {name: t for name, t in tensors.items() if name.startswith(REVERSE) == reverse}
    return {name.removeprefix(REVERSE): t for name, t in chosen.items()}


def _check_tensors(style: StyleFile) -> None:
    """Compare names, shapes and types in a file's header with a network that takes no memory.

    That the header's sizes are the file's is checked by safetensors when it opens it.
    """
    with torch.device("meta"):
        network = build(style.card)
        wanted = {name: list(t.shape) for name, t in network.state_dict().items()}
    for name in own_weights(network) if style.shares else ():
        wanted[name].insert(0, len(style.shares))
    if style.card.reversible:
        wanted |= {REVERSE + name: shape for name, shape in wanted.items()}
    with safe_open(style.path, framework="pt") as file:
        found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        if odd := sorted(wanted.keys() ^ found.keys()):
            raise ValueError(f"tensor {odd[0]} is {'missing' if odd[0] in wanted else 'unknown'}")
        for name, shape in wanted.items():
            if (other := found[name].get_shape()) != shape:
                raise ValueError(f"tensor {name} is {other}, not {shape}")
            if (kind := found[name].get_dtype()) not in _NUMBERS:
                raise ValueError(f"tensor {name} holds {kind}, not floating-point numbers")
