"""Sets: distances to paintings, likeness to sources found by name, clips among the pictures."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from vidstyle.errors import InputError, UsageError
from vidstyle.jobs.evaluate import evaluate
from vidstyle.jobs.measuring import judge, sets
from vidstyle.jobs.measuring.evaluation import EvaluateConfig
from vidstyle.jobs.measuring.set_report import SetsReport
from vidstyle.jobs.measuring.sets import SIDE, evaluate_sets, source_of, square
from vidstyle.perceptual.metric_networks import InceptionFeatures
from vidstyle.perceptual.network import PerceptualNetwork, load_perceptual

pytestmark = pytest.mark.usefixtures("offline")

MakeClip = Callable[..., Path]
Image = NDArray[np.uint8]


def picture(seed: int, height: int = 60) -> Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Pillow.fromarray(coarse).resize((80, height), Pillow.Resampling.BICUBIC))


def folder(path: Path, pictures: dict[str, Image]) -> Path:
    path.mkdir()
    for name, image in pictures.items():
        Pillow.fromarray(image).save(path / name)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return folder(tmp_path / "photos", {f"{k}.png": picture(k) for k in range(6)})


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return folder(tmp_path / "style", {f"p{k}.png": 255 - picture(k) // 3 for k in range(20, 27)})


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    return folder(tmp_path / "painted", {f"{k}.tiny.png": 255 - picture(k) // 3 for k in range(6)})


def measured(source: Path, *outputs: Path, **options: Any) -> SetsReport:
    report = evaluate_sets(EvaluateConfig(source, outputs, **({"device": "cpu"} | options)))
    json.dumps(report.to_json(), allow_nan=False)  # never a NaN
    return report


def test_paintings_are_nearer_to_the_style_than_photographs(
    photos: Path, painted: Path, style: Path, perceptual: Path
) -> None:
    report = measured(photos, painted, style_image=style, perceptual=perceptual)
    (output,) = report.outputs
    near, far = output.intervals["vgg_kid"], report.source.intervals["vgg_kid"]
    assert near.low <= near.value <= near.high < far.low
    assert output.numbers["vgg_fid"] < 0.5 * report.source.numbers["vgg_fid"]
    assert (report.source.pictures, output.pictures, report.style_pictures) == (6, 6, 7)
    assert output.pairs == 6
    assert "kid" not in output.intervals
    assert "fid" not in output.numbers
    assert any("biased at N = 6" in note for note in report.notes)
    assert str(SIDE) in report.resizer
    assert report.to_json()["output"]["vgg_kid"]["low"] == near.low


def test_a_set_is_at_no_distance_from_itself(style: Path, perceptual: Path) -> None:
    report = measured(style, style, style_image=style, perceptual=perceptual)
    (output,) = report.outputs
    assert output.numbers["vgg_fid"] == pytest.approx(0, abs=1e-6)
    assert output.intervals["vgg_kid"].value < 0
    assert output.numbers["ssim"] == pytest.approx(1)
    assert output.numbers["layout"] == pytest.approx(1)
    assert output.numbers["content_distance"] == pytest.approx(0, abs=1e-6)


def test_with_inception_there_is_all_that_papers_print(
    photos: Path, painted: Path, style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inception(pictures: torch.Tensor) -> InceptionFeatures:
        vectors = pictures.mean((2, 3)).tile(1, 2)
        return InceptionFeatures(pictures, vectors, 20 * vectors)

    monkeypatch.setattr(judge, "load_inception", lambda _: inception)
    monkeypatch.setattr(sets, "load_art_inception", lambda _: lambda p: p.mean((2, 3)))
    monkeypatch.setattr(sets, "load_lpips", lambda *_: lambda a, b: 0.25)
    report = measured(photos, painted, style_image=style)
    (output,) = report.outputs
    assert output.intervals["kid"].value < report.source.intervals["kid"].low
    assert output.numbers["fid"] < report.source.numbers["fid"]
    assert output.numbers["inception_score"] > 1
    # The art features here are half of what stands for Inception's: so is their distance.
    fid = output.numbers["fid"] / 2
    assert output.numbers["art_fid"] == pytest.approx(1.25 * (1 + fid))
    assert "art_fid" not in report.source.numbers, "photographs have no sources"
    assert "vgg_kid" not in output.intervals


def test_clips_among_the_pictures_are_measured_by_themselves_too(
    tmp_path: Path, write_frames: MakeClip
) -> None:
    for name in ("clips", "painted"):
        (tmp_path / name).mkdir()
    frames = [np.ascontiguousarray(picture(0, 100)[:, k : k + 72]) for k in range(6)]
    write_frames("a.mp4", frames, folder=tmp_path / "clips")
    write_frames("a.tiny.mp4", [255 - f for f in frames], folder=tmp_path / "painted")
    Pillow.fromarray(frames[0]).save(tmp_path / "clips" / "b.png")
    report = measured(tmp_path / "clips", tmp_path / "painted", samples=3)
    (output,) = report.outputs
    assert (report.source.pictures, output.pictures, output.pairs) == (4, 3, 3)
    (clip,) = output.clips
    assert clip.method.frames == 6
    assert output.numbers["e_warp"] == clip.outputs[0].short.e_warp
    assert output.numbers["layout"] > 0.99
    assert any("--style-image" in note for note in report.notes)


def test_frames_of_one_time_are_compared(tmp_path: Path, write_frames: MakeClip) -> None:
    """Also where a clip is a part of its source: by its stamp or by its pictures."""
    for name in ("clips", "painted"):
        (tmp_path / name).mkdir()
    frames = [np.ascontiguousarray(picture(0, 100)[:, k // 2 : k // 2 + 60]) for k in range(30)]
    write_frames("a.mp4", frames, folder=tmp_path / "clips")
    write_frames("a.part.mp4", frames[9:20], folder=tmp_path / "painted")
    (output,) = measured(tmp_path / "clips", tmp_path / "painted", samples=4).outputs
    assert (output.pictures, output.pairs) == (4, 4)
    assert output.numbers["ssim"] > 0.97


def test_a_clip_that_cannot_be_measured_over_time_costs_no_other(
    tmp_path: Path, write_frames: MakeClip
) -> None:
    for name in ("clips", "painted"):
        (tmp_path / name).mkdir()
        write_frames("a.mp4", [picture(k // 4) for k in range(8)], folder=tmp_path / name)
        write_frames("still.mp4", [picture(3)], folder=tmp_path / name)
    report = measured(tmp_path / "clips", tmp_path / "painted", samples=2)
    (output,) = report.outputs
    assert (output.pictures, output.pairs, len(output.clips)) == (3, 2, 1)
    assert any("still.mp4: has a single frame" in note for note in report.notes)


def test_networks_are_loaded_once_for_all_clips(
    tmp_path: Path, write_frames: MakeClip, perceptual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    def load(file: Path) -> PerceptualNetwork:
        loaded.append(file)
        return load_perceptual(file)

    monkeypatch.setattr(judge, "load_perceptual", load)
    for name in ("clips", "painted"):
        (tmp_path / name).mkdir()
        for clip in ("a.mp4", "b.mp4"):
            pictures = [picture(k // 4) for k in range(8)]
            write_frames(clip, pictures, folder=tmp_path / name)
    config = EvaluateConfig(
        tmp_path / "clips", (tmp_path / "painted",), perceptual=perceptual, samples=2, device="cpu"
    )
    report = evaluate(config)
    assert isinstance(report, SetsReport)
    assert len(report.outputs[0].clips) == 2
    assert loaded == [perceptual]


def test_what_has_no_source_is_told(photos: Path, tmp_path: Path) -> None:
    others = folder(tmp_path / "others", {"0.png": picture(0), "stranger.png": picture(9)})
    report = measured(photos, others)
    assert report.outputs[0].pairs == 1
    assert any("no source was found for 1 of 2" in note for note in report.notes)


def test_a_rate_is_for_numbered_pictures(photos: Path) -> None:
    config = EvaluateConfig(photos, (photos,), rate=Fraction(24))
    with pytest.raises(UsageError, match="a clip keeps its own frame rate"):
        evaluate_sets(config)


def test_few_pictures_are_no_set(photos: Path, tmp_path: Path, perceptual: Path) -> None:
    one = folder(tmp_path / "one", {"x.png": picture(0)})
    report = measured(photos, photos, style_image=one, perceptual=perceptual)
    assert "vgg_kid" not in report.outputs[0].intervals
    assert any("need 5 pictures or more" in note for note in report.notes)


@pytest.mark.parametrize(
    ("painting", "source"),
    [("a.monet.png", "a.jpg"), ("a.b.monet.png", "a.b.jpg"), ("ab.png", None), ("a.jpg", "a.jpg")],
)
def test_a_painting_belongs_to_the_source_that_its_name_begins_with(
    painting: str, source: str | None
) -> None:
    found = source_of(Path("out") / painting, [Path("in/a.jpg"), Path("in/a.b.jpg")])
    assert found == (source and Path("in") / source)


def test_of_sources_with_one_stem_the_whole_name_decides() -> None:
    sources = [Path("clip.avi"), Path("clip.mp4")]
    for source in sources:
        assert source_of(Path(f"{source.name}.monet.mp4"), sources) == source


def test_a_clip_does_not_belong_to_the_picture_that_came_with_it(
    tmp_path: Path, write_frames: MakeClip
) -> None:
    """A phone's live photograph is both, under one name."""
    still, clip = tmp_path / "IMG_1.jpg", write_frames("IMG_1.mov", [picture(0, 64)] * 2)
    Pillow.new("RGB", (64, 48)).save(still)
    for source, name in ((still, "IMG_1.monet.png"), (clip, "IMG_1.monet.mov")):
        painting = tmp_path / "painted" / name
        painting.parent.mkdir(exist_ok=True)
        painting.write_bytes(source.read_bytes())
        assert source_of(painting, [still, clip]) == source
    assert source_of(tmp_path / "painted" / "IMG_1.monet.mov", [still]) is None


def test_pictures_are_cut_to_their_centre_square() -> None:
    image = np.zeros((100, 400, 3), np.uint8)
    image[:, 150:250] = 200
    assert square(image).shape == (SIDE, SIDE, 3)
    assert (square(image) == 200).all()


def test_empty_folders_and_mixtures_are_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no clip or picture"):
        measured(photos, tmp_path / "empty")
    with pytest.raises(UsageError, match="not mixed"):
        measured(photos, tmp_path / "clip.mp4")
    with pytest.raises(UsageError, match="--unblended"):
        measured(photos, photos, unblended=tmp_path / "clip.mp4")
