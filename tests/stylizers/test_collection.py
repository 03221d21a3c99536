"""Several styles in one file: each by its name, and what lies between them."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from vidstyle.errors import StyleError
from vidstyle.stylizers.card import CARD_KEY, read_cards
from vidstyle.stylizers.engine import Engine, open_engine
from vidstyle.stylizers.graph_cache import graph_file
from vidstyle.stylizers.mixture import Schedule, parse_mixture
from vidstyle.stylizers.networks import build, choose_shares, make_conditional
from vidstyle.stylizers.openvino_engine import OpenVinoEngine
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.stylizers.style_file import load_network
from vidstyle.stylizers.tiles import TiledNetwork
from vidstyle.stylizers.torch_engine import TorchEngine
from vidstyle.types import StyleCard

MakeStyle = Callable[..., Path]
MakeCollection = Callable[..., Path]

SHARES = st.floats(0.01, 100)


@pytest.fixture
def shelf(tmp_path: Path, make_collection: MakeCollection) -> StyleRegistry:
    make_collection("sea", "sky", "sun")
    return StyleRegistry([tmp_path])


def test_each_style_is_found_by_its_name(shelf: StyleRegistry) -> None:
    assert shelf.names() == ["sea", "sky", "sun"]
    sky = shelf.find("sky", "best")
    assert (sky.card.title, sky.shares, sky.spec) == ("Sky", (0, 1, 0), "sky")
    assert shelf.find("sky", "fast") == sky


def test_another_style_of_that_name_does_not_part_those_of_one_file(
    tmp_path: Path, make_collection: MakeCollection, make_style: MakeStyle
) -> None:
    alone = make_style("sea", tier="best").rename(tmp_path / "a.safetensors")
    make_collection("sea", "sky")
    registry = StyleRegistry([tmp_path])
    assert registry.find("sea", "best").path == alone
    assert registry.find("sea:3,sky:1", "best").shares == (0.75, 0.25)


def test_a_schedule_is_painted_by_one_file(tmp_path: Path, make_collection: MakeCollection) -> None:
    make_collection("sea", "sky").rename(tmp_path / "a.safetensors")
    make_collection("sun", "sea").rename(tmp_path / "b.safetensors")
    found = StyleRegistry([tmp_path]).find("0 sea; 5 sun", "best")
    assert found.path.name == "b.safetensors"
    assert found.shares == (0, 1)
    assert found.schedule is not None
    assert found.schedule.shares == ((0, 1), (1, 0))
    assert found.card.title == "100% Sea to 100% Sun"


def test_a_mixture_of_one_is_that_style(
    shelf: StyleRegistry, tmp_path: Path, make_style: MakeStyle
) -> None:
    make_style("alone", folder=tmp_path)
    registry = StyleRegistry([tmp_path])
    assert registry.find("alone:2", "fast") == registry.find("alone", "fast")
    assert registry.find("sky:1", "best") == registry.find("sky", "best")


def test_the_name_of_the_file_leads_to_those_in_it(
    tmp_path: Path, make_collection: MakeCollection
) -> None:
    path = make_collection("sea", "sky")
    with pytest.raises(StyleError, match="holds sea, sky; name one of them"):
        StyleRegistry([tmp_path]).find(path.name.removesuffix(".safetensors"), "best")


def test_a_style_is_the_shared_network_with_norms_of_its_own(shelf: StyleRegistry) -> None:
    picture = torch.rand(1, 3, 24, 24)
    for number, name in enumerate(shelf.names()):
        style = shelf.find(name, "best")
        together = make_conditional(build(style.card), 3)
        together.load_state_dict({n: t.float() for n, t in load_file(style.path).items()})
        choose_shares(together, torch.eye(3)[number])
        assert torch.allclose(load_network(style)(picture), together(picture), atol=1e-5)


def test_a_mixture_lies_between_its_styles(shelf: StyleRegistry) -> None:
    mixture = shelf.find("sea:3, sun:1", "best")
    assert mixture.shares == pytest.approx((0.75, 0, 0.25))
    assert (mixture.card.name, mixture.card.title) == ("sea-75-sun-25", "75% Sea, 25% Sun")
    assert shelf.find(mixture.spec, "best") == mixture
    sea, sun, mixed = (
        load_network(style).state_dict()
        for style in (shelf.find("sea", "best"), shelf.find("sun", "best"), mixture)
    )
    for name, tensor in mixed.items():
        assert torch.allclose(tensor, 0.75 * sea[name] + 0.25 * sun[name], atol=1e-5)


def test_a_mixture_needs_one_network(
    shelf: StyleRegistry, tmp_path: Path, make_style: MakeStyle
) -> None:
    make_style("sea", "fast")
    make_style("fog", "best")
    shelf = StyleRegistry([tmp_path])
    assert shelf.find("sea", "fast").card.tier == "fast"
    assert shelf.find("sea:0.5,sky:0.5", "fast").card.tier == "best"
    with pytest.raises(StyleError, match="sea and fog cannot be mixed: only styles"):
        shelf.find("sea,fog", "best")
    with pytest.raises(StyleError, match="did you mean sky"):
        shelf.find("sea,skyy", "best")


@pytest.mark.parametrize("spec", ["sea:-1,sky:2", "sea:0", "sea:nan", "sea:inf", "sea:x"])
def test_what_is_no_mixture_is_refused(shelf: StyleRegistry, spec: str) -> None:
    with pytest.raises(StyleError, match=r"shares? "):
        shelf.find(spec, "best")


def test_shares_of_one_style_add_up() -> None:
    assert parse_mixture("sea:1,sun:1,sea:2") == {"sea": 0.75, "sun": 0.25}


def test_times_are_no_shares(shelf: StyleRegistry) -> None:
    for spec in ("sea, 5 sky", "0 sea, 5 sky", "sea,"):
        with pytest.raises(StyleError, match=r"no style and share, .* between semicolons"):
            shelf.find(spec, "best")
    with pytest.raises(StyleError, match="give each style a share"):
        shelf.find("sea:0.6,sky", "best")


@given(st.dictionaries(st.from_regex(r"style-[a-z]", fullmatch=True), SHARES, min_size=1))
def test_shares_are_together_1(amounts: dict[str, float]) -> None:
    read = parse_mixture(",".join(f"{name}:{amount!r}" for name, amount in amounts.items()))
    assert math.isclose(sum(read.values()), 1)
    total = sum(amounts.values())
    assert all(math.isclose(read[name] * total, amounts[name]) for name in amounts)


def test_by_its_path_it_says_how_to_use_it(make_collection: MakeCollection) -> None:
    path = make_collection("sea", "sky")
    with pytest.raises(StyleError, match=r"several styles \(sea, sky\)"):
        StyleRegistry([]).find(str(path), "best")


def test_graphs_of_two_styles_of_one_file_are_kept_apart(shelf: StyleRegistry) -> None:
    specs = ("sea", "sky", "sea:0.6,sky:0.4", "sea:0.5,sky:0.5")
    files = {graph_file(shelf.find(spec, "best"), 24, 32) for spec in specs}
    assert len(files) == len(specs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda cards: [], "holds 0 styles"),
        (lambda cards: [cards[0], cards[0]], "two of its styles have one name"),
        (lambda cards: [cards[0], replace(cards[1], parameters={"width": 8})], "do not share"),
        (lambda cards: [cards[0], replace(cards[1], name="../x")], "lower-case letters"),
    ],
)
def test_broken_cards_are_refused(
    make_collection: MakeCollection,
    change: Callable[[tuple[StyleCard, ...]], list[StyleCard]],
    said: str,
) -> None:
    path = make_collection("sea", "sky")
    text = json.dumps([asdict(card) for card in change(read_cards(path))])
    save_file(load_file(path), path, {CARD_KEY: text})
    with pytest.raises(StyleError, match=said):
        read_cards(path)


def test_more_cards_than_norms_are_refused(shelf: StyleRegistry, tmp_path: Path) -> None:
    path = tmp_path / "collection.safetensors"
    cards = [asdict(card) for card in read_cards(path)]
    save_file(load_file(path), path, {CARD_KEY: json.dumps([*cards, cards[0] | {"name": "fog"}])})
    with pytest.raises(StyleError, match="do not fit its card"):
        load_network(StyleRegistry([tmp_path]).find("sea", "best"))


def test_a_schedule_goes_from_style_to_style(shelf: StyleRegistry) -> None:
    style = shelf.find("1 sea; 3 sky:1,sun:3; 4 sun", "fast")
    assert (style.card.name, style.card.tier) == ("sea-to-sky-to-sun", "best")
    assert style.schedule is not None
    at = {0: (1, 0, 0), 1: (1, 0, 0), 2: (0.5, 0.125, 0.375), 3: (0, 0.25, 0.75), 9: (0, 0, 1)}
    for seconds, shares in at.items():
        assert style.schedule.at(seconds) == pytest.approx(shares)
    changed = [style.schedule.changed(seconds, 0) for seconds in (0, 1, 2, 3, 4, 9)]
    assert changed == pytest.approx([0, 0, 0.5, 1, 1.25, 1.25])
    # A tenth beyond takes 0.2 s after the first change, and 0.4 s after the second.
    beyond = [style.schedule.changed(seconds, 0.1) for seconds in (3, 3.2, 3.5, 4, 4.2, 4.4, 9)]
    assert beyond == pytest.approx([1, 1.15, 1.225, 1.35, 1.4, 1.45, 1.45])
    assert shelf.find(style.spec, "best") == style


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6, unique=True), st.floats(0, 120))
def test_shares_on_a_schedule_are_together_1(times: list[float], now: float) -> None:
    corners = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.25, 0.75))
    times = sorted(times)
    shares = tuple(corners[k % 3] for k in range(len(times)))
    schedule = Schedule(tuple(times), shares)
    assert sum(schedule.at(now)) == pytest.approx(1)
    assert min(schedule.at(now)) >= -1e-9
    assert schedule.changed(now, 0.1) <= schedule.changed(now + 1, 0.1) + 1e-9
    assert schedule.changed(now, 0) <= schedule.changed(now, 0.1)


@pytest.mark.parametrize(
    "spec",
    [
        *("sea; 2 sky", "2 sea; 1 sky", "-1 sea; 2 sky", "1 sea; nan sky"),
        *("0 sea; inf sky", "0 sea; 0 sky", "0 sea; 2 sun; 2 sky"),
    ],
)
def test_what_is_no_schedule_is_refused(shelf: StyleRegistry, spec: str) -> None:
    with pytest.raises(StyleError, match="time"):
        shelf.find(spec, "best")


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_an_engine_paints_what_is_chosen(shelf: StyleRegistry, engine: str) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (1, 24, 32, 3)).astype(np.uint8)

    def opened(spec: str) -> Engine:
        style = shelf.find(spec, "best")
        return open_engine(style, height=24, width=32, device="cpu", engine=engine)

    changing = opened("0 sea; 1 sun")
    for shares, spec in (((1, 0, 0), "sea"), ((0.25, 0, 0.75), "sea:1,sun:3"), ((0, 0, 1), "sun")):
        changing.choose(shares)
        difference = changing.paint(frames).astype(int) - opened(spec).paint(frames)
        assert np.abs(difference).mean() < 1


def test_what_is_chosen_stays_so_when_torch_takes_over(
    shelf: StyleRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (1, 24, 32, 3)).astype(np.uint8)
    engine = OpenVinoEngine(shelf.find("0 sea; 1 sun", "best"), 24, 32, threads=1)

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(OpenVinoEngine, "_begin", fail)
    for shares, name in (((0, 0, 1), "sun"), ((1, 0, 0), "sea")):
        engine.choose(shares)
        wanted = TorchEngine(shelf.find(name, "best"), 24, 32, "cpu").paint(frames)
        assert np.abs(engine.paint(frames).astype(int) - wanted).mean() < 1


def test_tiles_follow_the_shares(shelf: StyleRegistry) -> None:
    style = shelf.find("0 sea; 1 sun", "best")
    network, picture = load_network(style), torch.rand(1, 3, 64, 48)
    tiled = TiledNetwork(network, 32)
    for shares in ((1.0, 0.0, 0.0), (0.5, 0.0, 0.5)):
        choose_shares(network, torch.tensor(shares))
        assert torch.allclose(tiled(picture), network(picture), atol=1e-4)
