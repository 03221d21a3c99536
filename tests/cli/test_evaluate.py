"""`vidstyle eval` as a user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vidstyle.cli.main import main
from vidstyle.jobs.text import three_digits

pytestmark = pytest.mark.usefixtures("offline")

MakeClip = Callable[..., Path]
Result = tuple[int, str, str]
Vidstyle = Callable[..., Result]


@pytest.fixture
def vidstyle(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Vidstyle:
    monkeypatch.setenv("COLUMNS", "120")

    def call(*args: object) -> Result:
        code = main([str(arg) for arg in args])
        return code, *capsys.readouterr()

    return call


def frames(count: int = 4) -> list[NDArray[np.uint8]]:
    wide = np.random.default_rng(0).integers(0, 256, (80, 160, 3), dtype=np.uint8)
    return [np.ascontiguousarray(wide[:, 2 * k : 2 * k + 128]) for k in range(count)]


def test_steadiness_and_its_price_stand_in_one_table(
    vidstyle: Vidstyle, write_frames: MakeClip
) -> None:
    clip, other = write_frames("clip.mp4", frames()), write_frames("other.mp4", frames())
    code, out, err = vidstyle("eval", clip, other, "--unblended", clip, "--device", "cpu")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    heads = {" ".join(row[:2]) for row in rows}
    assert {"source unblended", "E_warp (Lai)", "e_stab ↓", "mask coverage"} <= heads
    assert {"detail: Laplacian", "follows motion", "frozen pairs", "SSIM ↑"} <= heads
    assert ["SSIM", "↑", "–", "1", "1"] in rows
    assert next(row for row in rows if row[:1] == ["e_stab"])[-1] == "×1.00"
    for words in ("4 frames at 128x80", "flow:", "mask:", "after encoding", "Lai's × coverage"):
        assert words in out
    assert "nan" not in out.lower()
    assert err.count("note: ") == len(err.strip().splitlines()) - err.count("Downloading")


def test_json_is_all_there_is_on_standard_output(
    vidstyle: Vidstyle, write_frames: MakeClip
) -> None:
    clip = write_frames("clip.mp4", frames())
    code, out, _ = vidstyle("eval", clip, clip, "--json", "--frames", 3, "--height", 64)
    assert code == 0
    report = json.loads(out)
    assert report["method"]["frames"] == 3
    assert report["method"]["height"] == 64
    assert report["output"]["frames_taken"] == "after encoding"
    assert report["output"]["series"]["warp_error"]["times"] == [0, 0.04]


def test_folders_are_measured_as_sets(vidstyle: Vidstyle, tmp_path: Path, perceptual: Path) -> None:
    for name in ("photos", "painted", "style"):
        (tmp_path / name).mkdir()
        for k, image in enumerate(frames(5)):
            Image.fromarray(image).save(tmp_path / name / f"{k}.png")
    places = [tmp_path / name for name in ("photos", "painted")]
    options = ["--style-image", tmp_path / "style", "--perceptual", perceptual]
    code, out, err = vidstyle("eval", *places, *options)
    assert code == 0
    assert "VGG-KID to style" in out
    assert "VGG-FID to style" in out
    assert "\nFID to style" not in out
    assert "256x256" in out
    assert "N = 5" in out
    assert "biased at N = 5" in err


@pytest.mark.parametrize(
    ("args", "expected", "words"),
    [
        (["eval", "missing.mp4", "other.mp4"], 3, "missing.mp4"),
        (["eval", "missing.mp4"], 2, "Missing argument"),
        (["eval", "a.mp4", "b.mp4", "--height", "3"], 2, "--height"),
        (["eval", "a.mp4", "b.mp4", "--frames", "1"], 2, "--frames"),
    ],
)
def test_what_cannot_be_is_one_line(
    vidstyle: Vidstyle, args: list[str], expected: int, words: str
) -> None:
    code, out, err = vidstyle(*args)
    assert (code, out) == (expected, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.00042149, "0.000421"), (0.0187, "0.0187"), (519.8, "520"), (2072.3, "2072")),
        *((1, "1.00"), (0, "0"), (-0.25, "-0.250"), (0.9996, "1.00"), (1e-9, "0.00000000100")),
    ],
)
def test_figures_have_three_digits_and_no_powers_of_ten(value: float, text: str) -> None:
    assert three_digits(value) == text
