"""`vidstyle train`: words into a config, progress onto the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.cli.main import main
from vidstyle.cli.signals import Terminated
from vidstyle.errors import DivergedError, ResourceError, VidstyleError
from vidstyle.jobs import train as train_module
from vidstyle.training.config import (
    LEAST_PHOTOS,
    CycleGanConfig,
    FeedForwardConfig,
    style_name,
)
from vidstyle.training.loop import TrainProgress


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[FeedForwardConfig]:
    """The configs that training was called with; it takes three quick steps."""
    configs: list[FeedForwardConfig] = []

    def spy(config: FeedForwardConfig, on_progress: object, on_note: object) -> Path:
        configs.append(config)
        assert callable(on_progress)
        assert callable(on_note)
        on_note("left out b.jpg")
        for step in (1, 2, 3):
            on_progress(TrainProgress(step, 3, {"style": 0.0123}))
        return config.output / f"{config.name}.safetensors"

    monkeypatch.setattr(train_module, "train_style", spy)
    monkeypatch.setattr("vidstyle.jobs.train.refuse_clash", lambda _: None)
    monkeypatch.setattr("vidstyle.jobs.pairs.cache_pairs", lambda *_: None)
    return configs


def test_options_reach_the_training(seen: list[FeedForwardConfig]) -> None:
    text = (
        "train starry.jpg --photos holiday --name night -o out --tier best --temporal --steps 7 "
        "--resume --perceptual vgg.safetensors --device cpu --seed 3 --title T --painter P "
        "--year 1889 --licence CC0 --from monet --clips takes --val 0.2"
    )
    assert main(text.split()) == 0
    (config,) = seen
    assert (config.photos, config.output) == (Path("holiday"), Path("out"))
    assert (config.name, config.tier, config.temporal) == ("night", "best", True)
    assert (config.steps, config.resume, config.seed) == (7, True, 3)
    assert (config.begin_with, config.clips, config.val) == ("monet", Path("takes"), 0.2)
    assert (config.perceptual, config.device) == (Path("vgg.safetensors"), "cpu")
    assert (config.title, config.painter, config.year, config.licence) == ("T", "P", "1889", "CC0")


def test_several_paintings_want_a_name(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "a.jpg", "b.jpg", "--photos", "x", "--name", "two"]) == 0
    assert (seen[0].styles, seen[0].style_names) == ((Path("a.jpg"), Path("b.jpg")), ("a", "b"))
    assert main(["train", "a.jpg", "b.jpg", "--photos", "x"]) == 2
    assert "--name" in capsys.readouterr().err


def test_options_reach_a_training_on_a_collection(seen: list[FeedForwardConfig]) -> None:
    text = (
        "train --method cyclegan --photos holiday --paintings art/Monet -o out --steps 7 "
        "--crop 128 --picture-size 200 --style-size 300 --filters 64 --adversarial hinge "
        "--keep-reverse --temporal --tier best --clips takes --val 0.2"
    )
    assert main(text.split()) == 0
    (config,) = seen
    assert isinstance(config, CycleGanConfig)
    assert (config.photos, config.paintings) == (Path("holiday"), Path("art/Monet"))
    assert (config.name, config.output, config.tier) == ("monet", Path("out"), "best")
    assert (config.steps, config.crop, config.filters) == (7, 128, 64)
    assert (config.picture_size, config.style_size) == (200, 300)
    assert (config.clips, config.val) == (Path("takes"), 0.2)
    assert (config.adversarial, config.keep_reverse, config.temporal) == ("hinge", True, True)


def test_every_method_has_its_own_defaults(seen: list[FeedForwardConfig]) -> None:
    assert main(["train", "a.jpg", "--photos", "x"]) == 0
    assert main(["train", "--method", "cyclegan", "--paintings", "a", "--photos", "x"]) == 0
    assert [(c.steps, c.crop, c.style_size) for c in seen] == [
        (FeedForwardConfig.steps, FeedForwardConfig.crop, FeedForwardConfig.style_size),
        (CycleGanConfig.steps, CycleGanConfig.crop, None),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a.jpg --paintings b", "--paintings b: is for --method cyclegan only"),
        ("a.jpg --filters 32", "--filters 32: is for --method cyclegan only"),
        ("--method cyclegan", "--method cyclegan needs --paintings"),
        ("--method cyclegan --paintings b --from monet", "--from monet: is for --method feed"),
        ("a.jpg --keep-reverse", "vidstyle: --keep-reverse: is for --method cyclegan only"),
        ("--method cyclegan a.jpg --paintings b", "STYLE_IMAGE a.jpg: is for --method feed"),
        ("", "--method feed-forward needs STYLE_IMAGE"),
    ],
)
def test_what_a_method_does_not_understand_is_refused(
    seen: list[FeedForwardConfig], words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--photos", "x", *words.split()]) == 2
    assert said in capsys.readouterr().err
    assert seen == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("starry.jpg", "starry"),
        ("Starry Night (1889).JPG", "starry-night-1889"),
        ("_Été_.png", "ete"),
        ("a" * 90 + ".png", "a" * 64),
    ],
)
def test_the_name_comes_from_the_file(seen: list[FeedForwardConfig], file: str, name: str) -> None:
    assert main(["train", file, "--photos", "x"]) == 0
    assert seen[0].name == name


def test_the_style_goes_where_run_finds_it(
    seen: list[FeedForwardConfig], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path))
    main(["train", "a.jpg", "--photos", "x"])
    assert seen[0].output == tmp_path


def test_a_style_that_comes_with_vidstyle_is_not_hidden(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "Monet.jpg", "--photos", "x"]) == 2
    said = "monet: comes with vidstyle, and yours would hide it; "
    assert f"{said}give another --name" in capsys.readouterr().err
    assert main(["train", "a.jpg", "monet.jpg", "--photos", "x", "--name", "two"]) == 2
    assert f"{said}rename the painting" in capsys.readouterr().err
    assert seen == []
    assert main(["train", "Monet.jpg", "--photos", "x", "-o", "elsewhere"]) == 0


def test_the_end_says_where_the_style_is(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "a.jpg", "--photos", "x", "-o", "out"])
    note, *_, said = capsys.readouterr().err.splitlines()
    assert note == "note: left out b.jpg"
    assert said.startswith("trained out/a.safetensors")
    assert "a.run/preview.png" in said


def test_of_several_processes_only_the_first_speaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained: list[FeedForwardConfig] = []

    def spy(config: FeedForwardConfig) -> Path:
        trained.append(config)
        return config.output / "a.safetensors"

    monkeypatch.setattr(train_module, "train_style", spy)
    for name, value in (("TORCHELASTIC_RUN_ID", "test"), ("RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    assert main(["train", "a.jpg", "--photos", "x", "-o", "out"]) == 0
    assert [config.name for config in trained] == ["a"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["../up", "Monet", "", "a b"])
def test_a_name_that_cannot_be_one_is_refused(
    seen: list[FeedForwardConfig], name: str, capsys: pytest.CaptureFixture[str]
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


def test_the_early_look_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spy(config: FeedForwardConfig, on_progress: object, on_note: object) -> Path:
        for step in (1, 2, 3):
            on_progress(TrainProgress(step, 3, {}, saved=step > 1))  # type: ignore[operator]
        return config.output / "a.safetensors"

    monkeypatch.setattr(train_module, "train_style", spy)
    assert main(["train", "a.jpg", "--photos", "x", "-o", "out"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "early look" in line]
    assert said == ["note: an early look: out/a.run/preview.png"]


@pytest.mark.parametrize(("signal", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
@pytest.mark.parametrize(
    ("checkpoint", "words"),
    [(True, "with --resume goes on from the last checkpoint"), (False, "before the first")],
)
def test_who_stops_a_training_is_told_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    checkpoint: bool,
    words: str,
    signal: type[BaseException],
    code: int,
) -> None:
    def stopped(*_: object) -> None:
        if checkpoint:
            (tmp_path / "a.run" / "checkpoint.safetensors").write_bytes(b"")
        raise signal

    monkeypatch.setattr(train_module, "train_style", stopped)
    assert main(["train", "a.jpg", "--photos", "x", "-o", str(tmp_path)]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "helps"),
    [(ResourceError("the disk is full"), 5, True), (DivergedError("no numbers"), 3, False)],
)
def test_after_a_failure_too_one_is_told_how_to_go_on_where_that_helps(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    error: VidstyleError,
    code: int,
    helps: bool,
) -> None:
    """Numbers that are none would come again."""

    def fails(config: FeedForwardConfig, on_progress: Callable[..., None], _: object) -> None:
        config.checkpoint.write_bytes(b"")
        on_progress(TrainProgress(2, 3, {"style": 0.0123}))
        raise error

    monkeypatch.setattr(train_module, "train_style", fails)
    assert main(["train", "a.jpg", "--photos", "x", "-o", str(tmp_path)]) == code
    said = capsys.readouterr().err
    assert ("with --resume goes on" in said) == helps
    assert said.splitlines()[-1] == f"vidstyle: {error}"


def test_several_paintings_have_a_title_each(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "a.jpg", "b.jpg", "--photos", "x", "--name", "two", "--title", "Dusk"]
    assert main(words) == 2
    assert "--title" in capsys.readouterr().err
    assert not seen


def test_nothing_given_is_a_demonstration_that_says_what_to_give(
    seen: list[FeedForwardConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--temporal", "-o", str(tmp_path)]) == 0
    (config,) = seen
    assert (config.name, config.temporal) == ("demo", True)
    assert config.styles[0].is_file()
    assert len(list(config.photos.iterdir())) >= LEAST_PHOTOS
    assert "vidstyle train PAINTING --photos FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "missing"),
    [(["a.jpg"], "--photos is missing"), (["--photos", "x"], "needs STYLE_IMAGE")],
)
def test_half_of_what_is_needed_is_no_demonstration(
    seen: list[FeedForwardConfig],
    words: list[str],
    missing: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["train", *words]) == 2
    assert missing in capsys.readouterr().err
    assert seen == []


@pytest.mark.parametrize("words", ["--name ../escape", "--name monet", "--crop 50", "--device no"])
def test_a_demonstration_that_is_refused_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "own" / "styles"))
    assert main(["train", *words.split()]) in (2, 5)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_empty_beginning_is_refused(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "a.jpg", "--photos", "x", "--from", ""]) == 2
    assert "--from is empty" in capsys.readouterr().err
    assert seen == []


def test_a_shipped_name_is_refused_however_the_folder_is_spelt(
    seen: list[FeedForwardConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "own"))
    monkeypatch.chdir(tmp_path)
    assert main(["train", "a.jpg", "--photos", "x", "--name", "monet", "-o", "own"]) == 2
    assert seen == []


@pytest.mark.parametrize("file", [".", "pa/.."])
def test_the_folder_one_stands_in_has_a_name_too(
    seen: list[FeedForwardConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    (tmp_path / "pa").mkdir()
    monkeypatch.chdir(tmp_path / "pa" if file == "." else tmp_path)
    words = ["train", "--method", "cyclegan", "--photos", "x", "--paintings", file]
    assert main(words) == 0
    assert seen[0].name == ("pa" if file == "." else style_name(tmp_path))


def test_a_file_that_makes_no_name_is_told_of(
    seen: list[FeedForwardConfig], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "日本.jpg", "--photos", "x"]) == 2
    assert "日本.jpg: makes no style's name; give --name" in capsys.readouterr().err
    assert main(["train", "a.jpg", "--photos", "x", "--style-weight", "nan"]) == 2
    assert "style weight must be a number" in capsys.readouterr().err
    assert main(["train", "a.jpg", "--photos", "x", "--name", "x.safetensors"]) == 2
    assert seen == []
