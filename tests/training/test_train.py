"""Training from end to end with tiny networks: what it leaves, how it resumes, what it refuses."""

import math
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from vidstyle.errors import InputError, UsageError
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network
from vidstyle.training import checkpoint, loop
from vidstyle.training.clips import FramePair, save_pair
from vidstyle.training.config import FeedForwardConfig
from vidstyle.training.feed_forward import FeedForwardTraining
from vidstyle.training.loop import TrainProgress, refuse_clash
from vidstyle.training.losses import (
    FeatureStatistics,
    grid_loss,
    statistics,
    total_variation,
)
from vidstyle.training.motion import MovedPair
from vidstyle.training.train import train


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}


STILL = {"content", "style", "smoothness", "grid"}


def test_leaves_a_style_and_a_run_folder(config: FeedForwardConfig) -> None:
    seen: list[TrainProgress] = []
    path = train(config, seen.append)
    assert path == config.output / "tiny.safetensors"
    assert [p.step for p in seen] == [1, 2, 3, 4]
    assert set(seen[-1].losses) == STILL | {"stability", "feature stability"}
    card = read_cards(path)[0]
    assert (card.name, card.tier, card.recipe["steps"]) == ("tiny", "fast", 4)
    assert card.losses.keys() == seen[-1].losses.keys()
    assert load_network(StyleFile(path, card))(torch.rand(1, 3, 24, 24)).isfinite().all()
    run = config.output / "tiny.run"
    left = ["checkpoint.safetensors", "losses.csv", "preview.png"]
    assert sorted(p.name for p in run.iterdir()) == left
    with Image.open(run / "preview.png") as preview:
        assert preview.size == (4 * 32, 2 * 32)


def test_what_is_held_out_is_listed(config: FeedForwardConfig) -> None:
    config = replace(config, val=0.1, steps=2)
    assert read_cards(train(config))[0].data == "18 photographs"
    listed = (config.run_folder / "held-out.txt").read_text().splitlines()
    assert len(listed) == 2
    resumed = replace(config, resume=True)
    (config.run_folder / "held-out.txt").write_text("")  # the disk was full
    train(resumed)
    assert (config.run_folder / "held-out.txt").read_text().splitlines() == listed
    with pytest.raises(UsageError, match=r"val is a share from 0 to 0\.5"):
        replace(config, val=0.6)
    config.checkpoint.unlink()
    config.style_path.unlink()
    train(replace(config, val=0.0))
    assert not (config.run_folder / "held-out.txt").exists()


@pytest.mark.parametrize("temporal", [False, True])
def test_photographs_are_seen_at_one_scale_steady_or_not(
    config: FeedForwardConfig, temporal: bool
) -> None:
    """A crop of 32 pixels with a border as wide on each side is a third of a photograph or less."""
    ramp = np.linspace(0, 255, 400).astype(np.uint8)
    for path in config.photos.rglob("*.jpg"):
        Image.fromarray(np.tile(ramp, (400, 1))).save(path)
    batch = FeedForwardTraining(replace(config, temporal=temporal))._dataset()[0]
    seen = batch.first if isinstance(batch, MovedPair) else batch
    assert seen.shape == (2, 3, 32, 32)
    shares = seen.amax((1, 2, 3)) - seen.amin((1, 2, 3))
    assert all(0.24 < share < 0.35 for share in shares.tolist())


def test_content_weighs_less_beside_steadiness(config: FeedForwardConfig) -> None:
    weights = {
        temporal: read_cards(
            train(replace(config, temporal=temporal, name=f"n{temporal:d}", steps=1))
        )[0].recipe["weights"]["content"]
        for temporal in (False, True)
    }
    assert weights == {False: 1.0, True: pytest.approx(1 / (1 + 0.55 * 0.45), abs=1e-5)}


def test_every_parameter_learns_by_one_optimizer(config: FeedForwardConfig) -> None:
    """Kernels, which Muon is for, by the first."""
    training = FeedForwardTraining(config)
    kernels, others = (
        [p for group in optimizer.param_groups for p in group["params"]]
        for optimizer in training.optimizers
    )
    assert {p.ndim for p in kernels} == {4}
    assert {p.ndim for p in others} == {1}
    assert {*kernels, *others} == set(training.network.parameters())


def test_unusable_photographs_are_named_and_not_counted(
    config: FeedForwardConfig,
) -> None:
    (config.photos / "broken.jpg").write_bytes(b"no picture")
    notes: list[str] = []
    path = train(replace(config, steps=1), on_note=notes.append)
    assert notes == [f"{config.photos}: left out broken.jpg (not readable)"]
    assert read_cards(path)[0].data == "20 photographs"


class Halved(torch.nn.Module):
    """Stands for a network that paints everything half as bright."""

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return photos / 2


def test_losses_are_those_of_what_is_painted(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pixels in the place of features, content is a quarter of the photograph's square."""
    training = FeedForwardTraining(replace(config, temporal=False))
    monkeypatch.setattr(training, "network", Halved())
    monkeypatch.setattr(training, "perceptual", lambda pictures: [pictures] * 5)
    photo, other = torch.rand(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    losses = training._losses(photo, [statistics(photo / 2)] * 5)
    assert losses["content"] == pytest.approx(0.25)
    assert losses["smoothness"] == pytest.approx(float(total_variation(photo / 2)))
    assert losses["grid"] == pytest.approx(float(grid_loss(photo / 2)))
    assert losses["style"] == pytest.approx(0, abs=1e-5)
    assert training._losses(photo, [statistics(other**4)] * 5)["style"] > 1


def test_styles_are_judged_each_by_its_own_painting(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = config.styles[0]
    second = first.with_name("dark.png")
    ImageOps.invert(Image.open(first)).save(second)
    training = FeedForwardTraining(replace(config, styles=(first, second), temporal=False))
    judged: list[int] = []
    losses = training._losses

    def watch(batch: torch.Tensor, style: list[FeatureStatistics]) -> dict[str, torch.Tensor]:
        judged.extend(k for k, own in enumerate(training.styles) if own is style)
        return losses(batch, style)

    monkeypatch.setattr(training, "_losses", watch)
    training.run(lambda _: None)
    assert judged == [0, 1, 0, 1]


def test_learns(config: FeedForwardConfig) -> None:
    losses: list[float] = []
    train(replace(config, steps=150, temporal=False), lambda p: losses.append(p.losses["style"]))
    assert losses[-1] < 0.6 * losses[0]


KILLED = """
import math, os, pickle, signal, sys
import torch
from vidstyle.training import checkpoint, loop
from vidstyle.training.train import train

torch.set_num_threads(1)

def kill(progress):
    if progress.step == 2:
        loop.SAVE_SECONDS = math.inf
    if progress.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

loop.SAVE_SECONDS = 0
train(pickle.load(sys.stdin.buffer), kill)
"""


def test_a_killed_training_is_resumed_to_the_very_same_weights(config: FeedForwardConfig) -> None:
    """It is killed in step 3, its last checkpoint being that of step 2."""
    whole = replace(config, name="whole")
    expected = load_file(train(whole))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], input=pickle.dumps(config), check=False, timeout=100
    )
    assert killed.returncode == -signal.SIGKILL
    seen: list[TrainProgress] = []
    resumed = load_file(train(replace(config, resume=True), seen.append))
    assert seen[0].step == 3
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)
    tables = [(config.output / f"{n}.run" / "losses.csv").read_text() for n in ("whole", "tiny")]
    assert tables[0].splitlines()[-1] == tables[1].splitlines()[-1]


def test_the_first_look_comes_when_its_time_has_come(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)
    looks: list[bool] = []
    train(config, lambda at: looks.append(at.saved))
    assert looks == [True] * 4
    monkeypatch.setattr(loop, "SAVE_SECONDS", math.inf)
    train(replace(config, name="late"), lambda at: looks.append(at.saved))
    assert looks[4:] == [False] * 4


def test_trains_on_clips(config: FeedForwardConfig) -> None:
    folder = config.output / "tiny.run" / "pairs"
    folder.mkdir(parents=True)
    frames = np.random.default_rng(0).integers(0, 256, (2, 40, 48, 3), dtype=np.uint8)
    still = np.zeros((40, 48, 2), np.float32)
    save_pair(folder / "0.npz", FramePair(*frames, still, np.zeros((40, 48), bool)))
    with_clips = replace(config, clips=Path("clips"))
    assert "and 1 pair of frames" in read_cards(train(with_clips))[0].data
    with pytest.raises(UsageError, match="--temporal"):
        replace(with_clips, temporal=False)
    train(replace(with_clips, resume=True, clips=Path("elsewhere")))
    with pytest.raises(UsageError, match="clips True, not False"):
        train(replace(config, resume=True))


def test_a_resumed_training_learns_from_the_same(config: FeedForwardConfig) -> None:
    """Wherever it lies by then. What is drawn in a step depends on how many pictures there are."""
    train(replace(config, steps=1))
    photos = config.photos.rename(config.photos.with_name("moved"))
    resumed = replace(config, steps=1, photos=photos, resume=True)
    train(resumed)
    painting = config.styles[0].read_bytes()
    ImageOps.invert(Image.open(config.styles[0])).save(config.styles[0])
    with pytest.raises(UsageError, match="learnt from other paintings"):
        train(resumed)
    config.styles[0].write_bytes(painting)
    assert config.perceptual is not None
    judge = Path(shutil.copy(config.perceptual, config.output / "judge.safetensors"))
    train(replace(resumed, perceptual=judge))
    weights = load_file(judge)
    save_file({name: t + 1e-3 for name, t in weights.items()}, judge, metadata_of(judge))
    with pytest.raises(UsageError, match="learnt from other perceptual networks"):
        train(replace(resumed, perceptual=judge))
    Image.new("RGB", (80, 70)).save(photos / "0.jpg")
    with pytest.raises(UsageError, match="learnt from other photographs"):
        train(resumed)


def test_a_checkpoint_of_another_version_is_refused(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(replace(config, steps=1))
    monkeypatch.setattr(checkpoint, "VERSION", "of tomorrow")
    with pytest.raises(UsageError, match="another version of vidstyle"):
        train(replace(config, steps=1, resume=True))


def test_a_photograph_that_goes_away_does_not_end_a_training(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0)
    shown = FeedForwardTraining(config).photos.shown[0]
    assert train(config, lambda _: shown.unlink(missing_ok=True)).exists()
    assert not shown.exists()


def test_a_style_that_lies_there_is_not_overwritten(config: FeedForwardConfig) -> None:
    path = train(replace(config, steps=1))
    shutil.rmtree(config.run_folder)
    made = path.read_bytes()
    with pytest.raises(UsageError, match="a style lies there already; choose another --name"):
        train(config)
    assert path.read_bytes() == made


def test_weights_that_are_not_finite_are_not_kept(config: FeedForwardConfig) -> None:
    training = FeedForwardTraining(replace(config, steps=1))
    path = training.run(lambda _: None)
    kept = path.read_bytes(), training.config.checkpoint.read_bytes()
    with torch.no_grad():
        next(training.network.parameters())[0] = math.nan
    with pytest.raises(InputError, match="a weight became infinite by step 1"):
        training._save()
    assert (path.read_bytes(), training.config.checkpoint.read_bytes()) == kept


def test_a_painting_may_have_a_name_that_is_no_text(config: FeedForwardConfig) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    painting = config.styles[0].rename(config.styles[0].with_name(name))
    card = read_cards(train(replace(config, styles=(painting,), steps=1)))[0]
    assert card.title == "caf?"


def test_refuses_to_overwrite_or_to_mix_trainings(config: FeedForwardConfig) -> None:
    with pytest.raises(UsageError, match="nothing to resume"):
        train(replace(config, resume=True))
    train(config)
    with pytest.raises(UsageError, match="go on with --resume"):
        train(config)
    with pytest.raises(UsageError, match=r"style weight 0\.\d+, not 2\.0"):
        train(replace(config, resume=True, style_weight=2.0))


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "\x1b[31m"])
def test_refuses_what_cannot_be_a_name(config: FeedForwardConfig, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a style's name"):
        replace(config, name=name)


def test_refuses_a_painting_that_is_too_small(config: FeedForwardConfig) -> None:
    Image.new("RGB", (200, 20)).save(config.styles[0])
    with pytest.raises(InputError, match=r"200x20 is too small .* at least 32 pixels, better 64"):
        train(config)
    Image.new("RGB", (200, 200), (90, 80, 70)).save(config.styles[0])
    with pytest.raises(InputError, match="one flat colour"):
        train(config)


def test_a_folder_of_paintings_is_painted_like_on_average(config: FeedForwardConfig) -> None:
    folder = config.styles[0].parent / "paintings"
    folder.mkdir()
    for k in range(2):
        shutil.copy(config.styles[0], folder / f"{k}.png")
    one, two = FeedForwardTraining(config), FeedForwardTraining(replace(config, styles=(folder,)))
    for a, b in zip(one.styles[0], two.styles[0], strict=True):
        assert torch.allclose(a.mean, b.mean, rtol=1e-4)
        assert torch.allclose(a.covariance, b.covariance, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match="no such painting"):
        FeedForwardTraining(replace(config, styles=(folder / "missing",)))


def test_several_paintings_make_as_many_styles_in_one_file(config: FeedForwardConfig) -> None:
    first = config.styles[0]
    second = first.with_name("Late Dusk.png")
    ImageOps.invert(Image.open(first)).save(second)
    both = replace(config, styles=(first, second), name="both", tier="best", steps=5)
    path = train(both)
    painting, dusk = read_cards(path)
    assert (painting.name, dusk.name, dusk.title) == ("painting", "late-dusk", "Late Dusk")
    tensors = load_file(path)
    differing = [name for name, t in tensors.items() if "norm" in name and (t[0] != t[1]).any()]
    assert differing
    assert all(t.shape[0] == 2 for name, t in tensors.items() if "norm" in name)
    with Image.open(both.output / "both.run" / "preview.png") as preview:
        assert preview.size == (4 * 32, 3 * 32)
    with pytest.raises(UsageError, match="style names"):
        train(replace(both, styles=(second, first), resume=True))


def test_a_style_that_would_hide_another_is_refused(
    config: FeedForwardConfig, make_style: Callable[..., Path]
) -> None:
    make_style("dusk", folder=config.output)
    with pytest.raises(UsageError, match="holds a style dusk in fast already"):
        refuse_clash(replace(config, styles=(Path("dusk.png"), Path("dawn.png"))))
    refuse_clash(replace(config, tier="best", styles=(Path("dusk.png"), Path("dawn.png"))))


def test_a_checkpoint_that_lacks_a_tensor_is_told_of(config: FeedForwardConfig) -> None:
    train(replace(config, steps=1))
    with safe_open(config.checkpoint, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(config.checkpoint)
    tensors.pop(next(name for name in tensors if name.startswith("network.")))
    save_file(tensors, config.checkpoint, metadata)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        train(replace(config, steps=1, resume=True))


@pytest.mark.parametrize("broken", [{"step": "two"}, {"config": "{"}, {"sources": "3"}, {}])
def test_a_checkpoint_whose_header_is_broken_is_told_of(
    config: FeedForwardConfig, broken: dict[str, str]
) -> None:
    train(replace(config, steps=1))
    with safe_open(config.checkpoint, framework="pt") as file:
        metadata = file.metadata() | broken if broken else {"version": checkpoint.VERSION}
    save_file(load_file(config.checkpoint), config.checkpoint, metadata)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        train(replace(config, steps=1, resume=True))


@pytest.mark.parametrize(
    ("names", "said"),
    [(("a.png", "A.jpg"), "would make one style: a, a"), (("a.png", "+.png"), r"\+.png: makes no")],
)
def test_names_of_several_paintings_are_checked(
    config: FeedForwardConfig, names: tuple[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        replace(config, styles=tuple(map(Path, names)))


def test_a_loss_that_is_not_finite_stops_the_training(config: FeedForwardConfig) -> None:
    training = FeedForwardTraining(config)
    with pytest.raises(InputError, match="infinite at step 0"):
        training._remember({"style": math.nan})


def test_training_never_imports_av(tmp_path: Path) -> None:
    code = "import sys, vidstyle.training.train; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
