"""What is wrong with clips, through a whole run: painted as far as it goes, and said."""

import os
import pickle
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from vidstyle.cli.main import main
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.report import FileReport
from vidstyle.jobs.run import run

Make = Callable[..., Path]
Look = Callable[[Path], Any]

pytestmark = pytest.mark.usefixtures("tiny_style")


def paint(clip: Path, **options: Any) -> FileReport:
    (report,) = run(RunConfig((clip,), "tiny", device="cpu", engine="torch", **options)).files
    return report


def without_times(make_media: Make) -> Path:
    return make_media("clip.h264")


def of_two_sizes(make_media: Make) -> Path:
    small, large = make_media("a.h264"), make_media("b.h264", size=(128, 96))
    small.write_bytes(small.read_bytes() + large.read_bytes())
    return small


def of_ten_bits(make_media: Make) -> Path:
    return make_media("clip.mkv", pixel_format="yuv420p10le")


def of_odd_size(make_media: Make) -> Path:
    return make_media(size=(63, 47))


@pytest.mark.parametrize(
    ("make", "frames", "said"),
    [
        (without_times, 10, "has no time stamps on 10 frames; its frame rate gave them"),
        (of_two_sizes, 20, "changes its size on the way; 10 frames scaled"),
        (of_ten_bits, 10, "has 10 bits a colour, and was painted in 8"),
        (of_odd_size, 10, "written as yuv444p to keep the size"),
    ],
)
def test_what_is_odd_is_said_and_loses_no_frame(
    make_media: Make, facts: Look, make: Callable[[Make], Path], frames: int, said: str
) -> None:
    report = paint(make(make_media))
    assert said in "\n".join(report.notes)
    assert report.frames == len(facts(report.output).pictures) == frames
    assert not report.partial


@pytest.mark.parametrize("filler", [b"\xff", b"\0"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_hole_in_a_matroska_file_is_never_passed_over(
    make_media: Make, facts: Look, share: float, filler: bytes
) -> None:
    """FFmpeg itself decodes what it finds, and says nothing."""
    clip = make_media("clip.mkv", pts=range(100), options={"crf": "20", "g": "10"}, sounds=[{}])
    content = bytearray(clip.read_bytes())
    start = round(share * len(content))
    content[start : start + 3000] = filler * 3000
    clip.write_bytes(content)
    report = paint(clip)
    assert report.partial
    assert 10 < report.frames < 100
    assert len(facts(report.output).pictures) == report.frames
    assert any("damaged" in note for note in report.notes)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_sound_that_outlasts_the_pictures_is_kept_whole(
    make_media: Make, facts: Look, name: str
) -> None:
    clip = make_media(name, sounds=[{"seconds": Fraction(3)}])
    report = paint(clip)
    assert not report.partial
    before, after = facts(clip), facts(report.output)
    assert len(after.pictures) == len(before.pictures)
    assert len(after.of("audio")[0]) == len(before.of("audio")[0])
    assert abs(after.duration - before.duration) < Fraction(1, 25)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("name", ["style.pth", "style.safetensors"])
def test_a_pickle_runs_nothing(
    make_media: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    style, mark = tmp_path / name, tmp_path / "mark"
    style.write_bytes(pickle.dumps(Evil(mark)))
    assert main(["run", str(make_media()), "--style", str(style)]) == 6
    assert capsys.readouterr().err.count("\n") == 1
    assert not mark.exists()


def test_every_frame_of_a_clip_is_its_own_with_an_edit_that_cuts_its_beginning(
    make_media: Make, facts: Look, tmp_path: Path
) -> None:
    """What an edit list hides is not painted, and the rest stays in step with its sound."""
    whole, cut = make_media(pts=range(40), options={"g": "20"}, sounds=[{}]), tmp_path / "cut.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as target:
        tracks = [target.add_stream_from_template(s, opaque=True) for s in source.streams]
        for packet in source.demux():
            if packet.size:
                move = round(Fraction(1, 5) / packet.time_base)
                packet.pts, packet.dts = packet.pts - move, packet.dts - move
                packet.stream = tracks[packet.stream_index]
                target.mux(packet)
    before, after = facts(cut), facts(paint(cut).output)
    assert after.pictures == before.pictures
    assert after.of("audio") == before.of("audio")
