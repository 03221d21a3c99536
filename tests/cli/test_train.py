"""`vidstyle train`: words into a config, progress onto the screen."""

from pathlib import Path

import pytest

from vidstyle.cli.main import main
from vidstyle.training import train as train_module
from vidstyle.training.config import TrainConfig


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The configs that training was called with; it takes three quick steps."""
    configs: list[TrainConfig] = []

    def spy(config: TrainConfig, on_progress: object) -> Path:
        configs.append(config)
        assert callable(on_progress)
        for step in (1, 2, 3):
            on_progress(train_module.TrainProgress(step, 3, 1.0, 0, {"style": 0.0123}))
        return config.output / f"{config.name}.safetensors"

    monkeypatch.setattr(train_module, "train", spy)
    return configs


def test_options_reach_the_training(seen: list[TrainConfig]) -> None:
    text = (
        "train starry.jpg --photos holiday --name night -o out --tier best --temporal --steps 7 "
        "--resume --perceptual vgg.safetensors --device cpu --seed 3 --title T --painter P "
        "--year 1889 --licence CC0"
    )
    assert main(text.split()) == 0
    (config,) = seen
    assert (config.photos, config.output) == (Path("holiday"), Path("out"))
    assert (config.name, config.tier, config.temporal) == ("night", "best", True)
    assert (config.steps, config.resume, config.seed) == (7, True, 3)
    assert (config.perceptual, config.device) == (Path("vgg.safetensors"), "cpu")
    assert (config.title, config.painter, config.year, config.licence) == ("T", "P", "1889", "CC0")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("starry.jpg", "starry"),
        ("Starry Night (1889).JPG", "starry-night-1889"),
        ("_été_.png", "t"),
        ("a" * 90 + ".png", "a" * 64),
    ],
)
def test_the_name_comes_from_the_file(seen: list[TrainConfig], file: str, name: str) -> None:
    assert main(["train", file, "--photos", "x"]) == 0
    assert seen[0].name == name


def test_the_style_goes_where_run_finds_it(
    seen: list[TrainConfig], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path))
    main(["train", "a.jpg", "--photos", "x"])
    assert seen[0].output == tmp_path


def test_the_end_says_where_the_style_is(
    seen: list[TrainConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "a.jpg", "--photos", "x", "-o", "out"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("trained out/a.safetensors")
    assert "a.run/preview.png" in said


@pytest.mark.parametrize("name", ["../up", "Monet", "", "a b"])
def test_a_name_that_cannot_be_one_is_refused(
    seen: list[TrainConfig], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "a.jpg", "--photos", "x", "--name", name]) == 2
    assert capsys.readouterr().err.startswith("vidstyle: ")
    assert seen == []


def test_a_painting_that_is_not_there_is_exit_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    code = main(["train", str(tmp_path / "no.jpg"), "--photos", str(tmp_path / "photos")])
    assert code == 3
    assert capsys.readouterr().err.count("\n") == 1
