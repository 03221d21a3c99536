"""A training with all around it: pairs before, a plot after; and the demonstration."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import ResourceError, UsageError
from vidstyle.jobs import demonstration as demo
from vidstyle.jobs import pairs
from vidstyle.jobs import train as train_module
from vidstyle.jobs.train import plot_losses, train
from vidstyle.training.config import CycleGanConfig, FeedForwardConfig
from vidstyle.training.log import LossLog
from vidstyle.training.loop import TrainProgress


@pytest.fixture
def config(tmp_path: Path) -> FeedForwardConfig:
    return FeedForwardConfig(
        styles=(tmp_path / "a.png",), photos=tmp_path, name="a", output=tmp_path, temporal=True
    )


def test_clips_are_prepared_and_losses_drawn(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []
    run = config.output / "a.run"

    def spy(got: FeedForwardConfig, on_progress: object, on_note: object) -> Path:
        order.append("train")
        log = LossLog(run, 0)
        for step in (10, 20):
            log.add(step, {"style": 1 / step, "stability": 0.0})
        log.write()
        on_progress(TrainProgress(20, 30, {}, saved=True))  # type: ignore[operator]
        order.append((run / "losses.png").is_file())
        (run / "losses.png").unlink()
        return got.output

    monkeypatch.setattr(train_module, "train_style", spy)
    monkeypatch.setattr(pairs, "cache_pairs", lambda *args: order.append(args[:3]))
    train(replace(config, clips=Path("clips")))
    assert order == [(Path("clips"), run / "pairs", config.shown_size), "train", True]
    assert (run / "losses.png").is_file(), "drawn at the end as well"


def test_one_process_trains_a_style_and_the_others_are_told(
    config: FeedForwardConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []

    def begin_again(got: FeedForwardConfig, *_: object) -> Path:
        with pytest.raises(UsageError, match=r"a\.safetensors: another run is writing it"):
            train(config)
        trained.append(got.name)
        return got.style_path

    monkeypatch.setattr(train_module, "train_style", begin_again)
    train(config)
    assert trained == ["a"]
    assert not config.run_folder.exists(), "an empty folder stays"
    train(config)


def test_a_place_that_cannot_be_written_is_a_resource_error(config: FeedForwardConfig) -> None:
    (config.output / "file").touch()
    with pytest.raises(ResourceError, match="file: cannot be written"):
        train(replace(config, output=config.output / "file"))


def test_pairs_are_as_large_as_the_pictures_that_crops_are_cut_out_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(train_module, "train_style", lambda *_: tmp_path)
    monkeypatch.setattr(pairs, "cache_pairs", lambda _clips, _to, size, *_: sizes.append(size))
    folders = {"photos": tmp_path, "paintings": tmp_path, "output": tmp_path, "clips": tmp_path}
    gan = CycleGanConfig(name="a", crop=128, picture_size=256, temporal=True, **folders)
    train(gan)
    assert sizes == [256]
    gan.run_folder.mkdir()
    gan.checkpoint.touch()
    with pytest.raises(UsageError, match="--resume"):
        train(gan)
    assert sizes == [256], "an hour of work for a call that is refused"


def test_a_plot_of_nothing_is_none(tmp_path: Path) -> None:
    plot_losses(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_demonstration_has_all_it_needs(
    tmp_path: Path, make_clip: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    make_clip("sample.mp4", frames=17, folder=sample, sound=False)  # type: ignore[operator]
    monkeypatch.setattr(demo, "sample_folder", lambda: sample)
    config = demo.demonstration(tmp_path)
    assert (config.name, config.output) == ("demo", tmp_path)
    assert demo.is_demonstration(config)
    assert not config.run_folder.exists(), "nothing is written before all is checked"
    demo.take_stills(config.photos)
    stills = sorted(config.photos.iterdir())
    assert [path.name for path in stills] == ["0000.png", "0008.png", "0016.png"]
    first, last = (np.asarray(Image.open(stills[k])) for k in (0, -1))
    assert first.shape == (48, 64, 3)
    assert (first != last).any()
    stamps = [path.stat().st_mtime_ns for path in stills]
    demo.take_stills(config.photos)
    assert [path.stat().st_mtime_ns for path in stills] == stamps


def test_what_comes_with_vidstyle_is_enough_for_the_demonstration() -> None:
    folder = demo.sample_folder()
    assert (folder / "sample.mp4").is_file()
    with Image.open(folder / "painting.jpg") as painting:
        assert min(painting.size) >= FeedForwardConfig.style_size
