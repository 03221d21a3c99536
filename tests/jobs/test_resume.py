"""A run that was stopped goes on, and ends in the file that an unbroken run writes."""

import errno
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import av
import pytest
from _pytest.monkeypatch import derive_importpath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidstyle.errors import ResourceError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting import clip as clip_module
from vidstyle.jobs.painting import segments as segments_module
from vidstyle.jobs.painting.identity import identity
from vidstyle.jobs.painting.journal import Journal, remembered
from vidstyle.jobs.painting.report import RunReport
from vidstyle.jobs.publish import JOURNAL
from vidstyle.jobs.run import run
from vidstyle.jobs.style import Style, load_style
from vidstyle.stylizers.torch_engine import TorchEngine
from vidstyle.types import EncodeOptions, Frame
from vidstyle.video.bars import Bars
from vidstyle.video.write import EncodeSummary

MakeClip = Callable[..., Path]
MakeStyle = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("tiny_style", "short_segments", "one_core")
FRAMES, SEGMENT = 23, 5


class Fault(Exception):
    """What the tests inject."""


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_module, "segment_length", lambda *_: SEGMENT)


@pytest.fixture
def clip(make_clip: MakeClip) -> Path:
    return make_clip(frames=FRAMES)


def paint(clip: Path, **options: Any) -> RunReport:
    options = {"device": "cpu", "engine": "torch", "style": "tiny"} | options
    return run(RunConfig((clip,), **options))


def part_of(clip: Path) -> Path:
    return clip.with_name(".clip.tiny.mp4.part")


PAINTED: dict[tuple[bytes, float], bytes] = {}
"""What one go makes of a clip at a consistency."""


def unbroken(clip: Path, consistency: float = 0.8) -> bytes:
    """What one go writes; it is removed again, and made only once for all tests."""
    key = clip.read_bytes(), consistency
    if key not in PAINTED:
        output = paint(clip, consistency=consistency).files[0].output
        PAINTED[key] = output.read_bytes()
        output.unlink()
    return PAINTED[key]


def fails_at(monkeypatch: pytest.MonkeyPatch, frame: int, error: BaseException) -> None:
    """The blend fails as it is given this frame of the clip, and only this once."""
    original = segments_module.KeptBlender.hold

    def step(self: Any, *args: Any) -> Any:
        if self._steps == frame:
            monkeypatch.setattr(segments_module.KeptBlender, "hold", original)
            raise error
        return original(self, *args)

    monkeypatch.setattr(segments_module.KeptBlender, "hold", step)


@pytest.mark.parametrize("frame", [0, 4, 5, 11, 22])
def test_it_goes_on_to_the_very_same_file(
    clip: Path, monkeypatch: pytest.MonkeyPatch, frame: int
) -> None:
    whole = unbroken(clip)
    fails_at(monkeypatch, frame, Fault())
    with pytest.raises(Fault):
        paint(clip)
    kept = frames_kept(clip)
    assert kept in (0, *range(frame - frame % SEGMENT - SEGMENT, frame + 1, SEGMENT))
    report = paint(clip)
    assert report.files[0].output.read_bytes() == whole
    assert (report.files[0].frames, report.files[0].resumed) == (FRAMES, kept)
    assert not part_of(clip).exists()


def test_segments_side_by_side_make_the_very_same_file(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = unbroken(clip)
    monkeypatch.setattr(segments_module, "encoders", lambda *_: 3)
    original, together = segments_module.encode_track, Barrier(3)

    def all_at_once(frames: Iterator[Frame], *args: Any, **options: Any) -> EncodeSummary:
        first = next(frames)
        with suppress(BrokenBarrierError):  # the last ones are too few, and wait for no others
            together.wait(timeout=30)
        return original(itertools.chain((first,), frames), *args, **options)

    monkeypatch.setattr(segments_module, "encode_track", all_at_once)
    fails_at(monkeypatch, 18, Fault())
    with pytest.raises(Fault):
        paint(clip)
    assert not together.broken  # three segments were encoded at once
    together.abort()
    assert paint(clip).files[0].output.read_bytes() == whole


@pytest.mark.parametrize("failing", [0, 2])
def test_an_encoder_that_fails_beside_others_ends_the_run(
    clip: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    whole = unbroken(clip)
    monkeypatch.setattr(segments_module, "encoders", lambda *_: 3)
    original = segments_module.encode_track

    def fails(frames: Iterator[Frame], path: Path, *args: Any, **options: Any) -> EncodeSummary:
        if path.stem.endswith(str(failing)):
            raise ResourceError("the disk is full")
        return original(frames, path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(segments_module, "encode_track", fails)
        with pytest.raises(ResourceError, match="disk is full"):
            paint(clip)
    assert frames_kept(clip) <= failing * SEGMENT
    assert paint(clip).files[0].output.read_bytes() == whole


def test_progress_begins_with_the_frames_of_the_earlier_try(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, steps = broken_off(clip, monkeypatch), []
    config = RunConfig((clip,), "tiny", device="cpu", engine="torch")
    run(config, on_progress=lambda step: steps.append(step.frames))
    assert kept > 0
    assert min(steps[1:]) >= kept


def test_tensors_go_on_too_with_the_batch_of_the_first_try(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, whose free memory is another one each time."""
    on_arrays = unbroken(clip)
    monkeypatch.setattr(Style, "tensors_on", "cpu")
    batches: list[int] = []
    original = TorchEngine.begin

    def noted(self: TorchEngine, frames: Any) -> Any:
        assert isinstance(frames, Tensor)
        batches.append(len(frames))
        return original(self, frames)

    monkeypatch.setattr(TorchEngine, "begin", noted)
    monkeypatch.setattr(Style, "batch", lambda *_: 2)
    output = paint(clip).files[0].output
    whole = output.read_bytes()
    output.unlink()
    kept = broken_off(clip, monkeypatch)
    monkeypatch.setattr(Style, "batch", lambda *_: 3)
    assert paint(clip).files[0].output.read_bytes() == whole
    assert kept > 0
    assert set(batches) == {2}
    assert whole != on_arrays  # it follows motion otherwise than the CPU does


def frames_kept(clip: Path) -> int:
    """By the journal; without one, there must be no folder either."""
    if not part_of(clip).exists():
        return 0
    body = json.loads((part_of(clip) / JOURNAL).read_text().partition("\n")[2])
    kept = sum(segment["frames"] for segment in body["segments"])
    assert kept > 0
    return int(kept)


def broken_off(clip: Path, monkeypatch: pytest.MonkeyPatch, frame: int = 18, **options: Any) -> int:
    """A try that fails; the frames that it leaves finished."""
    fails_at(monkeypatch, frame, Fault())
    with pytest.raises(Fault):
        paint(clip, **options)
    return frames_kept(clip)


def test_a_large_brush_goes_on_as_well(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = paint(clip, brush=1.7).files[0].output.read_bytes()
    clip.with_name("clip.tiny.mp4").unlink()
    assert broken_off(clip, monkeypatch, brush=1.7) > 0
    assert paint(clip, brush=1.7).files[0].output.read_bytes() == whole


def test_it_can_be_stopped_many_times(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = unbroken(clip)
    kept = [broken_off(clip, monkeypatch, frame) for frame in (9, 14, 21)]
    assert kept == sorted(kept)
    assert paint(clip).files[0].output.read_bytes() == whole


def test_time_goes_on_from_segment_to_segment(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that repeat a time move behind the one before, also where a segment begins."""
    original = clip_module.read_frames

    def in_pairs(*args: Any, **options: Any) -> Iterator[Frame]:
        for number, frame in enumerate(original(*args, **options)):
            yield replace(frame, pts=512 * (number // 2), duration=0)

    monkeypatch.setattr(clip_module, "read_frames", in_pairs)
    (file,) = paint(clip).files
    assert f"repeats a time stamp; {FRAMES // 2} frames moved behind the one before" in file.notes
    with av.open(str(file.output)) as painted:
        ticks = [frame.pts for frame in painted.decode(video=0)]
    assert ticks == [512 * (number // 2) + number % 2 for number in range(FRAMES)]


def test_frames_of_one_time_go_on_one_behind_the_other(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind where the last one of the earlier try was put, which is not its own time."""
    original = clip_module.read_frames

    def standing(*args: Any, **options: Any) -> Iterator[Frame]:
        for number, frame in enumerate(original(*args, **options)):
            yield replace(frame, pts=512 * min(number, 3), duration=0)

    monkeypatch.setattr(clip_module, "read_frames", standing)
    output = paint(clip).files[0].output
    whole = output.read_bytes()
    output.unlink()
    assert broken_off(clip, monkeypatch) > 0
    assert paint(clip).files[0].output.read_bytes() == whole


def test_what_is_kept_and_what_is_gone_on_with_is_said(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    config = RunConfig((clip,), "tiny", device="cpu", engine="torch")
    fails_at(monkeypatch, 18, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(config, on_note=said.append)
    kept = frames_kept(clip)
    run(config, on_note=said.append)
    assert said == [
        f"{clip}: {kept} frames are kept: the same command goes on",
        f"{clip}: goes on after {kept} frames that an earlier try painted",
    ]


def test_who_stops_before_anything_is_kept_is_told(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    fails_at(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(RunConfig((clip,), "tiny", device="cpu", engine="torch"), on_note=said.append)
    assert said == [f"{clip}: nothing is kept before the first {SEGMENT} frames"]


def test_only_what_counts_is_left_in_the_folder(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = broken_off(clip, monkeypatch) // SEGMENT - 1
    segments = {f"{number:05}.nut" for number in range(last + 1)}
    found = {path.name for path in part_of(clip).iterdir()}
    assert found == {JOURNAL, f"{last:05}.memory"} | segments


def test_each_frame_painted_for_itself_goes_on_too(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = unbroken(clip, consistency=0.0)
    with monkeypatch.context() as patch:
        fails_in(patch, "vidstyle.stylizers.torch_engine.TorchEngine.begin", call=18, error=Fault())
        with pytest.raises(Fault):
            paint(clip, consistency=0.0)
    assert frames_kept(clip) in (5, 10, 15)
    assert not list(part_of(clip).glob("*.memory"))
    assert paint(clip, consistency=0.0).files[0].output.read_bytes() == whole


def fails_in(
    patch: pytest.MonkeyPatch, name: str, error: BaseException, *, call: int, half: bool = False
) -> None:
    """A function fails the n-th time it is called; half-way: it has done its work already."""
    attribute, owner = derive_importpath(name, raising=True)
    original, calls = getattr(owner, attribute), itertools.count(1)

    def fails(*args: Any, **options: Any) -> Any:
        due = next(calls) == call
        if due and not half:
            raise error
        result = original(*args, **options)
        if due:
            raise error
        return result

    patch.setattr(owner, attribute, fails)


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("place", "call", "half", "kept"),
    [
        ("vidstyle.video.write.YuvWriter.write", 12, False, {0, 5, 10}),
        ("vidstyle.coherence.blend.Steadier.save", 3, True, {0, 5, 10}),
        ("vidstyle.jobs.painting.journal.sync", 1, False, {0}),  # the first segment
        ("vidstyle.jobs.painting.journal.sync", 5, True, {5}),  # the second one
        ("vidstyle.jobs.painting.journal.sync", 7, True, {5}),  # the journal beside the old one
        ("vidstyle.jobs.painting.journal.os.replace", 2, False, {5}),
        ("vidstyle.jobs.painting.journal.sync", 8, False, {10}),  # the folder
        ("vidstyle.video.joining.Joining.write", 1, True, {FRAMES}),
        ("vidstyle.jobs.publish.os.replace", 5 + 1, False, {FRAMES}),
        ("vidstyle.jobs.publish.os.replace", 5 + 1, True, {FRAMES}),
    ],
)
def test_a_full_disk_ends_the_run_and_the_next_goes_on(
    clip: Path, monkeypatch: pytest.MonkeyPatch, place: str, call: int, half: bool, kept: set[int]
) -> None:
    whole = unbroken(clip)
    with monkeypatch.context() as patch:
        fails_in(patch, place, FULL, call=call, half=half)
        with pytest.raises(ResourceError, match=r"disk is full|No space left"):
            paint(clip, overwrite=True)
    assert frames_kept(clip) in kept
    output = paint(clip, overwrite=True).files[0].output
    assert output.read_bytes() == whole
    assert not part_of(clip).exists()


def test_half_an_output_does_not_stay(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as large as the finished segments, and the disk is full."""
    fails_in(monkeypatch, "vidstyle.video.joining.Joining.write", FULL, call=1, half=True)
    with pytest.raises(ResourceError):
        paint(clip)
    assert {path.suffix for path in part_of(clip).iterdir()} == {".json", ".nut"}


def test_another_input_is_refused_until_it_is_begun_anew(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = broken_off(clip, monkeypatch)
    os.utime(clip, ns=(1, 1))
    with pytest.raises(UsageError, match=r"input's time of change was .* --restart"):
        paint(clip)
    assert frames_kept(clip) == kept
    assert paint(clip, restart=True).files[0].resumed == 0
    assert not part_of(clip).exists()


def changed_content(clip: Path) -> None:
    times, content = clip.stat(), bytearray(clip.read_bytes())
    content[-1] ^= 1
    clip.write_bytes(content)
    os.utime(clip, ns=(times.st_atime_ns, times.st_mtime_ns))


def changed_size(clip: Path) -> None:
    clip.write_bytes(clip.read_bytes() + bytes(9))


def changed_style(_: Path) -> None:
    (path,) = Path(os.environ["VIDSTYLE_STYLES"]).iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"!")


CHANGES: list[tuple[Any, str]] = [
    (changed_content, "the input's content has changed"),
    (changed_size, "the input's size was"),
    (changed_style, "the style file has changed"),
    ({"strength": 0.5}, "strength was 1.0 and is now 0.5"),
    ({"keep_colours": True}, "keep colours was off and is now on"),
    ({"brush": 2.0}, "brush was 1.0 and is now 2.0"),
    ({"consistency": 0.5}, "consistency was 0.8 and is now 0.5"),
    ({"start": Fraction(1, 5)}, "start was not given and is now 1/5"),
    ({"duration": Fraction(1, 5)}, "duration was not given and is now 1/5"),
    ({"encode": EncodeOptions(codec="libx265")}, "codec was libx264 and is now libx265"),
    ({"encode": EncodeOptions(crf=30)}, "crf was 18 and is now 30"),
    ({"encode": EncodeOptions(preset="fast")}, "preset was veryfast and is now fast"),
    ({"encode": EncodeOptions(pixel_format="yuv444p")}, "format was yuv420p and is now yuv444p"),
    ({"engine": "openvino"}, "the engine was torch and is now openvino"),
    (
        ("vidstyle.jobs.painting.identity.available_cores", 99),
        "processor cores was .* and is now 99",
    ),
    (("vidstyle.jobs.painting.identity.version", "99"), "av's version was .* and is now 99"),
    (("vidstyle.jobs.style.Style.batch", 2), "painted at a time was 1 and is now 2"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=[named for _, named in CHANGES])
def test_what_has_changed_is_named(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, named: str
) -> None:
    folder = tmp_path / "part"
    folder.mkdir()
    write_journal(folder, facts(clip))
    options: dict[str, Any] = {}
    match change:
        case dict():
            options = change
        case str() as place, value:
            monkeypatch.setattr(place, lambda *_: value)
        case _:
            change(clip)
    with pytest.raises(UsageError, match=named) as caught:
        Journal(folder, Path("clip.mp4"), facts(clip, **options), SEGMENT)
    assert "--restart" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interruption_right_after_the_journal_is_written_costs_nothing(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run does not know yet then that the segment counts, and must not remove it."""
    replace_file, written = os.replace, []

    def stop(source: Path, target: Path) -> None:
        replace_file(source, target)
        if target.name == JOURNAL:
            written.append(target)
            if len(written) == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("vidstyle.jobs.painting.journal.os.replace", stop)
        with pytest.raises(KeyboardInterrupt):
            paint(clip)
    (file,) = paint(clip).files
    assert file.resumed == 2 * SEGMENT
    assert file.output.read_bytes() == unbroken(clip.rename(clip.with_name("again.mp4")))


def facts(clip: Path, engine: str = "torch", **options: Any) -> dict[str, str]:
    style = load_style("tiny", device="cpu")
    config = RunConfig((clip,), "tiny", **options)
    return identity(clip, config, style, engine, Bars(), style.batch(48, 64), SEGMENT)


def test_every_picture_of_a_sequence_counts(tmp_path: Path, tiny_style: str) -> None:
    pictures = [tmp_path / f"f{number}.png" for number in range(3)]
    for number, picture in enumerate(pictures):
        picture.write_bytes(bytes([number]) * 9)
    before = facts(tmp_path / "f%d.png")
    os.utime(pictures[1], ns=(0, pictures[1].stat().st_mtime_ns))
    assert facts(tmp_path / "f%d.png") == before
    pictures[1].write_bytes(b"7" * 9)
    assert facts(tmp_path / "f%d.png")["the input's content"] != before["the input's content"]


def test_every_option_counts_that_may_change_the_painting(clip: Path) -> None:
    """An option that is added later must not be forgotten here."""
    options = {f.name for f in fields(RunConfig)} | {f.name for f in fields(EncodeOptions)}
    counted = {name.replace(" ", "_") for name in facts(clip)}
    # fmt: off
    assert options - counted == {
        "inputs", "output", "style", "tier", "device", "engine", "overwrite", "restart", "encode",
        "limits",
    }
    # fmt: on


def test_a_clip_that_is_read_otherwise_is_refused(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off(clip, monkeypatch)
    original = clip_module.read_frames

    def later(*args: Any, **options: Any) -> Iterator[Frame]:
        return (replace(frame, pts=frame.pts + 1) for frame in original(*args, **options))

    monkeypatch.setattr(clip_module, "read_frames", later)
    with pytest.raises(UsageError, match="read otherwise"):
        paint(clip)


def half_of(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def bit_of(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "harm"),
    [
        (JOURNAL, half_of),
        (JOURNAL, bit_of),
        ("00000.nut", half_of),
        ("00000.nut", bit_of),
        ("00000.nut", Path.unlink),
        ("*.memory", half_of),
        ("*.memory", bit_of),
        ("*.memory", Path.unlink),
    ],
)
def test_damaged_files_are_refused_in_a_line_until_it_is_begun_anew(
    clip: Path, monkeypatch: pytest.MonkeyPatch, file: str, harm: Callable[[Path], None]
) -> None:
    whole = unbroken(clip)
    broken_off(clip, monkeypatch)
    (path,) = part_of(clip).glob(file)
    harm(path)
    with pytest.raises(UsageError, match=r"cannot go on .* add --restart") as caught:
        paint(clip)
    assert "\n" not in str(caught.value)
    assert paint(clip, restart=True).files[0].output.read_bytes() == whole


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_journal_goes_unseen(
    finished: tuple[Path, bytes, Journal], data: st.DataObject
) -> None:
    """Whatever became of it: it is what was written, or it is refused in a line."""
    folder, content, journal = finished
    damaged = data.draw(mutations(content))
    (folder / JOURNAL).write_bytes(damaged)
    if damaged == content:
        assert Journal(folder, Path("clip.mp4"), FACTS, SEGMENT).segments == journal.segments
    else:
        with pytest.raises(UsageError, match="--restart"):
            Journal(folder, Path("clip.mp4"), FACTS, SEGMENT)


FACTS = {"the style file": "abc", "crf": "18"}


@pytest.fixture
def finished(tmp_path: Path) -> tuple[Path, bytes, Journal]:
    """A journal of two segments, its folder and its content."""
    journal = write_journal(tmp_path, FACTS)
    return tmp_path, (tmp_path / JOURNAL).read_bytes(), journal


def write_journal(folder: Path, facts: dict[str, str]) -> Journal:
    journal = Journal(folder, Path("clip.mp4"), facts, SEGMENT)
    for number in range(2):
        journal.segment_path(number).write_bytes(bytes(8))
        journal.add(EncodeSummary(5, 0, 4, 4, 1, "yuv420p", ("a note",)))
    return journal


def mutations(content: bytes) -> st.SearchStrategy[bytes]:
    """Bytes changed, cut off, swapped, or nothing that was there before."""
    places = st.integers(0, len(content) - 1)
    return st.one_of(
        st.binary(max_size=200),
        places.map(lambda end: content[:end]),
        st.tuples(places, st.integers(0, 255)).map(
            lambda p: content[: p[0]] + bytes([p[1]]) + content[p[0] + 1 :]
        ),
        st.tuples(places, places).map(lambda p: content[: p[0]] + content[p[1] :]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
        ).map(signed),
    )


def signed(content: object) -> bytes:
    """A journal with a right checksum that says anything."""
    text = json.dumps(content)
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", signed([]), signed({}), None])
def test_a_journal_that_tells_nothing_remembers_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    """What is wrong with it is said later, when it is taken up; --restart never takes it up."""
    if content is not None:
        (tmp_path / JOURNAL).write_bytes(content)
    assert remembered(tmp_path, "crf") is None


def test_half_of_anything_is_cleared_away(finished: tuple[Path, bytes, Journal]) -> None:
    folder, _, journal = finished
    kept = {path.name for path in folder.iterdir()} | {"00001.memory"}
    for name in ("00001.memory", "00000.memory", "00002.memory", "00002.nut", "clip.mp4"):
        (folder / name).write_text("x")
    journal.tidy()
    assert {path.name for path in folder.iterdir()} == kept
