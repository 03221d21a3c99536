"""A whole run, from files to files, in a style with random weights."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import InputError, ResourceError, ShortageError, StyleError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting import clip as clip_module
from vidstyle.jobs.painting import picture as picture_module
from vidstyle.jobs.painting import segments as segments_module
from vidstyle.jobs.painting.report import Progress, RunReport
from vidstyle.jobs.publish import part_folder
from vidstyle.jobs.run import run
from vidstyle.jobs.style import Style, load_style
from vidstyle.stylizers.torch_engine import TorchEngine
from vidstyle.types import Frame
from vidstyle.video.images import read_image
from vidstyle.video.info import probe
from vidstyle.video.opening import sequence_files
from vidstyle.video.read import read_frames
from vidstyle.video.stamp import read_stamp
from vidstyle.video.write import WITHOUT_LOSS

MakeClip = Callable[..., Path]
MakeStyle = Callable[..., Path]
MakeCollection = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("tiny_style")


def paint(*inputs: Path, **options: Any) -> RunReport:
    options = {"device": "cpu", "engine": "torch", "style": "tiny"} | options
    return run(RunConfig(inputs, **options))


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(probe(path)))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".safetensors"}


def audio_packets(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(bool(packet.size) for packet in container.demux(audio=0))


def test_a_clip_is_painted_with_its_time_its_size_and_its_sound(make_clip: MakeClip) -> None:
    clip = make_clip(frames=12, size=(64, 48))
    report = paint(clip)
    (file,) = report.files
    assert file.output == clip.with_name("clip.tiny.mp4")
    before, after = frames_of(clip), frames_of(file.output)
    tick = [probe(path).time_base for path in (clip, file.output)]
    assert [f.pts * tick[0] for f in before] == [f.pts * tick[1] for f in after]
    assert {f.image.shape for f in after} == {(48, 64, 3)}
    assert audio_packets(clip) == audio_packets(file.output)
    assert np.abs(before[5].image.astype(int) - after[5].image).mean() > 5
    assert names(clip.parent) == {"clip.mp4", "clip.tiny.mp4"}
    assert (file.frames, file.declared, file.partial) == (12, 12, False)
    assert report.exit_code == 0


def test_strength_zero_gives_the_input_exactly(make_clip: MakeClip) -> None:
    clip = make_clip(frames=6)
    output = clip.with_name("same.mkv")
    paint(clip, strength=0.0, output=output, encode=WITHOUT_LOSS)
    for before, after in zip(frames_of(clip), frames_of(output), strict=True):
        assert (before.image == after.image).all()


@pytest.mark.parametrize("kind", ["clip", "picture"])
def test_black_bars_stay_and_what_they_frame_is_painted_as_without_them(
    write_frames: MakeClip, tmp_path: Path, kind: str
) -> None:
    rng = np.random.default_rng(0)
    plain = rng.integers(60, 256, (40, 64, 3), np.uint8)
    barred = np.pad(plain, ((8, 12), (0, 0), (0, 0)))
    paintings = {}
    for name, picture in (("plain", plain), ("barred", barred)):
        source, output = tmp_path / f"{name}.png", tmp_path / f"{name}.painted.png"
        Image.fromarray(picture).save(source)
        if kind == "clip":
            source, output = (
                write_frames(f"{name}.mkv", [picture] * 3),
                tmp_path / f"{name}.nut.mkv",
            )
        (file,) = paint(source, output=output, encode=WITHOUT_LOSS).files
        assert (file.height, file.width) == picture.shape[:2]
        shown = read_image(output) if kind == "picture" else frames_of(output)[-1].image
        paintings[name] = shown
    assert not paintings["barred"][:8].any()
    assert not paintings["barred"][-12:].any()
    np.testing.assert_array_equal(paintings["barred"][8:-12], paintings["plain"])
    if kind == "clip":
        assert file.notes == ("has black bars, which stay; 64x40 were painted",)


@pytest.mark.parametrize("kind", ["clip", "picture"])
def test_colours_are_kept(make_clip: MakeClip, tmp_path: Path, kind: str) -> None:
    """The red less the green of a pixel is what it was, and the light of it is not."""
    source, output = make_clip(frames=3), tmp_path / "kept.mkv"
    if kind == "picture":
        pixels = np.random.default_rng(0).integers(60, 196, (48, 64, 3), dtype=np.uint8)
        source, output = tmp_path / "picture.png", tmp_path / "kept.png"
        Image.fromarray(pixels).save(source)
    paint(source, keep_colours=True, output=output, encode=WITHOUT_LOSS)
    shown = [
        [read_image(path)] if kind == "picture" else [frame.image for frame in frames_of(path)]
        for path in (source, output)
    ]
    for before, after in zip(*shown, strict=True):
        whole = ((after > 0) & (after < 255)).all(axis=-1)
        assert whole.mean() > 0.5
        red_less_green = [np.diff(picture.astype(int))[whole, 0] for picture in (before, after)]
        np.testing.assert_array_equal(*red_less_green)
        assert np.abs(before.astype(int) - after).mean() > 5


def test_a_clip_becomes_numbered_pictures_pixel_for_pixel(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_module, "segment_length", lambda *_: 4)
    clip = make_clip(frames=6)
    before = names(clip.parent)
    (file,) = paint(clip, strength=0.0, output=clip.with_name("p_%02d.png")).files
    pictures = [clip.with_name(f"p_{number:02}.png") for number in range(1, 7)]
    assert names(clip.parent) - before == {picture.name for picture in pictures}
    for frame, picture in zip(frames_of(clip), pictures, strict=True):
        np.testing.assert_array_equal(frame.image, read_image(picture))
        stamp = read_stamp(picture)
        assert stamp is not None
        assert stamp["strength"] == 0
    assert file.notes[-2].startswith("pictures p_01.png to p_06.png, 25 of them a second")
    assert "sound" in file.notes[-1]


@pytest.mark.parametrize("rate", [None, Fraction(24_000, 1001)])
def test_numbered_pictures_keep_their_numbers(tmp_path: Path, rate: Fraction | None) -> None:
    shown = np.random.default_rng(0).integers(0, 256, (5, 30, 40, 3), dtype=np.uint8)
    for number, image in enumerate(shown, 8):
        Image.fromarray(image).save(tmp_path / f"film_{number:03}.png")
    begin = 2 / (rate or Fraction(25))
    painted = tmp_path / "painted_%d.png"
    paint(tmp_path / "film_%03d.png", strength=0.0, rate=rate, start=begin, output=painted)
    assert sorted(sequence_files(painted)) == [10, 11, 12]
    for number, picture in sequence_files(painted).items():
        np.testing.assert_array_equal(read_image(picture), shown[number - 8])


def test_numbers_stay_where_a_picture_is_broken(tmp_path: Path) -> None:
    shown = np.random.default_rng(0).integers(0, 256, (5, 30, 40, 3), dtype=np.uint8)
    for number, image in enumerate(shown):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"\x89PNG broken")
    painted = tmp_path / "p%d.png"
    paint(tmp_path / "%d.png", strength=0.0, output=painted)
    assert sorted(sequence_files(painted)) == [0, 1, 3, 4]
    np.testing.assert_array_equal(read_image(tmp_path / "p3.png"), shown[3])


def test_numbered_pictures_take_the_place_of_older_ones(make_clip: MakeClip) -> None:
    clip = make_clip(frames=3)
    pictures = [clip.with_name(f"{number}.jpg") for number in range(1, 5)]
    for picture in pictures:
        picture.write_bytes(b"old")
    (file,) = paint(clip, output=clip.with_name("%d.jpg"), overwrite=True).files
    assert [picture.read_bytes() == b"old" for picture in pictures] == [False] * 3 + [True]
    assert file.frames == 3


def test_older_pictures_beside_the_new_ones_are_told_of(make_clip: MakeClip) -> None:
    clip = make_clip(frames=3)
    for number in range(1, 6):
        clip.with_name(f"{number}.jpg").write_bytes(b"old")
    report = paint(clip, output=clip.with_name("%d.jpg"), overwrite=True)
    assert f"{clip}: 2 older pictures of such names lie beside the new ones" in report.notes


def test_what_came_to_be_while_it_was_painted_is_left_as_it_is(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(frames=3)
    output = clip.with_name("clip.tiny.mp4")
    original = clip_module.mux

    def meanwhile(*args: Any, **options: Any) -> Any:
        output.write_bytes(b"precious")
        return original(*args, **options)

    monkeypatch.setattr(clip_module, "mux", meanwhile)
    with pytest.raises(UsageError, match=r"clip\.tiny\.mp4: came to be"):
        paint(clip)
    assert output.read_bytes() == b"precious"


def test_a_run_that_was_stopped_while_pictures_got_their_names_goes_on(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(frames=4)
    replace, taken = os.replace, []

    def stop(source: Path, target: Path) -> None:
        if target.suffix == ".png":
            taken.append(target)
            if len(taken) == 3:
                raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("vidstyle.jobs.publish.os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        paint(clip, output=clip.with_name("%d.png"))
    assert sorted(sequence_files(clip.with_name("%d.png"))) == [1, 2]
    (file,) = paint(clip, output=clip.with_name("%d.png")).files
    assert (file.resumed, sorted(sequence_files(clip.with_name("%d.png")))) == (4, [1, 2, 3, 4])
    assert names(clip.parent) == {"clip.mp4", "1.png", "2.png", "3.png", "4.png"}


def test_consistency_holds_a_still_clip_still(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zero paints every frame afresh: a painter that flickers then flickers in the output."""
    clip = make_clip(frames=6)
    still = frames_of(clip)[0].image

    def same(*_: object, **options: Any) -> Iterator[Frame]:
        options["report"].frames = 6
        return (Frame(still, 512 * number, 512) for number in range(6))

    class Flicker:
        name, notes = "flicker", ()
        rng = np.random.default_rng(0)

        def begin(self, batch: np.ndarray) -> Callable[[], np.ndarray]:
            return lambda: self.rng.integers(60, 190, batch.shape).astype(np.uint8)

    monkeypatch.setattr(clip_module, "read_frames", same)
    monkeypatch.setattr("vidstyle.jobs.style.Style.engine", lambda *_: Flicker())
    unrest = {}
    for consistency in (0.0, 0.9):
        output = clip.with_name(f"{consistency}.mkv")
        paint(clip, output=output, consistency=consistency, encode=WITHOUT_LOSS)
        shown = np.array([frame.image.astype(float) for frame in frames_of(output)])
        unrest[consistency] = np.abs(np.diff(shown, axis=0)).mean()
    assert unrest[0.0] > 30
    assert unrest[0.9] < unrest[0.0] / 3


def test_consistency_zero_pays_for_no_flow(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_in_steadying(monkeypatch, Fault())
    assert paint(make_clip(frames=3), consistency=0.0).files[0].frames == 3


@pytest.mark.parametrize("segment", [2, 240])
def test_the_last_frame_is_shown_as_long_as_it_was(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, segment: int
) -> None:
    monkeypatch.setattr(clip_module, "segment_length", lambda *_: segment)
    short = make_clip(frames=5, sound=False)
    clip = short.with_name("long.mp4")
    with av.open(str(short)) as source, av.open(str(clip), "w") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        latest = max(packet.pts or 0 for packet in packets)
        for packet in packets:
            packet.stream = track
            packet.duration *= 20 if packet.pts == latest else 1
            target.mux(packet)
    assert probe(clip).duration == probe(short).duration + Fraction(19, 25)
    (file,) = paint(clip).files
    assert probe(file.output).duration == probe(clip).duration


def test_a_part_of_a_clip(make_clip: MakeClip) -> None:
    clip = make_clip(frames=50)
    report = paint(clip, start=Fraction(2, 5), duration=Fraction(4, 5))
    assert report.files[0].frames == 20
    assert report.exit_code == 0


def test_the_output_says_how_it_was_painted(make_clip: MakeClip) -> None:
    report = paint(make_clip(frames=3), strength=0.8)
    stamp = read_stamp(report.files[0].output)
    assert stamp is not None
    assert (stamp["style"], stamp["tier"], stamp["strength"]) == ("tiny", "fast", 0.8)


def test_the_painting_of_a_part_says_where_it_begins(make_clip: MakeClip) -> None:
    """By that it is held against its clip; a part is no damage."""
    (file,) = paint(make_clip(frames=8), start=Fraction(1, 5)).files
    stamp = read_stamp(file.output)
    assert stamp is not None
    assert stamp["start"] == "1/5"
    assert "partial" not in stamp


def test_another_input_s_painting_is_not_taken_for_this_one_s(make_clip: MakeClip) -> None:
    first, second = make_clip("a.mp4", frames=3), make_clip("b.mp4", frames=4)
    output = first.with_name("out.mp4")
    assert len(paint(first, output=output).files) == 1
    assert len(paint(first, output=output).files) == 0
    with pytest.raises(UsageError, match="exists already"):
        paint(second, output=output)


@pytest.mark.usefixtures("one_core")
def test_a_schedule_counts_from_the_first_frame(
    make_clip: MakeClip, make_collection: MakeCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clip's own clock shows then; that of a broadcast runs from any time."""
    make_collection("sea", "sun", folder=Path(os.environ["VIDSTYLE_STYLES"]))
    clip, chosen = make_clip("clip.ts", frames=12), []
    assert probe(clip).start_pts > 0
    choose = TorchEngine.choose

    def noted(engine: TorchEngine, shares: Sequence[float]) -> None:
        chosen.append(shares[0])
        choose(engine, shares)

    monkeypatch.setattr(TorchEngine, "choose", noted)
    paint(clip, style="0 sea; 0.4 sun")
    assert chosen == pytest.approx([max(0, 1 - number / 10) for number in range(12)])


@pytest.mark.usefixtures("one_core")
def test_a_picture_is_painted_as_a_schedule_begins(
    make_clip: MakeClip, make_collection: MakeCollection, tmp_path: Path
) -> None:
    """And not in what the last clip of its size ended with."""
    make_collection("sea", "sun", folder=Path(os.environ["VIDSTYLE_STYLES"]))
    clip, picture = make_clip("a.mp4", frames=12), tmp_path / "z.png"
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(picture)
    after_clip, alone = (
        read_image(paint(*inputs, style="0 sea; 0.2 sun", overwrite=True).files[-1].output)
        for inputs in ((clip, picture), (picture,))
    )
    assert np.array_equal(after_clip, alone)


def test_a_see_through_picture_says_so(tmp_path: Path) -> None:
    solid = np.full((24, 32, 4), 255, np.uint8)
    Image.fromarray(solid).save(tmp_path / "solid.png")
    holed = solid.copy()
    holed[0, 0, 3] = 254
    Image.fromarray(holed).save(tmp_path / "holed.png")
    report = paint(tmp_path / "solid.png", tmp_path / "holed.png")
    assert report.notes == (
        f"{tmp_path}/holed.png: is see-through in places; what lies behind is painted white",
    )


def test_a_brush_that_is_too_large_for_a_picture_is_told_of(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (300, 150), "red").save(picture)
    assert paint(picture, brush=1.2).notes == ()
    assert paint(picture, brush=2, overwrite=True).notes == (
        f"{picture}: a brush of 2 shows little of 300x150 pixels",
    )


def test_a_style_with_another_brush_than_is_asked_for_is_refused(tmp_path: Path) -> None:
    """The painting would bear the wrong stamp."""
    picture = tmp_path / "a.png"
    Image.new("RGB", (32, 24), "red").save(picture)
    style = load_style("tiny", device="cpu", brush=2)
    with pytest.raises(UsageError, match="the style's brush is 2, the run asks for 1"):
        run(RunConfig((picture,), style="tiny", device="cpu"), style=style)


def test_a_style_with_another_direction_than_is_asked_for_is_refused(tmp_path: Path) -> None:
    """Likewise."""
    picture = tmp_path / "a.png"
    Image.new("RGB", (32, 24), "red").save(picture)
    style = load_style("tiny", device="cpu")
    with pytest.raises(UsageError, match="the style paints forward, the run asks for it in rev"):
        run(RunConfig((picture,), style="tiny", device="cpu", reverse=True), style=style)


def test_a_run_to_which_nothing_is_left_has_not_succeeded(make_clip: MakeClip) -> None:
    clips = [make_clip(f"{name}.mp4", frames=2) for name in "ab"]
    with ExitStack() as stack:
        for clip in clips:
            stack.enter_context(part_folder(clip.with_suffix(".tiny.mp4")))
        report = paint(*clips)
    assert (report.failures, len(report.left), report.exit_code) == ((), 2, 2)


def test_each_of_two_inputs_of_one_name_has_its_notes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGBA", (32, 24), (9, 9, 9, 9)).save(tmp_path / folder / "a.png")
    report = paint(tmp_path / "one/a.png", tmp_path / "two/a.png")
    assert [note.split(": ")[0] for note in report.notes] == [
        f"{tmp_path}/{folder}/a.png" for folder in ("one", "two")
    ]


def test_a_picture_is_painted(tmp_path: Path) -> None:
    picture = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 51, 3), 90, np.uint8)).save(picture)
    report = paint(picture)
    output = report.files[0].output
    with Image.open(output) as painted:
        assert painted.size == (51, 40)
    assert read_stamp(output) is not None
    assert names(tmp_path) == {"photo.png", "photo.tiny.png"}


def test_several_inputs_share_one_engine(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vidstyle.jobs.style as style_module

    opened = []
    original = style_module.open_engine

    def counting(*args: Any, **options: Any) -> Any:
        opened.append(options)
        return original(*args, **options)

    monkeypatch.setattr(style_module, "open_engine", counting)
    clips = [make_clip(f"{name}.mp4", frames=2) for name in "abc"]
    assert len(paint(*clips).files) == 3
    assert len(opened) == 1


def test_a_broken_input_among_several_does_not_stop_the_others(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    clip = make_clip(frames=3)
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 999)
    report = paint(tmp_path / "broken.mp4", clip)
    assert [file.input for file in report.files] == [clip]
    assert [failure.input.name for failure in report.failures] == ["broken.mp4"]
    assert report.exit_code == 3


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_changes_while_it_is_painted_is_not_stamped_as_painted(
    make_clip: MakeClip, goes_on: bool
) -> None:
    """A recording that goes on, or a clip that is taken away."""
    clip, other = make_clip("clip.mp4", frames=3), make_clip("other.mp4", frames=3)
    whole = make_clip("whole.mkv", frames=9).read_bytes()

    def change(at: Progress) -> None:
        if at.input == clip and at.frames and at.report is None:
            clip.write_bytes(whole) if goes_on else clip.unlink(missing_ok=True)

    config = RunConfig((clip, other), device="cpu", engine="torch", style="tiny")
    report = run(config, on_progress=change)
    assert [file.input for file in report.files] == [other]
    (failure,) = report.failures
    assert (failure.input, failure.exit_code) == (clip, 3)
    assert ("has changed while" if goes_on else "does not exist") in failure.error
    assert "clip.tiny.mp4" not in names(clip.parent)
    kept = any("are kept" in note for note in report.notes)  # it may come back as it was
    assert kept == (".clip.tiny.mp4.part" in names(clip.parent)) == (not goes_on)


def test_what_changes_before_its_turn_is_not_painted_as_it_was(make_clip: MakeClip) -> None:
    first, clip = make_clip("a.mp4", frames=3), make_clip("b.mp4", frames=3)
    other = make_clip("c.mkv", frames=9, size=(96, 64)).read_bytes()

    def change(at: Progress) -> None:
        if at.input == first and at.report:
            clip.write_bytes(other)

    config = RunConfig((first, clip), device="cpu", engine="torch", style="tiny")
    (failure,) = run(config, on_progress=change).failures
    assert (failure.input, failure.exit_code) == (clip, 3)
    assert "has changed" in failure.error
    assert names(clip.parent) == {"a.mp4", "b.mp4", "c.mkv", "a.tiny.mp4"}


def test_what_is_gone_for_a_moment_loses_nothing(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, original = make_clip(frames=3), clip_module.mux

    def unmount(*args: Any, **options: Any) -> Any:
        joined = original(*args, **options)
        clip.rename(clip.with_name("elsewhere"))
        return joined

    with monkeypatch.context() as away:
        away.setattr(clip_module, "mux", unmount)
        with pytest.raises(InputError, match="cannot be read any more"):
            paint(clip)
    clip.with_name("elsewhere").rename(clip)
    assert paint(clip).files[0].resumed == 3


def test_a_picture_that_changes_while_it_is_painted_is_not_stamped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (40, 40), "red").save(picture)

    def paint_late(path: Path) -> Any:
        image = read_image(path)
        Image.new("RGB", (40, 40), "blue").save(picture)
        return image

    monkeypatch.setattr(picture_module, "read_image", paint_late)
    with pytest.raises(InputError, match=r"p\.png: has changed while it was painted"):
        paint(picture)
    assert names(tmp_path) == {"p.png"}


def test_runs_that_share_a_folder_leave_each_other_what_they_are_at(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clips = [make_clip(f"{name}.mp4", frames=3) for name in "abcd"]
    taken = tmp_path / "d.tiny.mp4"

    def meanwhile(at: Progress) -> None:
        if at.input == clips[0] and at.report:  # the other finishes one, and holds another
            paint(clips[1])
            taken.write_bytes(b"precious")
            stack.enter_context(part_folder(tmp_path / "c.tiny.mp4"))

    config = RunConfig(tuple(clips), device="cpu", engine="torch", style="tiny")
    with ExitStack() as stack:
        report = run(config, on_progress=meanwhile)
    assert [file.input for file in report.files] == [clips[0]]
    assert report.kept == (tmp_path / "b.tiny.mp4",)
    assert f"{tmp_path / 'b.tiny.mp4'}: was painted by another run meanwhile" in report.notes
    assert report.left == (tmp_path / "c.tiny.mp4",)
    assert f"{tmp_path}/c.tiny.mp4: is left to another run, which is writing it" in report.notes
    (there,) = report.failures
    assert "d.tiny.mp4: came to be meanwhile" in there.error
    assert taken.read_bytes() == b"precious"
    taken.unlink()
    assert [file.input for file in paint(*clips).files] == clips[2:]


def test_what_another_run_paints_at_the_same_time_is_no_failure(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other gives its painting its name while this one still paints the same."""
    pictures = [tmp_path / f"{name}.png" for name in "ab"]
    for path in pictures:
        Image.new("RGB", (32, 24), "red").save(path)
    original, others = picture_module.read_image, []

    def read(path: Path) -> Any:
        image = original(path)
        if not others:
            others.append(path)
            paint(path)
        return image

    monkeypatch.setattr(picture_module, "read_image", read)
    report = paint(*pictures)
    assert (report.exit_code, report.failures) == (0, ())
    assert report.kept == (tmp_path / "a.tiny.png",)
    assert [file.input for file in report.files] == [pictures[1]]
    others.clear()
    assert paint(tmp_path / "b.png", output=tmp_path / "c.png").exit_code == 0


def test_one_input_that_fails_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, good, huge = (tmp_path / f"{name}.png" for name in ("a" * 245, "b", "c"))
    for path in (long, good, huge):
        Image.new("RGB", (32, 24), "red").save(path)
    Image.new("RGB", (64, 24), "red").save(huge)
    open_engine = Style.engine

    def engine(self: Style, height: int, width: int) -> Any:
        if width == 64:
            raise ShortageError("too little memory, even in tiles")
        return open_engine(self, height, width)

    monkeypatch.setattr(Style, "engine", engine)
    report = paint(long, good, huge)
    assert [file.input for file in report.files] == [good]
    assert [failure.exit_code for failure in report.failures] == [2, 5]
    assert "is too long a name" in report.failures[0].error


def test_what_is_done_is_reported_beside_what_fails(tmp_path: Path) -> None:
    good, broken = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (32, 24), "red").save(good)
    (done,) = paint(good).files
    broken.write_bytes(good.read_bytes()[:60])
    report = paint(good, broken)
    assert report.kept == (done.output,)
    assert [failure.input for failure in report.failures] == [broken]


def test_a_kept_painting_that_goes_away_costs_no_report(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{name}.png" for name in "ab"]
    for path in pictures:
        Image.new("RGB", (32, 24), "red").save(path)
    (done,) = paint(pictures[0]).files
    config = RunConfig(tuple(pictures), device="cpu", engine="torch", style="tiny")
    report = run(config, on_progress=lambda _: done.output.unlink(missing_ok=True))
    assert [file.input for file in report.files] == [pictures[1]]


def test_what_another_run_finishes_first_is_not_painted_again(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what there is and the lock."""
    clip = make_clip(frames=3)

    def late(*args: Any, **options: Any) -> Any:
        clip.with_name("clip.tiny.mp4").write_bytes(b"precious")
        return part_folder(*args, **options)

    monkeypatch.setattr(clip_module, "part_folder", late)
    monkeypatch.setattr(clip_module, "painted", lambda *_: pytest.fail("it was painted"))
    with pytest.raises(UsageError, match=r"clip\.tiny\.mp4: came to be meanwhile"):
        paint(clip)


def test_a_clip_cut_short_is_painted_and_called_partial(make_clip: MakeClip) -> None:
    clip = make_clip("clip.mkv", frames=50, sound=False)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    report = paint(clip)
    (file,) = report.files
    assert 0 < file.frames < 45
    assert file.partial
    assert "ends early" in file.notes[0]
    assert report.exit_code == 4


def test_progress_counts_the_frames_and_ends_with_the_report(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Progress] = []
    monkeypatch.setattr("vidstyle.jobs.prefetch.POLL", 0.001)  # 0 would starve one core
    config = RunConfig((make_clip(frames=5),), "tiny", device="cpu", engine="torch")
    report = run(config, on_progress=steps.append)
    counts = [step.frames for step in steps]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert set(counts) <= set(range(6))
    assert counts[-2:] == [5, 5]
    assert steps[-2].expected == 5
    assert steps[-1].report == report.files[0]
    assert set(report.files[0].stages) == {
        "decoding",
        "painting",
        "following motion",
        "steadying",
        "encoding",
        "joining",
    }


def test_a_tier_that_is_not_trained_is_said_once_and_the_other_one_runs(
    make_clip: MakeClip,
) -> None:
    said: list[str] = []
    clips = make_clip("a.mp4", frames=2), make_clip("b.mp4", frames=2)
    config = RunConfig(clips, "tiny", tier="best", device="cpu", engine="torch")
    report = run(config, on_note=said.append)
    assert [note for note in said if "best" in note] == [
        "tiny has no best tier yet: painting with fast"
    ]
    assert {file.tier for file in report.files} == {"fast"}
    assert tuple(said) == report.notes


def test_the_report_is_json(make_clip: MakeClip) -> None:
    report = paint(make_clip(frames=3))
    plain = json.loads(json.dumps(report.to_json()))
    assert plain["exit_code"] == 0
    assert plain["files"][0]["frames"] == 3
    assert plain["files"][0]["limiting"] in plain["files"][0]["stages"]


def test_an_unknown_style_is_refused_before_inputs_are_read(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="tiny"):
        paint(tmp_path / "missing.mp4", style="tinny")


class Fault(Exception):
    pass


def fails_in_decoding(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*args: Any, **options: Any) -> Iterator[Frame]:
        yield from list(read_frames(*args, **options))[:3]
        raise error

    monkeypatch.setattr(clip_module, "read_frames", broken)


def fails_in_painting(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object) -> Any:
        raise error

    monkeypatch.setattr("vidstyle.stylizers.torch_engine.TorchEngine.begin", broken)


def fails_in_steadying(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(*_: object) -> Any:
        raise error

    monkeypatch.setattr("vidstyle.coherence.blend.Steadier.hold", broken)


def fails_in_encoding(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    original = segments_module.encode_track

    def broken(frames: Iterable[Frame], path: Path, *args: Any, **options: Any) -> Any:
        def some() -> Iterator[Frame]:
            for number, frame in enumerate(frames):
                if number == 3:
                    raise error
                yield frame

        return original(some(), path, *args, **options)

    monkeypatch.setattr(segments_module, "encode_track", broken)


def fails_in_joining(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    original = clip_module.mux

    def broken(*args: Any, **options: Any) -> Any:
        original(*args, **options)
        raise error

    monkeypatch.setattr(clip_module, "mux", broken)


@pytest.mark.parametrize("error", [Fault(), KeyboardInterrupt(), ResourceError("disk full")])
@pytest.mark.parametrize(
    "fault",
    [
        fails_in_decoding,
        fails_in_painting,
        fails_in_steadying,
        fails_in_encoding,
        fails_in_joining,
    ],
)
def test_a_fault_touches_nothing_and_leaves_what_is_finished_at_most(
    make_clip: MakeClip,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch, BaseException], None],
    error: BaseException,
) -> None:
    clip = make_clip(frames=8)
    before = clip.read_bytes()
    output = clip.with_name("clip.tiny.mp4")
    output.write_bytes(b"an older painting")
    fault(monkeypatch, error)
    with pytest.raises(type(error)):
        paint(clip, overwrite=True)
    kept = {".clip.tiny.mp4.part"} if fault is fails_in_joining else set()
    assert names(clip.parent) == {"clip.mp4", "clip.tiny.mp4"} | kept
    assert output.read_bytes() == b"an older painting"
    assert clip.read_bytes() == before


def test_a_decoder_that_fails_in_one_of_several_inputs_is_a_failure_of_that_one(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = make_clip("a.mp4", frames=4), make_clip("b.mp4", frames=4)
    original = clip_module.read_frames

    def broken(info: Any, **options: Any) -> Iterator[Frame]:
        if info.path.name == "a.mp4":
            raise InputError("a.mp4 is damaged")
        yield from original(info, **options)

    monkeypatch.setattr(clip_module, "read_frames", broken)
    report = paint(*clips)
    assert [file.input.name for file in report.files] == ["b.mp4"]
    assert [failure.error for failure in report.failures] == ["a.mp4 is damaged"]


@pytest.mark.parametrize(
    ("stage", "place"),
    [
        ("painting", "vidstyle.stylizers.torch_engine.TorchEngine.begin"),
        ("joining", "vidstyle.jobs.painting.clip.mux"),
    ],
)
def test_a_stage_that_hangs_is_named_and_the_run_ends(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, stage: str, place: str
) -> None:
    clip, leave = make_clip(frames=8), threading.Event()

    def hangs(*args: Any, **_: object) -> Any:
        leave.wait(60)
        return args[-1]

    monkeypatch.setattr(place, hangs)
    monkeypatch.setattr("vidstyle.jobs.painting.stopwatch._FIRST", 0.3)
    monkeypatch.setattr("vidstyle.jobs.prefetch.PATIENCE", 0.1)
    before = threading.active_count()
    with pytest.raises(ResourceError, match=f"{stage} hangs"):
        paint(clip)
    kept = {".clip.tiny.mp4.part"} if stage == "joining" else set()
    assert names(clip.parent) == {"clip.mp4"} | kept
    leave.set()
    for thread in threading.enumerate():
        if thread.name == "vidstyle-stage":
            thread.join(5)
    assert threading.active_count() == before


@pytest.mark.usefixtures("one_core")
def test_what_takes_long_gives_signs_of_life(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame in tiles, and the way to a part of a long clip, may take many minutes."""
    signs: list[Any] = []
    begin = TorchEngine.begin

    def slowly(engine: TorchEngine, batch: Any) -> Any:
        time.sleep(0.05)
        return begin(engine, batch)

    monkeypatch.setattr(TorchEngine, "begin", slowly)
    monkeypatch.setattr("vidstyle.jobs.prefetch.POLL", 0.01)
    monkeypatch.setattr(
        "vidstyle.jobs.painting.stopwatch.Watchdog.look",
        lambda _, sign=None: signs.append(sign),
    )
    paint(make_clip(frames=12), start=Fraction(1, 5))
    passed, pulses = zip(*(sign for sign in signs if isinstance(sign, tuple)), strict=True)
    assert max(passed) == 5, "frames before the part"
    assert len(set(pulses)) > 2


@pytest.mark.parametrize("suffix", ["mp4", "gif", "%d.png"])
def test_joining_ends_with_the_run(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    clip, joining = make_clip(frames=8), threading.Event()
    original = clip_module.mux

    def slow(*args: Any, on_packet: Callable[[], None], **options: Any) -> Any:
        def step() -> None:
            joining.set()
            time.sleep(0.05)
            on_packet()

        return original(*args, on_packet=step, **options)

    def interrupt(*_: object) -> None:
        if joining.is_set():
            raise KeyboardInterrupt

    monkeypatch.setattr(clip_module, "mux", slow)
    monkeypatch.setattr("vidstyle.jobs.prefetch.POLL", 0.01)
    monkeypatch.setattr("vidstyle.jobs.painting.stopwatch.Watchdog.look", interrupt)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        paint(clip, output=clip.with_name(f"out.{suffix}"))
    assert threading.active_count() == before
    assert [file.name for file in clip.with_name(f".out.{suffix}.part").glob("out*")] == []
