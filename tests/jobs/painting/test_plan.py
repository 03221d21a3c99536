"""What is read and written, settled before anything is painted."""

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.plan import (
    BYTES_A_PIXEL,
    BYTES_A_PIXEL_WITHOUT_LOSS,
    Plan,
    Task,
    make_plan,
)
from vidstyle.types import EncodeOptions, Limits
from vidstyle.video.images import write_image
from vidstyle.video.info import probe

MakeClip = Callable[..., Path]


def plan(*inputs: Path, output: Path | None = None, **options: Any) -> Plan:
    return make_plan(RunConfig(inputs, "monet", output, **options), "monet")


def outputs(result: Plan) -> list[str]:
    return [task.output.name for task in result.tasks]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("clip.mp4", "clip.monet.mp4"),
        ("clip.mov", "clip.monet.mov"),
        ("clip.mkv", "clip.monet.mkv"),
        ("clip.avi", "clip.monet.mp4"),
        ("a.b c.mp4", "a.b c.monet.mp4"),
        ("-y.mp4", "-y.monet.mp4"),
    ],
)
def test_the_output_is_beside_the_input(make_clip: MakeClip, name: str, output: str) -> None:
    clip = make_clip(name, frames=2, sound=False)
    result = plan(clip)
    assert [task.output for task in result.tasks] == [clip.parent / output]


def test_pictures_become_pictures(picture: Path) -> None:
    other = picture.with_name("scan.webp")
    Image.open(picture).save(other)
    result = plan(picture, other)
    assert outputs(result) == ["photo.monet.jpg", "scan.monet.png"]
    assert [task.info for task in result.tasks] == [None, None]


@pytest.mark.parametrize(("name", "output"), [("a_%03d.png", "a"), ("%d.png", "frames")])
def test_a_sequence_is_called_by_its_name_or_its_folder_s(
    tmp_path: Path, picture: Path, name: str, output: str
) -> None:
    (tmp_path / "frames").mkdir()
    for number in range(3):
        Image.open(picture).save(tmp_path / "frames" / (name % number))
    result = plan(tmp_path / "frames" / name, rate=Fraction(24))
    assert outputs(result) == [f"{output}.monet.mp4"]
    assert result.tasks[0].info is not None
    assert result.tasks[0].info.average_rate == 24


def test_a_sequence_in_the_working_folder_is_called_by_that_folder_s_name(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path says nothing of it."""
    (tmp_path / "frames").mkdir()
    monkeypatch.chdir(tmp_path / "frames")
    Image.open(picture).save("0.png")
    assert outputs(plan(Path("%d.png"))) == ["frames.monet.mp4"]


def test_beside_a_clip_of_its_name_a_sequence_keeps_it(
    tmp_path: Path, make_clip: MakeClip, picture: Path
) -> None:
    """Whole, it would have the place for the number in it."""
    clip = make_clip("a.mp4", frames=2)
    Image.open(picture).save(tmp_path / "a_0.png")
    assert outputs(plan(clip, tmp_path / "a_%d.png")) == ["a.mp4.monet.mp4", "a.monet.mp4"]


def test_a_folder_is_expanded_in_order_without_what_is_no_media(
    tmp_path: Path, make_clip: MakeClip, picture: Path
) -> None:
    make_clip("b.mp4", frames=2)
    make_clip("a.mkv", frames=2)
    make_clip(".hidden.mp4", frames=2)
    (tmp_path / "notes.txt").write_text("not for painting")
    (tmp_path / "sub").mkdir()
    result = plan(tmp_path)
    assert outputs(result) == ["a.monet.mkv", "b.monet.mp4", "photo.monet.jpg"]
    assert f"{tmp_path}: left out what looks like no clip or picture: notes.txt" in result.notes


def test_rarer_clips_and_moving_pictures_of_a_folder_are_painted(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    for name in ("a.nut", "b.mxf", "c.VOB"):
        make_clip("clip.mp4", frames=2).rename(tmp_path / name)
    moving = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    moving[0].save(tmp_path / "d.png", save_all=True, append_images=moving[1:])
    (tmp_path / "empty.png").touch()
    assert len(plan(tmp_path).tasks) == 4


def test_what_vidstyle_painted_itself_is_left_out_of_a_folder(
    tmp_path: Path, picture: Path
) -> None:
    write_image(tmp_path / "photo.ukiyo.png", np.zeros((9, 9, 3), np.uint8), {"style": "ukiyo"})
    result = plan(tmp_path)
    assert outputs(result) == ["photo.monet.jpg"]
    assert "left out 1" in result.notes[0]


def test_a_folder_without_media_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clip or picture"):
        plan(tmp_path)


def test_an_input_named_twice_is_painted_once(
    tmp_path: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_clip(frames=2)
    monkeypatch.chdir(tmp_path)
    assert len(plan(clip, tmp_path, Path("clip.mp4")).tasks) == 1


def test_a_link_to_itself_is_no_input_and_an_output_like_any(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match=r"loop\.mp4"):
        plan(loop)
    assert outputs(plan(make_clip(frames=2), output=loop)) == ["loop.mp4"]


def test_inputs_that_would_share_an_output_lend_it_their_whole_names(
    tmp_path: Path, make_clip: MakeClip
) -> None:
    clips = make_clip("clip.mp4", frames=2), make_clip("clip.avi", frames=2, sound=False)
    make_clip("other.mp4", frames=2)
    assert outputs(plan(*clips)) == ["clip.mp4.monet.mp4", "clip.avi.monet.mp4"]
    assert outputs(plan(tmp_path)) == [
        "clip.avi.monet.mp4",
        "clip.mp4.monet.mp4",
        "other.monet.mp4",
    ]


def test_a_finished_painting_keeps_its_name_when_one_of_its_stem_joins_it(
    make_clip: MakeClip,
) -> None:
    clips = make_clip("clip.mp4", frames=2), make_clip("clip.avi", frames=2, sound=False)
    painted = clips[0].with_name("clip.monet.mp4")
    painted.touch()
    result = make_plan(
        RunConfig(clips, "monet"), "monet", lambda t: (t.input, t.output) == (clips[0], painted)
    )
    assert (outputs(result), result.done) == (["clip.avi.monet.mp4"], (painted,))


def test_two_folders_into_one_clash_by_name(tmp_path: Path, make_clip: MakeClip) -> None:
    for name in ("one", "two", "out"):
        (tmp_path / name).mkdir()
    clips = [make_clip(frames=2, folder=tmp_path / name) for name in ("one", "two")]
    with pytest.raises(UsageError, match="both"):
        plan(*clips, output=tmp_path / "out")


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_output_is_never_an_input(tmp_path: Path, make_clip: MakeClip, overwrite: bool) -> None:
    clip = make_clip(frames=2)
    link = tmp_path / "link.mp4"
    os.link(clip, link)
    for output in (clip, link, tmp_path / "." / "clip.mp4"):
        with pytest.raises(UsageError, match="is an input"):
            plan(clip, output=output, overwrite=overwrite)


def test_an_output_that_is_another_input_of_the_run(make_clip: MakeClip) -> None:
    clips = make_clip("a.mp4", frames=2), make_clip("a.monet.mp4", frames=2)
    with pytest.raises(UsageError, match="is an input"):
        plan(*clips, overwrite=True)


def test_an_output_that_exists_needs_overwrite(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(frames=2)
    (tmp_path / "clip.monet.mp4").write_text("precious")
    with pytest.raises(UsageError, match=r"exists already.*-y"):
        plan(clip)
    assert outputs(plan(clip, overwrite=True)) == ["clip.monet.mp4"]
    assert (tmp_path / "clip.monet.mp4").read_text() == "precious"


def test_numbered_pictures_that_exist_need_overwrite_and_are_never_the_input(
    tmp_path: Path, make_clip: MakeClip, picture: Path
) -> None:
    clip, pictures = make_clip(), tmp_path / "p%03d.png"
    (task,) = plan(clip, output=pictures).tasks
    assert (task.container, task.numbered) == ("png", True)
    Image.open(picture).save(tmp_path / "p012.png")
    with pytest.raises(UsageError, match=r"p012\.png: exists already; overwrite it with -y"):
        plan(clip, output=pictures)
    assert plan(clip, output=pictures, overwrite=True).tasks
    with pytest.raises(UsageError, match="is an input of this run"):
        plan(pictures, output=pictures, overwrite=True)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("p%04d", {}, "change the suffix"),
        ("p%04d.tiff", {}, "change the suffix"),
        ("p%4d.png", {}, "change the suffix"),
        ("100%_%d.png", {}, "change the suffix"),
        ("%d_%d.png", {}, "change the suffix"),
        ("p%d.png", {"encode": EncodeOptions(crf=3)}, "leave out --codec"),
    ],
)
def test_numbered_pictures_that_cannot_be_written(
    tmp_path: Path, make_clip: MakeClip, name: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        plan(make_clip(), output=tmp_path / name, **options)


def test_a_single_picture_is_not_numbered(picture: Path) -> None:
    with pytest.raises(UsageError, match="is a single one"):
        plan(picture, output=picture.with_name("p%d.png"))


@pytest.mark.parametrize("name", ["my%20dog.mp4", "50%d.mp4"])
def test_names_with_a_percent_sign_are_names(make_clip: MakeClip, name: str) -> None:
    clip = make_clip(name)
    (task,) = plan(clip).tasks
    assert (task.numbered, task.output.name) == (False, f"{clip.stem}.monet.mp4")
    (named,) = plan(clip, output=clip.with_name(f"other.{name}")).tasks
    assert not named.numbered


def test_a_folder_may_be_called_like_numbered_pictures(tmp_path: Path, make_clip: MakeClip) -> None:
    folder = tmp_path / "p%d.png"
    folder.mkdir()
    (task,) = plan(make_clip(), output=folder).tasks
    assert (task.numbered, task.output) == (False, folder / "clip.monet.mp4")


def test_the_folder_of_numbered_pictures_is_made(tmp_path: Path, make_clip: MakeClip) -> None:
    assert plan(make_clip(), output=tmp_path / "painted" / "%04d.png").tasks
    assert (tmp_path / "painted").is_dir()


def test_a_folder_or_a_device_is_never_overwritten(tmp_path: Path, make_clip: MakeClip) -> None:
    clip = make_clip(frames=2)
    (tmp_path / "clip.monet.mp4").mkdir()
    with pytest.raises(UsageError, match="no plain file"):
        plan(clip, overwrite=True)
    with pytest.raises(UsageError, match="is a file"):
        plan(clip, output=Path("/dev/null"), overwrite=True)


def test_dash_o_names_a_file_a_folder_or_a_new_folder(tmp_path: Path, make_clip: MakeClip) -> None:
    clip, folder = make_clip(frames=2), tmp_path / "there.d"
    folder.mkdir()
    assert plan(clip, output=tmp_path / "x.MKV").tasks[0].container == "mkv"
    assert plan(clip, output=folder).tasks[0].output == folder / "clip.monet.mp4"
    assert plan(clip, output=tmp_path / "new").tasks[0].output.parent.is_dir()


def test_several_inputs_need_a_folder(make_clip: MakeClip, tmp_path: Path) -> None:
    clips = make_clip("a.mp4", frames=2), make_clip("b.mp4", frames=2)
    with pytest.raises(UsageError, match="several"):
        plan(*clips, output=tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["clip.avi", "clip.txt", "clip.png"])
def test_a_suffix_that_cannot_be_written(make_clip: MakeClip, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.mp4, \.mov, \.mkv"):
        plan(make_clip("a.mp4", frames=2), output=tmp_path / name)


def test_a_folder_that_is_not_there(make_clip: MakeClip, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="/no: there is no such folder"):
        plan(make_clip(frames=2), output=tmp_path / "no" / "where" / "x.mp4")


def test_a_folder_is_made_but_not_the_one_that_it_lies_in(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(frames=2)
    assert plan(clip, output=tmp_path / "new").tasks[0].output.parent.is_dir()
    with pytest.raises(UsageError, match="no such folder"):
        plan(clip, output=tmp_path / "no" / "where")


def test_a_folder_that_cannot_be_written(make_clip: MakeClip) -> None:
    with pytest.raises(ResourceError, match="cannot write"):
        plan(make_clip(frames=2), output=Path("/proc/x.mp4"))


def test_a_disk_that_may_fill_is_told_of(
    make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = make_clip("a.mp4", frames=20), make_clip("b.mp4", frames=10)
    sizes = [probe(clip).height * probe(clip).width * BYTES_A_PIXEL for clip in clips]
    needed = 20 * sizes[0] + 10 * sizes[1] + 20 * sizes[0]

    def notes(free: float) -> tuple[str, ...]:
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr("vidstyle.jobs.painting.plan.shutil.disk_usage", lambda _: usage)
        return plan(*clips).notes

    assert notes(needed + 1) == ()
    (note,) = notes(needed - 1)
    assert str(clips[0].parent) in note
    assert "may be needed" in note


@pytest.mark.parametrize(
    ("options", "bytes_needed"),
    [
        ({}, 20 * 64 * 48 * BYTES_A_PIXEL),
        ({"start": Fraction(1, 5)}, 15 * 64 * 48 * BYTES_A_PIXEL),
        ({"start": Fraction(1, 5), "duration": Fraction(2, 5)}, 10 * 64 * 48 * BYTES_A_PIXEL),
        ({"output": Path("p%d.png")}, 20 * 64 * 48 * BYTES_A_PIXEL_WITHOUT_LOSS),
    ],
)
def test_room_is_asked_for_what_will_be_painted(
    make_clip: MakeClip,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    bytes_needed: float,
) -> None:
    """Twice, for segments lie beside the output while they are joined."""
    clip = make_clip(frames=20)
    monkeypatch.chdir(clip.parent)

    def notes(free: float) -> tuple[str, ...]:
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr("vidstyle.jobs.painting.plan.shutil.disk_usage", lambda _: usage)
        return plan(clip, **options).notes

    assert notes(2 * bytes_needed + 1) == ()
    assert "may be needed" in notes(2 * bytes_needed - 1)[0]


def test_what_is_painted_already_is_painted_anew_when_told_to(make_clip: MakeClip) -> None:
    clip = make_clip(frames=2)
    config = RunConfig((clip,), "monet", overwrite=True)
    result = make_plan(config, "monet", is_done=lambda _: True)
    assert (outputs(result), result.done) == (["clip.monet.mp4"], ())


def test_what_another_run_finishes_while_the_plan_is_made_is_left_to_its_turn(
    make_clip: MakeClip,
) -> None:
    clip = make_clip(frames=2)
    output = clip.with_name("clip.monet.mp4")

    def is_done(task: Task) -> bool:
        there = output.exists()
        output.touch()  # as soon as it has been looked for
        return there

    result = make_plan(RunConfig((clip,), "monet"), "monet", is_done)
    assert (outputs(result), result.done) == (["clip.monet.mp4"], ())


def test_names_that_are_too_long_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        plan(tmp_path / ("a" * 300))


def test_encoder_options_are_tried_before_painting(make_clip: MakeClip) -> None:
    with pytest.raises(UsageError, match="codec"):
        plan(make_clip(frames=2), encode=EncodeOptions(codec="libx999"))


def test_hdr_can_be_refused(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(frames=2)
    info = probe(clip)
    hdr = replace(info, colour=replace(info.colour, transfer="smpte2084"))
    monkeypatch.setattr("vidstyle.jobs.painting.plan.probe", lambda *_, **__: hdr)
    assert plan(clip).tasks[0].info == hdr
    with pytest.raises(InputError, match=r"HDR \(PQ\); --hdr map"):
        plan(clip, hdr="refuse")
    with pytest.raises(UsageError, match="hdr must be"):
        plan(clip, hdr="keep")


def test_limits_hold_for_clips_and_pictures(make_clip: MakeClip, picture: Path) -> None:
    for path in (make_clip(frames=2), picture):
        with pytest.raises(InputError, match="--limit pixels="):
            plan(path, limits=Limits(pixels=500))


def test_a_single_broken_input_raises(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"x" * 1000)
    with pytest.raises(InputError, match=r"broken\.mp4"):
        plan(tmp_path / "broken.mp4")


def test_a_broken_one_among_several_is_a_failure(tmp_path: Path, make_clip: MakeClip) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"x" * 1000)
    make_clip(frames=2)
    for inputs in ([tmp_path], [tmp_path / "clip.mp4", tmp_path / "broken.mp4"]):
        result = plan(*inputs)
        assert outputs(result) == ["clip.monet.mp4"]
        assert [(failure.input.name, failure.exit_code) for failure in result.failures] == [
            ("broken.mp4", 3)
        ]


def test_a_picture_that_calls_itself_a_clip_is_a_mistake(picture: Path) -> None:
    path = picture.rename(picture.with_name("photo.mp4"))
    with pytest.raises(InputError, match="picture"):
        plan(path)


def test_folders_inside_a_folder_are_told_of(tmp_path: Path, make_clip: MakeClip) -> None:
    make_clip(frames=2)
    assert plan(tmp_path).notes == ()
    for name in ("day 1", "day 2", ".hidden"):
        (tmp_path / name).mkdir()
    (note,) = plan(tmp_path).notes
    assert note == f"{tmp_path}: left out 2 folders inside; name what is to be painted as well"
    (note,) = plan(tmp_path, output=tmp_path / "day 1").notes
    assert "left out 1 folder inside" in note


@pytest.mark.parametrize("pattern", ["shot 2_%03d.png", "f%d.png"])
def test_a_folder_of_numbered_pictures_is_told_how_to_be_a_clip(
    tmp_path: Path, pattern: str
) -> None:
    for number in range(1, 25):
        Image.new("RGB", (8, 8)).save(tmp_path / (pattern % number))
    Image.new("RGB", (8, 8)).save(tmp_path / "photo 7.jpg")
    (note,) = plan(tmp_path).notes
    said = "24 numbered pictures are painted each for itself; as one clip:"
    assert note == f"{tmp_path}: {said} {tmp_path / pattern}"


def test_numbers_with_gaps_are_no_clip(tmp_path: Path) -> None:
    for number in range(0, 100, 2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"photo {number:03}.png")
    assert plan(tmp_path).notes == ()


def test_a_rate_is_for_numbered_pictures(make_clip: MakeClip) -> None:
    with pytest.raises(UsageError, match="a clip keeps its own frame rate"):
        plan(make_clip(frames=2), rate=Fraction(12))


@pytest.mark.parametrize(("codec", "most"), [("libx264", 51), ("libx265", 51), ("libsvtav1", 63)])
def test_a_quality_that_an_encoder_does_not_know(
    make_clip: MakeClip, codec: str, most: int
) -> None:
    clip = make_clip(frames=2)
    assert plan(clip, encode=EncodeOptions(codec, most)).tasks
    with pytest.raises(UsageError, match=f"{codec} knows a crf of 0 to {most}, not {most + 1}"):
        plan(clip, encode=EncodeOptions(codec, most + 1))
