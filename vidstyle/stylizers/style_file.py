"""Style files: safetensors that hold a network in half precision and its card in the header."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from vidstyle.errors import StyleError
from vidstyle.stylizers.networks import NETWORKS, StyleNetwork, build
from vidstyle.types import STYLE_NAME, TIERS, StyleCard

CARD_KEY: Final = "vidstyle"


def save_style(path: Path, network: nn.Module, card: StyleCard) -> None:
    """Write a style file; the old one stays whole until the new one is."""
    tensors = {
        name: t.detach().cpu().half().contiguous() for name, t in network.state_dict().items()
    }
    write_safetensors(path, tensors, {CARD_KEY: json.dumps(asdict(card), ensure_ascii=False)})


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors under a part name, then rename, so that no half file is ever found."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(save(dict(tensors), metadata))  # save_file would make it private
    os.replace(part, path)


def read_card(path: Path) -> StyleCard:
    """Read a style's card without its weights.

    Raises:
        StyleError: the file is no safetensors file, or holds no valid card.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(CARD_KEY)
    except (OSError, SafetensorError) as error:
        raise StyleError(f"{path}: not a readable style file ({error})") from error
    if text is None:
        raise StyleError(f"{path}: a safetensors file, but not a vidstyle style (no card in it)")
    try:
        return _parse_card(text)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StyleError(f"{path}: its card is broken ({error})") from error


def load_network(path: Path, card: StyleCard) -> StyleNetwork:
    """Build the network that a card names and fill it from its file, in fp32, ready to paint.

    Raises:
        StyleError: the tensors are not those of the network.
    """
    try:
        network = build(card)
        tensors = load_file(path)
        _check_shapes(tensors, network)
        network.load_state_dict({name: t.float() for name, t in tensors.items()})
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise StyleError(f"{path}: its weights do not fit its card ({reason})") from error
    if not all(bool(torch.isfinite(t).all()) for t in network.state_dict().values()):
        raise StyleError(f"{path}: holds weights that are not finite; the file is damaged")
    return network.eval().requires_grad_(False)


def _check_shapes(tensors: dict[str, Tensor], network: nn.Module) -> None:
    wanted = {name: t.shape for name, t in network.state_dict().items()}
    found = {name: t.shape for name, t in tensors.items()}
    for name in sorted(wanted.keys() ^ found.keys()):
        raise ValueError(f"tensor {name} is {'missing' if name in wanted else 'unknown'}")
    for name, shape in wanted.items():
        if found[name] != shape:
            raise ValueError(f"tensor {name} is {list(found[name])}, not {list(shape)}")


def _parse_card(text: str) -> StyleCard:
    data = json.loads(text)
    known = {field.name for field in fields(StyleCard)}
    card = StyleCard(**{key: value for key, value in data.items() if key in known})
    if not STYLE_NAME.fullmatch(card.name):
        raise ValueError(f"name {card.name!r} is not lower-case letters, digits, . _ -")
    if card.tier not in TIERS:
        raise ValueError(f"tier {card.tier!r} is none of {', '.join(TIERS)}")
    if card.network not in NETWORKS:
        raise ValueError(f"network {card.network!r} is none of {', '.join(sorted(NETWORKS))}")
    if not all(isinstance(value, int) and 0 < value <= 512 for value in card.parameters.values()):
        raise ValueError("a network parameter is not a number from 1 to 512")
    return card
