"""Style files: what is written is read back, and what is broken is refused by name."""

import json
import resource
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
from vidstyle.stylizers.card import CARD_KEY, read_cards
from vidstyle.stylizers.networks import build
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network, save_style
from vidstyle.types import StyleCard

MakeStyle = Callable[..., Path]


def test_round_trip_keeps_card_and_weights(tmp_path: Path) -> None:
    card = StyleCard("cafe", "Café", "P", "1889", "fast", "FastNet", {"width": 16}, {"steps": 3})
    network = build(card)
    path = tmp_path / "s.safetensors"
    save_style(path, network, [card])
    assert read_cards(path)[0] == card
    loaded = load_network(StyleFile(path, card)).state_dict()
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
        read_cards(path)[0]


@given(cut=st.integers(min_value=0, max_value=40_000))
def test_a_truncated_file_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "s.safetensors"
    card = StyleCard("s", "S", "P", "1", "best", "BestNet", {"width": 4, "blocks": 1})
    save_style(path, build(card), [card])
    content = path.read_bytes()
    path.write_bytes(content[: min(cut, len(content) - 1)])
    with pytest.raises(StyleError):
        read_cards(path)[0]


def test_a_file_without_card_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "s.safetensors")
    with pytest.raises(StyleError, match="no card"):
        read_cards(tmp_path / "s.safetensors")[0]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x"},
        {"tier": "huge"},
        {"network": "os.system"},
        {"parameters": {"width": 10**9}},
        {"parameters": {"width": "48"}},
        {"parameters": None},
        {"name": "con"},
        {"name": "aux.v2"},
        {"name": "sea."},
        {"title": 7},
        {"weak": ["a"]},
        {"recipe": ["a"]},
        {"losses": {"content": 101 * [[]]}},
        {"e_warp": "0.1"},
    ],
)
def test_a_card_that_asks_for_nonsense_is_refused(
    tmp_path: Path, make_style: MakeStyle, change: dict[str, object]
) -> None:
    path = make_style()
    card = json.loads(json.dumps(read_cards(path)[0].__dict__)) | change
    save_file(load_file(path), path, {CARD_KEY: json.dumps(card)})
    with pytest.raises(StyleError, match="card is broken"):
        read_cards(path)[0]


def test_weights_that_do_not_fit_the_card_are_refused(make_style: MakeStyle) -> None:
    path = make_style()
    card = replace(read_cards(path)[0], parameters={"width": 32, "half_width": 8, "full_width": 4})
    with pytest.raises(StyleError, match="do not fit its card"):
        load_network(StyleFile(path, card))


def test_a_card_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "s.safetensors", {CARD_KEY: "[" * 200_000})
    with pytest.raises(StyleError, match="card is broken"):
        read_cards(tmp_path / "s.safetensors")[0]


def test_a_header_that_would_take_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_file({"x": torch.zeros(1)}, path, {CARD_KEY: "{}", "padding": "x" * (1 << 20)})
    with pytest.raises(StyleError, match="header claims 1,048,"):
        read_cards(path)[0]


def test_a_card_that_asks_for_gigabytes_gets_none(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header is held against the card before the network is built or a weight is read."""
    path = make_style()
    huge = {"width": 512, "half_width": 512, "full_width": 512, "blocks": 512}
    card = replace(read_cards(path)[0], parameters=huge)
    monkeypatch.setattr("vidstyle.stylizers.style_file.load_file", lambda _: pytest.fail("loaded"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StyleError, match="do not fit its card"):
        load_network(StyleFile(path, card))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB; it is 9 GB


def test_weights_are_floating_point_numbers(make_style: MakeStyle) -> None:
    path = make_style()
    card = read_cards(path)[0]
    tensors = {name: tensor.to(torch.int64) for name, tensor in load_file(path).items()}
    save_file(tensors, path, {CARD_KEY: json.dumps(card.__dict__)})
    with pytest.raises(StyleError, match="holds I64, not floating-point"):
        load_network(StyleFile(path, card))


def test_weights_that_are_not_finite_are_refused(make_style: MakeStyle) -> None:
    path = make_style()
    card = read_cards(path)[0]
    network = load_network(StyleFile(path, card))
    network.state_dict()["stem.bias"].fill_(float("nan"))
    save_style(path, network, [card])
    with pytest.raises(StyleError, match="not finite"):
        load_network(StyleFile(path, card))


def test_a_style_that_keeps_the_way_back_gives_the_one_that_is_asked_for(tmp_path: Path) -> None:
    card = StyleCard("s", "S", "P", "1", "fast", "FastNet", {"width": 8})
    ways = {False: build(card), True: build(card)}
    path = tmp_path / "s.safetensors"
    save_style(path, ways[False], [card], reverse=ways[True])
    assert read_cards(path)[0] == replace(card, reversible=True)
    for reverse, network in ways.items():
        loaded = load_network(StyleFile(path, read_cards(path)[0], reverse=reverse)).state_dict()
        expected = network.state_dict()
        assert all(torch.equal(loaded[name], expected[name].half().float()) for name in expected)


def test_a_style_saved_without_the_way_back_says_so(make_style: MakeStyle, tmp_path: Path) -> None:
    card = replace(read_cards(make_style())[0], reversible=True)
    save_style(tmp_path / "s.safetensors", build(card), [card])
    assert not read_cards(tmp_path / "s.safetensors")[0].reversible


def test_a_card_that_promises_a_way_back_in_vain_is_refused(
    tmp_path: Path, make_style: MakeStyle
) -> None:
    path = make_style()
    with pytest.raises(StyleError, match="do not fit its card"):
        load_network(StyleFile(path, replace(read_cards(path)[0], reversible=True), reverse=True))
