"""The evaluation: what it says of clips whose steadiness is known, and of clips it cannot judge."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from vidstyle.errors import InputError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.measuring import clips, comparison
from vidstyle.jobs.measuring.clips import evaluate_clips
from vidstyle.jobs.measuring.evaluation import (
    EvaluateConfig,
    EvaluateProgress,
    EvaluationReport,
    Series,
)
from vidstyle.jobs.measuring.measures import SERIES
from vidstyle.jobs.run import run
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network, save_style
from vidstyle.types import EncodeOptions, Limits

pytestmark = pytest.mark.usefixtures("offline")

MakeClip = Callable[..., Path]
Image = NDArray[np.uint8]

HEIGHT, WIDTH = 96, 128
STEPS = (0, 3, 1, -4, 2, 5, -1, -3, 4, 1, -5, 2, 3, -2, 4)
"""How far the picture moves from frame to frame: never twice alike, so an offset shows."""


def texture(seed: int = 0, width: int = WIDTH + 40) -> Image:
    noise = np.random.default_rng(seed).normal(size=(HEIGHT, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def moving(steps: Sequence[int] = STEPS, seed: int = 0) -> list[Image]:
    wide, places = texture(seed), 20 + np.cumsum(steps)
    return [np.ascontiguousarray(wide[:, x : x + WIDTH]) for x in places]


def noisy(frames: Sequence[Image], sigma: float = 12) -> list[Image]:
    rng = np.random.default_rng(7)
    return [
        np.clip(frame + rng.normal(0, sigma, frame.shape), 0, 255).astype(np.uint8)
        for frame in frames
    ]


def measured(source: Path, *outputs: Path, **options: Any) -> EvaluationReport:
    report = evaluate_clips(EvaluateConfig(source, outputs, **({"device": "cpu"} | options)))
    json.dumps(report.to_json(), allow_nan=False)  # never a NaN
    return report


def value(number: float | None) -> float:
    assert number is not None
    return number


def test_a_static_clip_has_no_error_and_says_that_nothing_moves(write_frames: MakeClip) -> None:
    clip = write_frames("clip.mp4", [texture()] * 4)
    report = measured(clip, clip)
    (output,) = report.outputs
    assert (output.short.e_warp, output.short.e_stab, output.short.coverage) == (0, 0, 1)
    assert output.mean("e_pair") == 0
    assert output.mean("followed") is None
    assert output.mean("frozen") is None
    assert any("nothing moves" in note for note in report.notes)


def test_a_negative_is_as_steady_as_its_source(write_frames: MakeClip) -> None:
    """A perfect painting: every error of flow and mask is the same for both clips."""
    frames = moving()
    source = write_frames("clip.mp4", frames)
    report = measured(source, write_frames("negative.mp4", [255 - frame for frame in frames]))
    (output,) = report.outputs
    assert 0 < value(output.short.e_warp) < 0.001
    assert value(output.short.e_warp) == pytest.approx(value(report.source.short.e_warp), rel=0.01)
    assert value(output.long.e_warp) == pytest.approx(value(report.source.long.e_warp), rel=0.01)
    assert value(output.long.e_warp) < 0.001
    assert value(output.mean("e_pair")) < 0.02
    assert value(output.mean("followed")) > 0.9
    assert output.mean("frozen") == 0
    assert value(output.mean("layout")) > 0.99
    assert output.mean("detail") == pytest.approx(value(report.source.mean("detail")), rel=0.01)
    assert 0 < report.method.identity < 1e-9
    assert (report.method.frames, report.method.pairs) == (15, 14)
    assert len(output.short.warp_error.values) == 14
    assert len(output.long.warp_error.values) == 5
    assert (report.method.height, report.method.width) == (HEIGHT, WIDTH)


def test_the_last_and_the_first_frame_of_a_shot_count_in_the_l1_form(
    write_frames: MakeClip,
) -> None:
    """On a static source, each frame three levels brighter: 3 to the last, 3 t to the first."""
    source = write_frames("clip.mp4", [texture()] * 4)
    brighter = [texture() // 2 + np.uint8(80 + 3 * t) for t in range(4)]
    (output,) = measured(source, write_frames("brighter.mp4", brighter)).outputs
    assert output.measures["e_pair"].values == pytest.approx([6 / 255, 9 / 255, 12 / 255])
    assert value(output.short.e_warp) == pytest.approx((3 / 255) ** 2)
    assert output.short.e_stab == pytest.approx(3 / 255)


def test_the_long_range_reaches_over_ten_frames(write_frames: MakeClip) -> None:
    source = write_frames("clip.mp4", [texture()] * 13)
    brighter = [texture() // 2 + np.uint8(80 + t) for t in range(13)]
    (output,) = measured(source, write_frames("brighter.mp4", brighter)).outputs
    assert output.long.warp_error.values == pytest.approx([(10 / 255) ** 2] * 3)
    assert output.long.warp_error.times == pytest.approx([0, 0.04, 0.08])


def test_blur_is_steadier_and_is_found_out(write_frames: MakeClip) -> None:
    frames = moving()
    source, rough = write_frames("clip.mp4", frames), noisy(frames)
    blurred = [cv2.GaussianBlur(frame, (0, 0), 2) for frame in rough]
    unblended = write_frames("unblended.mp4", rough)
    report = measured(source, write_frames("blurred.mp4", blurred), unblended=unblended)
    (output,) = report.outputs
    assert value(report.ratio(output, lambda clip: clip.short.e_warp)) < 0.3
    assert value(report.ratio(output, lambda clip: clip.mean("detail"))) < 0.1
    assert value(report.ratio(output, lambda clip: clip.mean("high_band"))) < 0.1


def test_a_frozen_picture_is_found_out(write_frames: MakeClip) -> None:
    frames = moving()
    report = measured(
        write_frames("clip.mp4", frames), write_frames("frozen.mp4", [frames[0]] * len(frames))
    )
    (output,) = report.outputs
    assert output.mean("frozen") == 1
    assert value(output.mean("followed")) < -0.9
    assert any("stands still in 100%" in note for note in report.notes)


def test_a_pale_clip_is_called_into_question(write_frames: MakeClip) -> None:
    frames = moving()
    pale = [(120 + frame // 16).astype(np.uint8) for frame in frames]
    notes = measured(write_frames("clip.mp4", frames), write_frames("pale.mp4", pale)).notes
    assert any("pale.mp4 is steadier than the source itself" in note for note in notes)


def test_a_clip_of_another_shot_is_refused(write_frames: MakeClip) -> None:
    source, other = write_frames("clip.mp4", moving()), write_frames("other.mp4", moving(seed=1))
    with pytest.raises(InputError, match=r"other\.mp4: does not show what .*clip\.mp4 shows"):
        measured(source, other)


def test_no_pair_reaches_across_a_cut(write_frames: MakeClip) -> None:
    dark = [frame // 4 for frame in moving(seed=5)]
    frames = [*moving(STEPS[:12]), *dark[:3]]
    clip = write_frames("clip.mp4", frames)
    report = measured(clip, clip)
    assert report.method.cuts == pytest.approx((12 / 25,))
    assert report.method.pairs == 13
    (output,) = report.outputs
    assert output.short.warp_error.values[11] is None
    assert [v for v in output.short.warp_error.values if v is None] == [None]
    assert value(output.short.e_warp) < 0.001
    assert len(output.long.warp_error.values) == 2, "10 to 12 and on lie beyond the cut"


def test_frames_are_matched_by_time(write_frames: MakeClip) -> None:
    """A painting at half the rate, and one in another time base that starts elsewhere."""
    frames = moving()
    source = write_frames("clip.mp4", frames)
    halved = write_frames("halved.mkv", frames[::2], every=2)
    report = measured(source, halved)
    assert report.method.frames == 8
    assert any("one frame in 2 was taken" in note for note in report.notes)
    assert report.outputs[0].times == pytest.approx([k / 12.5 for k in range(8)])
    (output,) = report.outputs
    assert value(output.short.e_warp) == pytest.approx(value(report.source.short.e_warp))


def test_what_another_rate_shows_twice_does_not_count_as_flicker(write_frames: MakeClip) -> None:
    """Both clips show one movement, which goes on 120 times a second."""
    places = np.cumsum(np.random.default_rng(3).integers(-2, 3, 61))
    assert abs(places).max() <= 20
    source, slower = (
        write_frames(name, moving(np.diff(places[::step], prepend=0).tolist()), rate=120 // step)
        for name, step in (("clip.mp4", 4), ("slower.mp4", 5))
    )
    (output,) = measured(source, slower).outputs
    left_out = [value is None for value in output.short.warp_error.values]
    assert 0 < left_out.count(True) < len(left_out) / 2
    assert all(
        value is None
        for value, out in zip(output.measures["e_pair"].values, left_out, strict=True)
        if out
    )


def test_the_unblended_painting_of_the_way_back_is_repainted(
    write_frames: MakeClip, make_style: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = make_style("one", seed=1), make_style("other", seed=2)
    forth, back = (load_network(StyleFile(path, read_cards(path)[0])) for path in (one, other))
    both = one.with_name("both.safetensors")
    save_style(both, forth, [replace(read_cards(one)[0], name="both")], reverse=back)
    monkeypatch.setenv("VIDSTYLE_STYLES", str(both.parent))
    source = write_frames("clip.mp4", moving()[:3])
    report = measured(source, painted(source, style="both", reverse=True, consistency=0))
    assert report.unblended is not None
    assert report.outputs[0].measures["detail"] == report.unblended.measures["detail"]


def test_a_part_of_the_clip_can_be_measured(write_frames: MakeClip) -> None:
    frames = moving()
    negative = write_frames("negative.mp4", [255 - frame for frame in frames])
    source = write_frames("clip.mp4", frames)
    report = measured(source, negative, start=Fraction(1, 5), duration=Fraction(1, 5))
    assert report.source.times == pytest.approx([k / 25 for k in range(5, 10)])
    assert report.outputs[0].short.e_warp == pytest.approx(
        value(report.source.short.e_warp), rel=0.01
    )
    assert measured(source, negative, frames=4).method.frames == 4


def test_large_pictures_are_measured_smaller_and_others_are_fitted(write_frames: MakeClip) -> None:
    frames = moving()[:4]
    source = write_frames("clip.mp4", frames)
    doubled = [cv2.resize(frame, None, fx=2, fy=2) for frame in frames]
    report = measured(source, write_frames("doubled.mp4", doubled), height=72)
    assert (report.method.height, report.method.width) == (72, 96)
    assert value(report.outputs[0].mean("layout")) > 0.95
    assert value(report.outputs[0].mean("ssim")) > 0.9


LOSSLESS = EncodeOptions(codec="libx264rgb", crf=0, pixel_format="rgb24", preset="ultrafast")


def painted(clip: Path, **options: Any) -> Path:
    options = {"style": "tiny", "device": "cpu", "encode": LOSSLESS, "overwrite": True} | options
    (file,) = run(RunConfig((clip,), **options)).files
    return file.output


@pytest.mark.parametrize("finish", [{"strength": 0.6}, {"keep_colours": True}, {"brush": 1.5}])
def test_the_unblended_painting_is_repainted_from_the_outputs_stamp(
    write_frames: MakeClip, tiny_style: str, finish: dict[str, Any]
) -> None:
    """Nothing was done against flicker in the output, so both are one and the same."""
    source = write_frames("clip.mp4", noisy(moving()[:4]))
    output = painted(source, consistency=0, **finish)
    report = measured(source, output)
    assert report.unblended is not None
    assert not report.unblended.encoded
    assert report.ratio(report.outputs[0], lambda clip: clip.short.e_warp) == pytest.approx(1)
    assert report.outputs[0].measures["detail"] == report.unblended.measures["detail"]


def test_a_style_that_has_changed_is_not_taken_for_the_one_of_the_painting(
    write_frames: MakeClip, make_style: MakeClip, tiny_style: str
) -> None:
    source = write_frames("clip.mp4", moving()[:3])
    output = painted(source, consistency=0)
    make_style("tiny", seed=5, folder=Path(os.environ["VIDSTYLE_STYLES"]))
    report = measured(source, output)
    assert report.unblended is None
    assert any("is not the one that it was painted in" in note for note in report.notes)


def test_the_painting_of_pictures_is_laid_on_them_at_their_own_rate(
    tiny_style: str, tmp_path: Path
) -> None:
    """And at the rate that is named where the painting tells none."""
    for number, frame in enumerate(moving(), 1):
        Pillow.fromarray(frame).save(tmp_path / f"{number:02}.png")
    pictures = tmp_path / "%02d.png"
    output = tmp_path / "film.mp4"
    painted(pictures, consistency=0, strength=0.0, rate=Fraction(10), output=output)
    report = measured(pictures, output)
    assert report.outputs[0].times == pytest.approx([k / 10 for k in range(len(STEPS))])
    assert not any("begins" in note for note in report.outputs[0].notes)
    assert value(report.outputs[0].mean("ssim")) > 0.99
    told = measured(pictures, output, unblended=output)
    named = measured(pictures, write_foreign(output), unblended=output, rate=Fraction(10))
    for report in (told, named):
        assert value(report.outputs[0].mean("ssim")) > 0.99


def test_numbered_pictures_that_are_not_there_are_told_of(
    write_frames: MakeClip, tmp_path: Path
) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    with pytest.raises(InputError, match="no picture of such a name"):
        measured(clip, tmp_path / "none_%02d.png")


def test_a_painting_in_numbered_pictures_is_as_quick_as_its_clip(
    write_frames: MakeClip, tiny_style: str, tmp_path: Path
) -> None:
    source = write_frames("clip.mp4", moving(), rate=10)
    pictures = tmp_path / "painted_%02d.png"
    run(RunConfig((source,), "tiny", pictures, device="cpu", consistency=0, strength=0.0))
    report = measured(source, pictures)
    assert report.unblended is not None
    assert len(report.outputs[0].times) == len(STEPS)
    assert value(report.outputs[0].mean("ssim")) > 0.99


def write_foreign(painting: Path) -> Path:
    """The same clip as a tool would leave it that says nothing of itself."""
    copy = painting.with_name("foreign.mp4")
    with av.open(str(painting)) as source, av.open(str(copy), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return copy


def test_clips_that_ask_for_much_are_measured_if_they_are_trusted(
    write_frames: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    monkeypatch.setattr("vidstyle.video.info.Limits", lambda: Limits(pixels=100))
    with pytest.raises(InputError, match="--limit pixels"):
        measured(clip, clip, limits=Limits(pixels=100))
    assert measured(clip, clip, limits=Limits(pixels=10**6)).outputs


@pytest.mark.parametrize("side", [8, 14, 30])
def test_clips_that_are_too_small_to_look_at_are_refused(write_frames: MakeClip, side: int) -> None:
    frames = [np.ascontiguousarray(frame[:side, :side]) for frame in moving()[:3]]
    clip = write_frames("clip.mp4", frames)
    with pytest.raises(InputError, match=f"too small to be measured at {side}x{side}"):
        measured(clip, clip)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"tier": "finest"}, "tier"),
        ({"bars": [90, 90]}, "bars"),
        ({"style": "/etc/hosts"}, "names a file in place of a style"),
        ({"style": "own.safetensors"}, "names a file in place of a style"),
    ],
)
def test_a_stamp_that_cannot_be_leaves_out_the_unblended_painting(
    write_frames: MakeClip,
    tiny_style: str,
    monkeypatch: pytest.MonkeyPatch,
    told: dict[str, Any],
    word: str,
) -> None:
    source = write_frames("clip.mp4", moving()[:3])
    output = painted(source)
    stamp = comparison.read_stamp(output)
    assert stamp is not None
    monkeypatch.setattr(comparison, "read_stamp", lambda _: stamp | told)
    report = measured(source, output)
    assert report.unblended is None
    assert any(word in note for note in report.notes)


def test_what_cannot_be_judged_is_refused_before_a_clip_is_read(
    write_frames: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    monkeypatch.setattr(clips, "open_comparison", lambda *_: pytest.fail("clips were read"))
    with pytest.raises(InputError, match=r"nosuch\.safetensors"):
        measured(clip, clip, perceptual=Path("nosuch.safetensors"))


def test_a_rate_is_for_numbered_pictures(write_frames: MakeClip) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    with pytest.raises(UsageError, match="a clip keeps its own frame rate"):
        measured(clip, clip, rate=Fraction(24))


def test_the_unblended_painting_has_the_bars_that_the_output_has(
    write_frames: MakeClip, tiny_style: str
) -> None:
    source = write_frames("clip.mp4", [np.pad(f, ((9, 9), (0, 0), (0, 0))) for f in moving()[:3]])
    report = measured(source, painted(source, consistency=0, strength=0.6))
    assert report.unblended is not None
    assert report.outputs[0].measures["detail"] == report.unblended.measures["detail"]


def test_the_unblended_painting_is_painted_on_the_outputs_own_engine(
    write_frames: MakeClip, tiny_style: str
) -> None:
    """Engines round differently; where another has to do, it is said."""
    source = write_frames("clip.mp4", moving()[:3])
    output = painted(source, consistency=0, strength=0.6, engine="torch")
    report, elsewhere = (measured(source, output, device=device) for device in ("auto", "cpu"))
    assert report.unblended is not None
    assert report.outputs[0].measures["detail"] == report.unblended.measures["detail"]
    assert not any("is painted on" in note for note in report.notes)
    assert any("the output was on torch cpu" in note for note in elsewhere.notes)


def test_the_painting_of_a_part_is_held_against_that_part(
    write_frames: MakeClip, tiny_style: str
) -> None:
    """Its clock starts at 0 again; the stamp tells where that was."""
    source = write_frames("clip.mp4", moving())
    part = {"start": Fraction("0.13"), "duration": Fraction("0.2")}
    output = painted(source, consistency=0, strength=0.6, **part)
    report = measured(source, output)
    assert report.outputs[0].times == pytest.approx([k / 25 for k in range(4, 9)])
    assert report.unblended is not None
    assert report.outputs[0].measures["detail"] == report.unblended.measures["detail"]


def test_a_style_that_is_gone_and_a_foreign_clip_leave_out_the_unblended_painting(
    write_frames: MakeClip, tiny_style: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = write_frames("clip.mp4", moving()[:4])
    output = painted(source, strength=0.6)
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "nowhere"))
    for clip, words in ((output, "no style is called 'tiny'"), (source, "no output says how")):
        report = measured(source, clip)
        assert report.unblended is None
        assert any(words in note and "--unblended" in note for note in report.notes)
        assert report.to_json()["unblended"] is None


def test_networks_judge_likeness_and_style(
    write_frames: MakeClip, perceptual: Path, tmp_path: Path
) -> None:
    frames = moving()[:6]
    source, unblended = write_frames("clip.mp4", frames), write_frames("rough.mp4", noisy(frames))
    Pillow.fromarray(texture(9)).save(tmp_path / "style.png")
    report = measured(
        source,
        source,
        unblended=unblended,
        perceptual=perceptual,
        style_image=tmp_path / "style.png",
        samples=2,
    )
    (output,) = report.outputs
    assert report.method.perceptual == "VGG19 distance"
    assert report.method.network == "vgg.safetensors"
    assert report.method.samples == 2
    assert output.mean("content_distance") == pytest.approx(0, abs=1e-6)
    assert output.mean("cfsd") == pytest.approx(0, abs=1e-6)
    assert output.mean("d_perceptual") == report.unblended.mean("content_distance")  # type: ignore[union-attr]
    assert value(output.mean("d_perceptual")) > 1e-4
    assert output.measures["d_perceptual"].times[0] > 0, "the first frame has no history"
    assert value(output.mean("gram")) == value(report.source.mean("gram")) > 0
    assert value(output.mean("vgg_sifid")) > 0
    assert set(output.measures) == set(SERIES) - {"sifid"}
    assert any("Inception could not be downloaded" in note for note in report.notes)


def test_without_networks_the_rest_is_measured(write_frames: MakeClip) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    report = measured(clip, clip)
    assert report.method.perceptual is None
    assert report.outputs[0].mean("content_distance") is None
    assert report.outputs[0].mean("ssim") == pytest.approx(1)
    for name in ("VGG19", "LPIPS"):
        assert any(name in note for note in report.notes)


def test_the_worst_pairs_are_kept_with_their_maps(write_frames: MakeClip) -> None:
    frames = [texture()] * 6
    flicker = list(frames)
    flicker[3] = 255 - frames[3]
    flicker[1] = frames[1] // 2
    (output,) = measured(
        write_frames("clip.mp4", frames), write_frames("flicker.mp4", flicker), worst=3
    ).outputs
    errors = [pair.warp_error for pair in output.worst]
    values = [v for v in output.short.warp_error.values if v is not None]
    assert errors == sorted(values, reverse=True)[:3]
    assert {pair.time for pair in output.worst[:2]} <= {0.0, 0.04, 0.08, 0.12}
    worst = output.worst[0]
    assert worst.error.shape == (HEIGHT, WIDTH + 40)
    assert worst.error.mean() == pytest.approx(worst.warp_error, rel=1e-4)
    assert np.array_equal(worst.source, frames[0])


def test_the_json_has_what_programs_count_on(write_frames: MakeClip) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    one, two = measured(clip, clip, unblended=clip), measured(clip, clip, clip)
    plain = one.to_json()
    for name in ("source", "unblended", "output"):
        assert all(
            isinstance(plain[name][k], float) for k in ("e_warp", "e_stab", "coverage", "detail")
        )
        assert set(SERIES) <= set(plain[name])
    assert plain["output"]["relative_to_unblended"]["e_warp"] == 1
    assert isinstance(two.to_json()["output"], list)


def test_progress_is_told(write_frames: MakeClip) -> None:
    clip, steps = write_frames("clip.mp4", moving()[:4]), list[EvaluateProgress]()
    evaluate_clips(EvaluateConfig(clip, (clip,)), on_progress=steps.append)
    assert [(step.frames, step.expected) for step in steps] == [(k, 4) for k in (1, 2, 3, 4)]


def test_a_single_frame_is_no_clip(write_frames: MakeClip) -> None:
    one, many = write_frames("one.mp4", moving()[:1]), write_frames("many.mp4", moving())
    for source, output in ((one, many), (many, one)):
        with pytest.raises(InputError, match=r"one\.mp4: has a single frame"):
            measured(source, output)


def test_clips_that_share_no_time_are_refused(write_frames: MakeClip) -> None:
    short, long = write_frames("short.mp4", moving()[:3]), write_frames("long.mp4", moving())
    with pytest.raises(InputError, match=r"shares no time range .*short\.mp4"):
        measured(long, short, start=Fraction(2, 5))


def test_what_is_no_network_is_refused(write_frames: MakeClip, tmp_path: Path) -> None:
    clip = write_frames("clip.mp4", moving()[:3])
    with pytest.raises(InputError, match=r"none\.safetensors"):
        measured(clip, clip, perceptual=tmp_path / "none.safetensors")


@pytest.mark.parametrize("wrong", [{"outputs": ()}, {"height": 10}, {"frames": 1}, {"samples": 0}])
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EvaluateConfig(**({"source": Path("a"), "outputs": (Path("b"),)} | wrong))


def test_the_mean_of_a_series_passes_over_what_is_missing() -> None:
    assert Series((0, 1, 2), (1.0, None, 3.0)).mean == 2
    assert Series((0,), (None,)).mean is Series((), ()).mean is None
