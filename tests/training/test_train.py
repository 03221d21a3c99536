"""Training from end to end with tiny networks: what it leaves, how it resumes, what it refuses."""

import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from vidstyle.errors import InputError, UsageError
from vidstyle.stylizers.style_file import load_network, read_card
from vidstyle.training import train as module
from vidstyle.training.config import TrainConfig
from vidstyle.training.losses import statistics
from vidstyle.training.train import Training, TrainProgress, average, learning_rate, train


def test_leaves_a_style_and_a_run_folder(config: TrainConfig) -> None:
    seen: list[TrainProgress] = []
    path = train(config, seen.append)
    assert path == config.output / "tiny.safetensors"
    assert [p.step for p in seen] == [1, 2, 3, 4]
    assert set(seen[-1].losses) == {"content", "style", "smoothness", "stability"}
    card = read_card(path)
    assert (card.name, card.tier, card.recipe["steps"]) == ("tiny", "fast", 4)
    assert card.losses.keys() == seen[-1].losses.keys()
    assert load_network(path, card)(torch.rand(1, 3, 24, 24)).isfinite().all()
    run = config.output / "tiny.run"
    assert sorted(p.name for p in run.iterdir()) == ["checkpoint.safetensors", "preview.png"]
    with Image.open(run / "preview.png") as preview:
        assert preview.size == (4 * 32, 2 * 32)


def test_learns(config: TrainConfig) -> None:
    losses: list[float] = []
    train(replace(config, steps=150, temporal=False), lambda p: losses.append(p.losses["style"]))
    assert losses[-1] < 0.6 * losses[0]


def test_resumed_training_ends_in_the_very_same_weights(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAVE_EVERY", 2)
    whole = replace(config, name="whole")
    train(whole)

    def stop(progress: TrainProgress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, stop)
    seen: list[TrainProgress] = []
    resumed = load_file(train(replace(config, resume=True), seen.append))
    assert seen[0].first_step == 2
    assert seen[0].step == 3
    expected = load_file(whole.output / "whole.safetensors")
    assert all(torch.equal(resumed[name], expected[name]) for name in expected)


def test_refuses_to_overwrite_or_to_mix_trainings(config: TrainConfig) -> None:
    with pytest.raises(UsageError, match="nothing to resume"):
        train(replace(config, resume=True))
    train(config)
    with pytest.raises(UsageError, match="go on with --resume"):
        train(config)
    with pytest.raises(UsageError, match=r"style_weight 0\.3, not 2\.0"):
        train(replace(config, resume=True, style_weight=2.0))


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "\x1b[31m"])
def test_refuses_what_cannot_be_a_name(config: TrainConfig, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a style's name"):
        replace(config, name=name)


def test_refuses_a_painting_that_is_too_small(config: TrainConfig) -> None:
    Image.new("RGB", (200, 20)).save(config.style)
    with pytest.raises(InputError, match="200x20 is too small a painting"):
        train(config)


def test_a_folder_of_paintings_is_painted_like_on_average(config: TrainConfig) -> None:
    folder = config.style.parent / "paintings"
    folder.mkdir()
    for k in range(2):
        shutil.copy(config.style, folder / f"{k}.png")
    one, two = Training(config), Training(replace(config, style=folder))
    for a, b in zip(one.style, two.style, strict=True):
        assert torch.allclose(a.mean, b.mean, rtol=1e-4)
        assert torch.allclose(a.covariance, b.covariance, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match="no such painting"):
        Training(replace(config, style=folder / "missing"))


def test_paintings_are_averaged_as_if_they_hung_side_by_side() -> None:
    a, b = torch.rand(1, 3, 8, 8), 2 + torch.rand(1, 3, 8, 8)
    together = statistics(torch.cat([a, b], dim=3))
    mean, covariance = average([statistics(a), statistics(b)])
    assert torch.allclose(mean, together.mean, rtol=1e-5)
    assert torch.allclose(covariance, together.covariance, rtol=1e-4)


def test_a_loss_that_is_not_finite_stops_the_training(config: TrainConfig) -> None:
    training = Training(config)
    with pytest.raises(InputError, match="infinite at step 0"):
        training._remember({"style": math.nan})


def test_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate(step, 1000, 1.0) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(rates[99], rel=0.01)
    assert rates[-1] == pytest.approx(0.02, rel=0.01)
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_training_never_imports_av(tmp_path: Path) -> None:
    code = "import sys, vidstyle.training.train; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
