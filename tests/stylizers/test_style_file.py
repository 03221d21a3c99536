"""Style files: what is written is read back, and what is broken is refused by name."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from vidstyle.errors import StyleError
from vidstyle.stylizers.networks import build
from vidstyle.stylizers.style_file import CARD_KEY, load_network, read_card, save_style
from vidstyle.types import StyleCard

MakeStyle = Callable[..., Path]


def test_round_trip_keeps_card_and_weights(tmp_path: Path) -> None:
    card = StyleCard("cafe", "Café", "P", "1889", "fast", "FastNet", {"width": 16}, {"steps": 3})
    network = build(card)
    path = tmp_path / "s.safetensors"
    save_style(path, network, card)
    assert read_card(path) == card
    loaded = load_network(path, card).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded[name], tensor.half().float())
    assert [p.name for p in tmp_path.iterdir()] == ["s.safetensors"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is text",
        struct.pack("<Q", 2**40),
        struct.pack("<Q", 8) + b"not json",
        b"\x80\x04\x95pickle",
    ],
)
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.safetensors"
    path.write_bytes(content)
    with pytest.raises(StyleError, match=r"s\.safetensors: not a readable style file"):
        read_card(path)


@given(cut=st.integers(min_value=0, max_value=40_000))
def test_a_truncated_file_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "s.safetensors"
    card = StyleCard("s", "S", "P", "1", "best", "BestNet", {"width": 4, "blocks": 1})
    save_style(path, build(card), card)
    content = path.read_bytes()
    path.write_bytes(content[: min(cut, len(content) - 1)])
    with pytest.raises(StyleError):
        read_card(path)


def test_a_file_without_card_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "s.safetensors")
    with pytest.raises(StyleError, match="no card"):
        read_card(tmp_path / "s.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x"},
        {"tier": "huge"},
        {"network": "os.system"},
        {"parameters": {"width": 10**9}},
        {"parameters": {"width": "48"}},
        {"parameters": None},
    ],
)
def test_a_card_that_asks_for_nonsense_is_refused(
    tmp_path: Path, make_style: MakeStyle, change: dict[str, object]
) -> None:
    path = make_style()
    card = json.loads(json.dumps(read_card(path).__dict__)) | change
    save_file(load_file(path), path, {CARD_KEY: json.dumps(card)})
    with pytest.raises(StyleError, match="card is broken"):
        read_card(path)


def test_weights_that_do_not_fit_the_card_are_refused(make_style: MakeStyle) -> None:
    path = make_style()
    card = replace(read_card(path), parameters={"width": 32, "half_width": 8, "full_width": 4})
    with pytest.raises(StyleError, match="do not fit its card"):
        load_network(path, card)


def test_weights_that_are_not_finite_are_refused(make_style: MakeStyle) -> None:
    path = make_style()
    card = read_card(path)
    network = load_network(path, card)
    network.state_dict()["colour.bias"].fill_(float("nan"))
    save_style(path, network, card)
    with pytest.raises(StyleError, match="not finite"):
        load_network(path, card)
