"""CycleGAN training from end to end, tiny: all parts learn, nothing piles up, resume is exact."""

import gc
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from vidstyle.errors import InputError, UsageError
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.networks import NETWORKS, TIER_NETWORK, FastNet
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network
from vidstyle.training import clips, cyclegan, data, loop, motion
from vidstyle.training.clips import FramePair, save_held_out, save_pair
from vidstyle.training.config import CycleGanConfig
from vidstyle.training.cyclegan import CycleGanTraining, Side, parameters
from vidstyle.training.data import load_picture, middle, to_tensor
from vidstyle.training.discriminator import ImagePool, PatchGAN
from vidstyle.training.loop import TrainProgress
from vidstyle.training.losses import stability_loss
from vidstyle.training.motion import MovedPair
from vidstyle.training.schedules import average_decay
from vidstyle.training.train import train
from vidstyle.types import Tier

LOSSES = {"painting", "photo", "cycle", "identity", "style", "grid"}
LOSSES |= {"painting discriminator", "photo discriminator"}
KINDS = ("generator", "discriminator")
PARTS = [f"{side}.{part}" for side in ("paintings", "photos") for part in KINDS]


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools of 50 would not be full in so few steps."""
    monkeypatch.setattr(cyclegan, "DISCRIMINATOR_WIDTH", {"fast": 4, "best": 4})
    monkeypatch.setattr(cyclegan, "HEAD_WIDTH", 4)
    monkeypatch.setattr(cyclegan, "ImagePool", partial(ImagePool, size=4))


def tensors() -> list[torch.Tensor]:
    gc.collect()
    return [o for o in gc.get_objects() if issubclass(type(o), torch.Tensor)]


def test_all_parts_learn_every_loss_is_finite_and_nothing_piles_up(
    gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("KINDS", {"still": 1.0}), ("LIT", 0.0), ("COVERED", 0.0)):
        monkeypatch.setattr(motion, name, value)  # so that one batch is as large as another
    training = CycleGanTraining(gan)
    before = {name: p.detach().clone() for name, p in training.learned.named_parameters()}
    seen: list[TrainProgress] = []
    sizes: list[int] = []

    def watch(progress: TrainProgress) -> None:
        seen.append(progress)
        if progress.step in (6, 13, 20):
            alive = tensors()
            assert all(tensor.grad_fn is None for tensor in alive)
            sizes.append(sum(tensor.nbytes for tensor in alive))

    training.run(watch)
    assert [p.step for p in seen] == list(range(1, 21))
    assert all(p.losses.keys() == LOSSES | {"stability"} for p in seen)
    assert all(math.isfinite(value) for p in seen for value in p.losses.values())
    assert len(sizes) == 3
    assert len(set(sizes)) == 1
    for part in [*PARTS, "paintings.average", "photos.average"]:
        parts = [n for n in before if n.startswith(part) and n.endswith("weight")]
        now = dict(training.learned.named_parameters())
        assert parts
        assert all(not torch.equal(before[name], now[name]) for name in parts), part


def test_leaves_a_style_and_a_preview_of_both_ways(gan: CycleGanConfig) -> None:
    path = train(replace(gan, steps=2))
    card = read_cards(path)[0]
    assert (card.name, card.title, card.tier, card.reversible) == ("tiny", "sea", "fast", False)
    assert (card.network, card.parameters) == ("FastNet", {"width": 8, "residual": True})
    assert card.recipe["method"] == "cyclegan"
    assert card.data == "20 photographs, 20 paintings"
    painted = load_network(StyleFile(path, card))(torch.rand(1, 3, 24, 24))
    assert painted.isfinite().all()
    with Image.open(gan.output / "tiny.run" / "preview.png") as preview:
        assert preview.size == (4 * 64, 4 * 64)


@pytest.fixture
def with_clips(gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch) -> CycleGanConfig:
    """A training that learns in every step from one pair of black frames."""
    monkeypatch.setattr(clips, "CLIP_SHARE", 1.0)
    gan.pair_folder.mkdir(parents=True)
    black = np.zeros((80, 90, 3), np.uint8)
    still = FramePair(black, black, np.zeros((80, 90, 2)), np.zeros((80, 90), bool))
    save_pair(gan.pair_folder / "0.npz", still)
    return replace(gan, clips=gan.photos)


@pytest.mark.parametrize("batch", [1, 2])
def test_frames_of_clips_are_to_hold_still_and_are_no_photographs(
    with_clips: CycleGanConfig, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    training = CycleGanTraining(replace(with_clips, steps=2, batch=batch))
    judged: list[torch.Tensor] = []
    held: list[torch.Tensor] = []
    judge_loss = training._discriminator_loss

    def watch(side: Side, real: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        judged.append(real)
        return judge_loss(side, real, *others)  # type: ignore[arg-type]

    def hold(painted: torch.Tensor, pair: MovedPair) -> torch.Tensor:
        held.extend((painted[:batch], painted[-batch:], pair.second))
        return stability_loss(painted, pair)

    monkeypatch.setattr(training, "_discriminator_loss", watch)
    monkeypatch.setattr(cyclegan, "stability_loss", hold)
    seen: list[TrainProgress] = []
    card = read_cards(training.run(seen.append))[0]
    assert card.data == "20 photographs and 1 pair of frames, 20 paintings"
    assert [real.shape for real in judged] == [(batch, 3, 64, 64)] * 4
    assert all(real.any() for real in judged), "a photograph is black"
    first, second, frames = held[:3]  # as they begin, the generators change nothing
    assert first.shape == second.shape == frames.shape == (batch, 3, 64, 64)
    assert not any(black.any() for black in (first, second, frames))
    assert all(math.isfinite(value) for p in seen for value in p.losses.values())


def test_pictures_that_are_held_out_are_shown_and_listed_and_not_learnt_from(
    gan: CycleGanConfig,
) -> None:
    """20 of each are enough: they are counted before some are held out."""
    training = CycleGanTraining(replace(gan, steps=1, val=0.1))
    card = read_cards(training.run(lambda _: None))[0]
    assert card.data == "18 photographs, 18 paintings"
    listed = (gan.run_folder / "held-out.txt").read_text().splitlines()
    assert listed == [*map(str, training.photos.held_out), *map(str, training.paintings.held_out)]
    assert len(listed) == 4
    shown = middle(load_picture(training.photos.held_out[0], gan.picture_size), 64)
    with Image.open(gan.run_folder / "preview.png") as preview:
        assert preview.size == (4 * 64, 4 * 64)
        assert np.array_equal(np.asarray(preview)[:64, :64], np.asarray(shown))


def test_the_preview_paints_frames_of_the_clip_that_is_held_out(
    with_clips: CycleGanConfig,
) -> None:
    """Of this training's: frames that an earlier one left are none of its business."""
    frames = np.random.default_rng(0).integers(0, 256, (4, 70, 90, 3), dtype=np.uint8)
    save_held_out(with_clips.pair_folder, frames)
    train(replace(with_clips, steps=1))
    with Image.open(with_clips.run_folder / "preview.png") as preview:
        assert preview.size == (4 * 64, 6 * 64)
        shown = np.asarray(preview)[2 * 64 : 3 * 64]
    assert np.array_equal(shown, np.concatenate(list(frames[:, 3:67, 13:77]), axis=1))
    with_clips.checkpoint.unlink()
    with_clips.style_path.unlink()
    train(replace(with_clips, steps=1, clips=None))
    with Image.open(with_clips.run_folder / "preview.png") as preview:
        assert preview.size == (4 * 64, 4 * 64)


def test_makers_begin_with_no_change_at_all(gan: CycleGanConfig) -> None:
    seen: list[TrainProgress] = []
    train(replace(gan, steps=1), seen.append)
    losses = seen[0].losses
    assert losses["cycle"] == losses["identity"] == 0
    assert min(losses[name] for name in ("painting", "photo", "style")) > 0


class Dimmed(torch.nn.Module):
    """Stands for a generator: all pictures a tenth darker, or half as bright."""

    def __init__(self, factor: float, less: float) -> None:
        super().__init__()
        self.factor, self.less = factor, less

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures * self.factor - self.less


def test_each_generator_is_asked_for_its_own(
    gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The painter halves, the photographer takes a tenth off: cycles end where they began."""
    training = CycleGanTraining(replace(gan, temporal=False))
    to_paint, to_take = training.learned.sides
    monkeypatch.setattr(to_paint, "generator", Dimmed(0.5, 0.0))
    monkeypatch.setattr(to_take, "generator", Dimmed(1.0, 0.1))
    photos, paintings = torch.full((1, 3, 64, 64), 0.8), torch.full((1, 3, 64, 64), 0.4)
    losses, painted, taken = training._generator_losses(
        photos, paintings, None, np.random.default_rng(0)
    )
    assert torch.equal(painted, photos / 2)
    assert torch.equal(taken, paintings - 0.1)
    # 0.8 becomes 0.4 and 0.3, 0.4 becomes 0.3 and 0.15; distances are those of [-1, 1].
    assert losses["cycle"] == pytest.approx(2 * (0.5 + 0.25), abs=1e-5)
    # 0.8 stays 0.7 and 0.4 stays 0.2.
    assert losses["identity"] == pytest.approx(2 * (0.1 + 0.2), abs=1e-5)


def test_the_preview_shows_pictures_at_the_size_of_the_training(gan: CycleGanConfig) -> None:
    training = CycleGanTraining(gan)
    picture = load_picture(training.photos.learnt[0], gan.picture_size)
    shown = training._chosen(training.photos)[0]
    assert torch.equal(shown, to_tensor(middle(picture, gan.crop)))


def test_the_finished_painter_is_the_average_of_its_weights(gan: CycleGanConfig) -> None:
    training = CycleGanTraining(replace(gan, steps=2))
    saved = load_file(training.run(lambda _: None))
    average = training.learned.paintings.average.state_dict()
    assert saved.keys() == average.keys()
    assert all(torch.equal(saved[name], average[name].half()) for name in saved)


def test_a_style_that_keeps_the_way_back_holds_both(gan: CycleGanConfig) -> None:
    """And a finished training can still be asked to keep it, and keeps it from then on."""
    train(replace(gan, steps=2))
    resumed = replace(gan, steps=2, resume=True)
    CycleGanTraining(replace(resumed, keep_reverse=True)).run(lambda _: None)
    training = CycleGanTraining(resumed)
    path = training.run(lambda _: None)
    card = read_cards(path)[0]
    assert card.reversible
    for reverse, side in ((False, training.learned.paintings), (True, training.learned.photos)):
        loaded = load_network(StyleFile(path, card, reverse=reverse)).state_dict()
        kept = side.average.state_dict()
        assert all(torch.equal(loaded[name], kept[name].half().float()) for name in kept)


def test_resumed_training_ends_in_the_very_same_state(
    gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks, averages, both optimizers' moments and pools that are long full."""
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)
    gan = replace(gan, steps=10)
    train(replace(gan, name="whole"))

    def stop(progress: TrainProgress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(gan, stop)
    seen: list[TrainProgress] = []
    train(replace(gan, resume=True), seen.append)
    assert seen[0].step == 8
    resumed, whole = (
        load_file(gan.output / f"{name}.run" / "checkpoint.safetensors")
        for name in ("tiny", "whole")
    )
    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    kinds = {name.split(".")[0] for name in whole}
    assert kinds == {"network", "exp_avg", "exp_avg_sq", "step"}
    assert int(whole["network.photos.pool.filled"]) == 4


def test_each_kind_of_network_has_an_optimizer_and_averages_have_none(gan: CycleGanConfig) -> None:
    training = CycleGanTraining(gan)
    names = {p: name for name, p in training.learned.named_parameters()}
    for optimizer, part in zip(training.optimizers, KINDS, strict=True):
        owned = {names[p] for group in optimizer.param_groups for p in group["params"]}
        assert owned == {name for name in names.values() if f".{part}." in name}


def test_the_rate_falls_as_published(gan: CycleGanConfig) -> None:
    training = CycleGanTraining(replace(gan, steps=4))
    rates = []
    training.run(lambda _: rates.append([o.param_groups[0]["lr"] for o in training.optimizers]))
    peaks = [gan.learning_rate, gan.discriminator_learning_rate]
    assert rates[:3] == [peaks] * 3
    assert rates[3] == pytest.approx([peak / 2 for peak in peaks])


def test_without_temporal_steadiness_is_not_asked_for(gan: CycleGanConfig) -> None:
    seen: list[TrainProgress] = []
    asked = replace(gan, steps=2, temporal=False, adversarial="hinge", discriminator="patches")
    train(asked, seen.append)
    assert seen[-1].losses.keys() == LOSSES
    assert all(map(math.isfinite, seen[-1].losses.values()))


def test_temporal_training_becomes_steadier(gan: CycleGanConfig) -> None:
    """By the temporal loss alone: what the other losses want is taken away."""
    alone = replace(gan, cycle_weight=0.0, identity_weight=0.0, style_weight=0.0, grid_weight=0.0)
    found = []
    for weight in (0.0, 1000.0):
        seen: list[TrainProgress] = []
        name = f"weight-{weight:.0f}"
        train(replace(alone, stability_weight=weight, steps=40, name=name), seen.append)
        found.append(seen[-1].losses["stability"])
    assert found[1] < 0.7 * found[0]


def side(*, small: bool) -> Side:
    torch.manual_seed(0)
    return Side(FastNet(8), PatchGAN(4), 64, small=small)


@pytest.mark.parametrize("first", [0, 20_000])
def test_the_average_follows_the_generator_by_its_law(first: int) -> None:
    one = side(small=False)
    with torch.no_grad():
        for p in one.average.parameters():
            p.zero_()
        for p in one.generator.parameters():
            p.fill_(1.0)
    for step in range(first, first + 3):
        one.follow(step)
    decays = [average_decay(step) for step in range(first, first + 3)]
    for p in one.average.parameters():
        assert torch.allclose(p, torch.tensor(1 - math.prod(decays)))
        assert not p.requires_grad


@torch.no_grad()
def test_only_discriminators_of_small_collections_see_augmented_pictures() -> None:
    pictures = torch.rand(1, 3, 64, 64)
    for small in (False, True):
        seen = side(small=small)
        one, other = (seen.scores(pictures, np.random.default_rng(seed)) for seed in (0, 1))
        assert torch.equal(one, other) != small


def test_what_is_a_small_collection(gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(side.small for side in CycleGanTraining(gan).learned.sides)
    monkeypatch.setattr(cyclegan, "SMALL_COLLECTION", 20)
    assert not any(side.small for side in CycleGanTraining(gan).learned.sides)


@pytest.mark.parametrize("picture_size", [68, 40])
def test_what_is_looked_at_beforehand_is_of_one_size_and_from_all_over(
    gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch, picture_size: int
) -> None:
    """A size of its own for each picture cost gigabytes; it is the size of what is painted."""
    gan = replace(gan, picture_size=picture_size)
    monkeypatch.setattr(cyclegan, "LOOKED_AT", 7)
    training = CycleGanTraining(gan)
    assert len({load_picture(path).size for path in training.photos.learnt}) == 20
    looked_at = list(training._some(training.photos))
    side = max(picture_size, gan.crop)
    assert {picture.shape for picture in looked_at} == {(1, 3, side, side)}
    assert len(looked_at) == 7


def test_paintings_are_as_large_as_the_photographs_or_as_told(gan: CycleGanConfig) -> None:
    """Larger paintings are larger strokes: statistics, crops and the preview see them."""
    for style_size, side in ((None, 68), (130, 130), (40, 64)):
        config = replace(gan, style_size=style_size)
        training = CycleGanTraining(config)
        assert [some.shape[-1] for some in training._some(training.paintings)] == [side] * 20
        assert [some.shape[-1] for some in training._some(training.photos)] == [68] * 20
        assert training._cards()[0].recipe["style_size"] == (style_size or 68)
    picture = load_picture(training.paintings.learnt[0], 64)
    assert torch.equal(training._shown()[-1][0], to_tensor(middle(picture, gan.crop)))


def test_crops_of_enlarged_paintings_are_enlarged(
    gan: CycleGanConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: dict[Path, set[int]] = {}

    def load(path: Path, short_side: int) -> Image.Image:
        sizes.setdefault(path.parent, set()).add(short_side)
        return load_picture(path, short_side)

    monkeypatch.setattr(data, "load_picture", load)
    batches = CycleGanTraining(replace(gan, style_size=100))._dataset()
    for step in range(9):
        _ = batches[step]
    least, most = (
        [limit(sizes[folder]) for folder in (gan.photos, gan.paintings)] for limit in (min, max)
    )
    assert 68 <= least[0] < most[0] <= 85
    assert 100 <= least[1] < most[1] <= 125


def test_sizes_of_the_networks() -> None:
    def count(tier: Tier, filters: int) -> int:
        network = NETWORKS[TIER_NETWORK[tier]](**parameters(tier, filters))
        return sum(p.numel() for p in network.parameters())

    assert count("fast", 16) < count("fast", 32) <= 500_000
    assert 2_800_000 < count("best", 32) < 2_900_000
    assert 11_300_000 < count("best", 64) < 11_500_000


def test_pictures_of_no_use_are_named_and_too_few_are_refused(
    gan: CycleGanConfig, more_paintings: Callable[[int], None]
) -> None:
    broken = gan.paintings / "03.png"
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(InputError, match=r"19 usable pictures.*: 03\.png \(not readable\)"):
        train(gan)
    more_paintings(1)
    notes: list[str] = []
    train(replace(gan, steps=1), on_note=notes.append)
    assert notes == [f"{gan.paintings}: left out 03.png (not readable)"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"crop": 50}, "multiple of 4"),
        ({"crop": 32}, "at least 48"),
        ({"adversarial": "x"}, "'x'"),
        ({"discriminator": "x"}, "'x'"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    gan: CycleGanConfig, setting: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        replace(gan, **setting)
