"""The command as a user meets it: exit codes, one-line messages, and what is left on the disk."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.__main__ import main as command
from vidstyle.cli.main import main
from vidstyle.stylizers.networks import FastNet, build
from vidstyle.stylizers.registry import user_folder
from vidstyle.stylizers.style_file import save_style
from vidstyle.types import Limits, StyleCard
from vidstyle.video.info import probe

MakeClip = Callable[..., Path]
MakeStyle = Callable[..., Path]


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Vidstyle = Callable[..., Result]


@pytest.fixture
def vidstyle(capsys: pytest.CaptureFixture[str], tiny_style: str) -> Vidstyle:
    """Call the command in this process."""

    def call(*args: object) -> Result:
        code = main([str(arg) for arg in args])
        return Result(code, *capsys.readouterr())

    return call


def test_a_run_paints_and_says_so(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip(frames=4)
    result = vidstyle("run", clip, "--style", "tiny", "--engine", "torch")
    assert result.code == 0
    assert result.out == ""
    assert f"painted {clip.with_name('clip.tiny.mp4')}  4 frames" in result.err
    assert probe(clip.with_name("clip.tiny.mp4")).frame_count == 4


def test_json_is_all_there_is_on_standard_output(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    result = vidstyle("run", make_clip(frames=4), "-s", "tiny", "--json", "--engine", "torch")
    report = json.loads(result.out)
    assert report["files"][0]["frames"] == 4
    assert report["exit_code"] == result.code == 0


def test_options_reach_the_job(
    vidstyle: Vidstyle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from vidstyle.jobs import run as run_module
    from vidstyle.jobs.painting.report import RunReport

    seen: list[Any] = []

    def spy(config: Any, **_: object) -> RunReport:
        seen.append(config)
        return RunReport(())

    monkeypatch.setattr(run_module, "run", spy)
    text = (
        "run a.mp4 b.mp4 --style s --strength 0.5 --consistency 0.25 --tier best --start 1:00.5 "
        "--restart --duration 2 -o out -y --device cpu --engine torch --codec libx265 --crf 30 "
        "--preset slow --pix-fmt yuv444p --rate 24 --hdr refuse --limit hours=30 --limit pixels=9 "
        "--reverse --keep-colors --brush 1.5"
    )
    assert vidstyle(*text.split()).code == 0
    (config,) = seen
    assert config.inputs == (Path("a.mp4"), Path("b.mp4"))
    assert (config.style, config.output) == ("s", Path("out"))
    assert (config.overwrite, config.restart) == (True, True)
    assert (config.strength, config.consistency, config.tier) == (0.5, 0.25, "best")
    assert (config.keep_colours, config.brush) == (True, 1.5)
    assert (float(config.start), config.duration) == (60.5, 2)
    assert (config.device, config.engine, config.reverse) == ("cpu", "torch", True)
    encode = config.encode
    assert (encode.codec, encode.crf, encode.preset) == ("libx265", 30, "slow")
    assert encode.pixel_format == "yuv444p"
    assert config.rate == 24
    assert (config.hdr, config.limits) == ("refuse", Limits(pixels=9, hours=30))


def test_an_empty_path_is_not_the_current_folder(vidstyle: Vidstyle) -> None:
    """It is a shell's variable that was never set."""
    result = vidstyle("run", "", "--style", "monet")
    assert result.code == 2
    assert "is empty; name a file or a folder" in result.err


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("This is not a clip.\n" * 50)


def truncated(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])  # the index of an MP4 comes last


def only_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def picture(path: Path) -> None:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(path, format="PNG")


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("spoil", [missing, empty, text, truncated, only_sound, picture])
def test_a_bad_input_is_one_line_and_exit_3(
    vidstyle: Vidstyle, make_clip: MakeClip, spoil: Callable[[Path], None]
) -> None:
    clip = make_clip(frames=4)
    spoil(clip)
    before = {path: path.read_bytes() for path in clip.parent.iterdir()}
    result = vidstyle("run", clip, "--style", "tiny", "--engine", "torch")
    assert result.code == 3
    assert_one_line(result, "clip.mp4")
    assert {path: path.read_bytes() for path in clip.parent.iterdir()} == before


def assert_one_line(result: Result, *words: str) -> None:
    assert result.out == ""
    assert result.err.startswith("vidstyle: ")
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err


def test_an_unknown_style_suggests_near_ones(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    result = vidstyle("run", make_clip(frames=2), "--style", "tinny")
    assert result.code == 6
    assert_one_line(result, "tinny", "tiny")


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\0" * 4096])
def test_a_broken_style_file(
    vidstyle: Vidstyle, make_clip: MakeClip, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "broken.safetensors").write_bytes(content)
    result = vidstyle("run", make_clip(frames=2), "--style", tmp_path / "broken.safetensors")
    assert result.code == 6
    assert_one_line(result, "broken.safetensors")


def test_a_style_cannot_send_the_output_elsewhere(
    vidstyle: Vidstyle, make_clip: MakeClip, make_style: MakeStyle, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    clip = make_clip(frames=2, folder=tmp_path / "deep")
    style = make_style("fine").rename(tmp_path / "evil.safetensors")
    card = StyleCard("x/../../evil", "", "", "", "fast", "FastNet", {"width": 16})
    save_style(style, build(card), [card])
    result = vidstyle("run", clip, "--style", style, "--engine", "torch")
    assert result.code == 6
    assert {path.name for path in tmp_path.iterdir()} == {"deep", "evil.safetensors"}


def test_an_existing_output_stays(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip(frames=2)
    output = clip.with_name("clip.tiny.mp4")
    output.write_text("precious")
    result = vidstyle("run", clip, "--style", "tiny")
    assert result.code == 2
    assert_one_line(result, "clip.tiny.mp4", "-y")
    assert output.read_text() == "precious"


def test_the_input_is_never_overwritten(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip(frames=2)
    before = clip.read_bytes()
    result = vidstyle("run", clip, "--style", "tiny", "-o", clip, "-y")
    assert result.code == 2
    assert_one_line(result, "clip.mp4")
    assert clip.read_bytes() == before


def test_a_place_that_cannot_be_written(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    result = vidstyle("run", make_clip(frames=2), "--style", "tiny", "-o", "/proc/clip.mp4")
    assert result.code == 5
    assert_one_line(result, "/proc")


def test_a_clip_cut_short_is_exit_4(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip("clip.mkv", frames=50, sound=False)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    result = vidstyle("run", clip, "--style", "tiny", "--engine", "torch")
    assert result.code == 4
    assert f"note: {clip}: ends early" in result.err
    again = vidstyle("run", clip, "--style", "tiny", "--engine", "torch", "--json")
    assert again.code == 4
    assert "was painted as far as its input could be read" in again.err
    assert json.loads(again.out)["kept"] == [str(clip.with_name("clip.tiny.mkv"))]


@pytest.mark.parametrize("what", ["missing.mp4", "--style=monett"])
def test_json_tells_of_a_run_that_painted_nothing(
    vidstyle: Vidstyle, make_clip: MakeClip, what: str
) -> None:
    words = [what, "--style=tiny"] if what.endswith("mp4") else [make_clip(frames=2), what]
    result = vidstyle("run", *words, "--json", "--engine", "torch")
    report = json.loads(result.out)
    (failure,) = report["failures"]
    assert (report["files"], failure["input"]) == ([], None)
    assert failure["error"] in result.err
    assert report["exit_code"] == failure["exit_code"] == result.code != 0


def test_the_same_command_once_more_paints_what_is_left(
    vidstyle: Vidstyle, make_clip: MakeClip, picture_file: Path, tmp_path: Path
) -> None:
    make_clip("a.mp4", frames=2)
    command = ["run", tmp_path, "--style", "tiny", "-o", tmp_path / "out", "--engine", "torch"]
    assert vidstyle(*command).code == 0
    outputs = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert len(outputs) == 2
    make_clip("b.mp4", frames=2)
    again = vidstyle(*command)
    assert again.code == 0
    assert "2 inputs are painted already, with these settings; -y paints them anew" in again.err
    assert "b.tiny.mp4  2 frames" in again.err
    assert {path: path.stat().st_mtime_ns for path in outputs} == outputs
    single = vidstyle("run", tmp_path / "a.mp4", *command[2:])
    assert (single.code, single.err.count("\n")) == (0, 1)
    assert "a.tiny.mp4: is painted already, with these settings; -y paints it anew" in single.err
    for other in (["--strength", "0.5"], ["--crf", "30"], ["--duration", "0.04"]):
        refused = vidstyle(*command, *other)
        assert refused.code == 2
        assert_one_line(refused, "exists already")
    make_clip("a.mp4", frames=3)
    assert_one_line(vidstyle(*command), "a.tiny.mp4: exists already")
    assert "painted" in vidstyle(*command, "-y").err


@pytest.fixture
def picture_file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((24, 32, 3), 90, np.uint8)).save(path)
    return path


def test_failures_among_several_inputs_are_told_at_the_end(
    vidstyle: Vidstyle, make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(frames=2)
    empty(tmp_path / "broken.mp4")
    result = vidstyle("run", clip, tmp_path / "broken.mp4", "-s", "tiny", "--engine", "torch")
    assert result.code == 3
    assert result.err.splitlines()[-1].startswith("vidstyle: ")
    assert "broken.mp4" in result.err.splitlines()[-1]


@pytest.mark.parametrize(
    "args",
    [
        ["paint"],
        ["run"],
        ["run", "a.mp4"],
        ["run", "a.mp4", "--style", "tiny", "--style-schedule", "0 tiny"],
        ["run", "a.mp4", "--style-schedule", "tiny"],
        ["run", "a.mp4", "--style", "tiny", "--strength", "1.5"],
        ["run", "a.mp4", "--style", "tiny", "--start", "soon"],
        ["run", "a.mp4", "--style", "tiny", "--tier", "huge"],
        ["run", "a.mp4", "--style", "tiny", "--limit", "pixels=many"],
        ["run", "a.mp4", "--style", "tiny", "--limit", "memory=1"],
        ["run", "a.mp4", "--style", "tiny", "--consitency", "1"],
        ["styles", "--sheet", "a.png"],
        ["train", "--seed", str(2**63)],
        ["train", "--steps", str(10**10)],
    ],
)
def test_a_call_that_makes_no_sense_is_exit_2(vidstyle: Vidstyle, args: list[str]) -> None:
    result = vidstyle(*args)
    assert result.code == 2
    assert_one_line(result, "--help")


def test_no_words_at_all_bring_help(vidstyle: Vidstyle) -> None:
    result = vidstyle()
    assert result.code == 2
    assert "Usage: vidstyle" in result.err


def broken_job(*_: object, **__: object) -> None:
    raise RuntimeError("odd \x1b[31mthing")


def test_a_bug_is_one_line_and_a_traceback_only_when_asked_for(
    vidstyle: Vidstyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.jobs import run as run_module

    monkeypatch.setattr(run_module, "run", broken_job)
    result = vidstyle("run", "a.mp4", "--style", "tiny")
    assert result.code == 1
    assert_one_line(result, "bug", "RuntimeError", "--debug")
    assert "\x1b" not in result.err
    for args in (["run", "a.mp4", "-s", "x", "--debug"], ["--debug", "run", "a.mp4", "-s", "x"]):
        assert "broken_job" in (err := vidstyle(*args).err)
        assert "\x1b" not in err
    monkeypatch.setenv("VIDSTYLE_DEBUG", "1")
    assert "broken_job" in vidstyle("run", "a.mp4", "-s", "x").err


def test_a_thread_that_cannot_be_ended_does_not_spoil_the_exit_code(
    vidstyle: Vidstyle, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a thread, in the midst of a library, can crash the interpreter as that ends."""
    leave, codes = threading.Event(), []

    def hangs(_: object, batch: Any) -> Any:
        leave.wait(60)
        return batch

    monkeypatch.setattr("vidstyle.stylizers.torch_engine.TorchEngine.begin", hangs)
    monkeypatch.setattr("vidstyle.jobs.painting.stopwatch._FIRST", 0.3)
    monkeypatch.setattr("vidstyle.jobs.prefetch.PATIENCE", 0.1)
    monkeypatch.setattr("vidstyle.cli.main.os._exit", codes.append)
    clip = make_clip(frames=2)
    assert vidstyle("run", clip, "-s", "tiny", "--engine", "torch").code == 5
    leave.set()
    for thread in threading.enumerate():
        if thread.name == "vidstyle-stage":
            thread.join(5)
    assert vidstyle("styles").code == 0
    assert codes == [5]


SHORTAGES = [
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes. Error code 12",
    "CUDA out of memory. Tried to allocate 2.00 GiB",
    "OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes",
]


@pytest.mark.parametrize("error", [MemoryError(), *map(RuntimeError, SHORTAGES)])
def test_too_little_memory_is_one_line_and_exit_5(
    vidstyle: Vidstyle, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from vidstyle.jobs import run as run_module

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(run_module, "run", fail)
    result = vidstyle("run", "a.mp4", "--style", "tiny")
    assert result.code == 5
    assert_one_line(result, "out of memory; try a smaller clip or --tier fast")


def test_a_name_that_looks_like_an_option_or_a_smile(
    vidstyle: Vidstyle, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_clip("-🙂.mp4", frames=2).parent)
    assert vidstyle("run", "-s", "tiny", "--engine", "torch", "--", "-🙂.mp4").code == 0
    assert probe(Path("-🙂.tiny.mp4")).frame_count == 2


def test_an_interrupt_while_libraries_are_loaded_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "vidstyle.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "vidstyle.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert (command(), capsys.readouterr().err) == (130, "vidstyle: interrupted\n")


def test_a_webm_can_be_written(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip(frames=3)
    output = clip.with_name("out.webm")
    assert vidstyle("run", clip, "-s", "tiny", "--engine", "torch", "-o", output).code == 0
    info = probe(output)
    assert (info.container, info.codec, info.frame_count or 3) == ("webm", "vp9", 3)
    with av.open(output) as written:
        assert [track.codec_context.codec.canonical_name for track in written.streams.audio] == [
            "opus"
        ]


def test_a_gif_can_be_written(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip(frames=3)
    output = clip.with_suffix(".gif")
    result = vidstyle("run", clip, "-s", "tiny", "--engine", "torch", "-o", output)
    assert (result.code, probe(output).container) == (0, "gif")
    assert "1 track of sound and the like left out" in result.err


def test_file_names_cannot_steer_the_terminal(vidstyle: Vidstyle, make_clip: MakeClip) -> None:
    clip = make_clip("a\x1b[2Jb.mp4", frames=2)
    result = vidstyle("run", clip, "--style", "tiny", "--engine", "torch")
    assert result.code == 0
    assert "\x1b" not in result.err


def test_a_style_becomes_another(
    vidstyle: Vidstyle, make_clip: MakeClip, make_collection: Callable[..., Path]
) -> None:
    make_collection("sea", "sun", folder=user_folder())
    clip = make_clip(frames=12)
    ran = vidstyle("run", clip, "--style-schedule", "0 sea; 0:00.4 sun", "--device", "cpu")
    assert (ran.code, ran.out) == (0, "")
    assert "sea-to-sun best" in ran.err
    assert clip.with_suffix(".sea-to-sun.mp4").exists()
    mixed = vidstyle("run", clip, "--style", "sea:0.5,sun:0.5", "--device", "cpu")
    assert (mixed.code, clip.with_suffix(".sea-50-sun-50.mp4").exists()) == (0, True)


def test_styles_lists_what_there_is(
    vidstyle: Vidstyle, make_style: MakeStyle, tiny_style: str
) -> None:
    folder = Path(os.environ["VIDSTYLE_STYLES"])
    make_style("tiny", "best", folder=folder)
    rows = json.loads(vidstyle("styles", "--json").out)
    (row,) = [row for row in rows if row["name"] == "tiny"]
    assert row == {
        "name": "tiny",
        "title": "Tiny",
        "painter": "Nobody",
        "year": "2026",
        "tiers": ["best", "fast"],
        "folder": str(folder),
    }
    assert "Nobody" in vidstyle("styles").out
    assert vidstyle("styles", "--sheet", "sheet.png").code == 2
    assert vidstyle("styles", "--sheet", "sheet.png", "--of", "missing.mp4").code == 3
    assert vidstyle("styles", "--sheet", "s.png", "--of", "missing.mp4", "--json").code == 2
    assert vidstyle("styles", "tiny", "--sheet", "sheet.png", "--of", "missing.mp4").code == 2


def test_a_sheet_spares_what_is_there(
    vidstyle: Vidstyle, picture_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.stylizers.registry.shipped_folder", lambda: tmp_path / "none")
    before, sheet = picture_file.read_bytes(), tmp_path / "sheet.png"
    command = ["styles", "--of", picture_file, "--sheet"]
    for yes in ([], ["-y"]):
        refused = vidstyle(*command, picture_file, *yes)
        assert (refused.code, picture_file.read_bytes()) == (2, before)
        assert_one_line(refused, "is what the sheet is to show")
    sheet.write_text("precious")
    missing = vidstyle("styles", "--of", tmp_path / "none.mp4", "--sheet", sheet, "-y")
    assert (missing.code, sheet.read_text()) == (3, "precious")
    assert_one_line(vidstyle(*command, sheet), "exists already; overwrite it with -y")
    assert sheet.read_text() == "precious"
    assert vidstyle(*command, sheet, "-y").code == 0
    with Image.open(sheet) as picture:
        assert picture.width > 640


def test_styles_shows_what_a_style_says_of_itself(
    vidstyle: Vidstyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    card = StyleCard("dusk", "Dusk", "Nobody", "", "fast", "FastNet", {"width": 16})
    recipe = {"style_size": 400, "temporal": True, "weights": {"content": 1.0}, "styles": ["a"]}
    card = replace(card, recipe=recipe, e_warp=0.00031, weak="Pale\x1b[2J", data="3 photographs")
    folder = Path(os.environ["VIDSTYLE_STYLES"])
    save_style(folder / "dusk.safetensors", FastNet(16), [card])
    lines = vidstyle("styles", "dusk").out.splitlines()
    assert lines[0] == "dusk fast"
    said = dict(line.rstrip().split("  ", 1) for line in lines[1:] if line)
    assert {word: text.strip() for word, text in said.items()} == {
        "painting": "Dusk, Nobody",
        "network": "FastNet, width 16",
        "trained on": "3 photographs",
        "recipe": "style size 400, temporal yes, weights (content 1.0), styles (a)",
        "warp error": "0.00031 on the sample clip, each frame painted for itself",
        "weak": "Pale [2J",
    }
    (shown,) = json.loads(vidstyle("styles", "dusk", "--json").out)
    assert (shown["weak"], shown["recipe"]) == (card.weak, recipe)
    by_path = json.loads(vidstyle("styles", folder / "dusk.safetensors", "--json").out)
    assert by_path == [shown]
    assert vidstyle("styles", "dask").code == 6


def python(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    "args", ["--help", "run --help", "train --help", "styles -h", "--version", "run"]
)
def test_help_is_light(args: str) -> None:
    """No heavy library is needed to say how the command is used."""
    done = python(
        "import sys; from vidstyle.cli.main import main; main(sys.argv[1:]);"
        "heavy = {'torch', 'av', 'cv2', 'numpy', 'openvino', 'torchvision', 'PIL', 'safetensors'};"
        "sys.exit(repr(heavy & set(sys.modules)))",
        *args.split(),
    )
    assert done.stderr.splitlines()[-1] == "set()"
    assert "vidstyle" in done.stdout + done.stderr


def test_the_package_is_light() -> None:
    done = python(
        "import sys, vidstyle; vidstyle.RunConfig; vidstyle.UsageError;"
        "sys.exit(repr({'torch', 'av', 'cv2', 'click', 'rich'} & set(sys.modules)))"
    )
    assert done.stderr.strip() == "set()"


@pytest.mark.parametrize("words", [["--help"], ["styles"], ["styles", "--json"]])
def test_a_reader_that_has_gone_is_no_bug(words: list[str]) -> None:
    """As `head` goes, when it has seen enough."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "vidstyle", *words]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
