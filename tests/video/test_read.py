from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.errors import InputError
from vidstyle.types import Limits
from vidstyle.video.info import probe
from vidstyle.video.read import ReadReport, expected_frames, read_frames

Make = Callable[..., Path]
QUARTERS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
UNEVEN = [0, 256, 784, 1312, 4896, 5424, 5440, 9000, 9001, 16000]


def shown(image: Any, a: int, b: int, c: int, d: int) -> Any:
    """Where a display matrix puts each pixel, straight from its definition."""
    height, width = image.shape[:2]
    places = {
        (a * x + c * y, b * x + d * y): image[y, x] for y in range(height) for x in range(width)
    }
    left, top = min(x for x, _ in places), min(y for _, y in places)
    upright = np.zeros((height, width, 3) if a else (width, height, 3), np.uint8)
    for (x, y), pixel in places.items():
        upright[y - top, x - left] = pixel
    return upright


def test_frames_come_with_the_file_s_own_times(make_media: Make) -> None:
    base = Fraction(1, 16_000)
    path = make_media(pts=UNEVEN, time_base=base, last_duration=777, options={"crf": "10"})
    frames, report = [], ReadReport()
    for frame in read_frames(probe(path), report=report):
        frames.append(frame)
    assert [frame.pts for frame in frames] == UNEVEN
    assert not report.is_partial
    assert (report.frames, report.expected_frames) == (10, 10)


@pytest.mark.parametrize("size", [(64, 48), (65, 47), (1, 3)])
def test_pictures_are_upright_contiguous_rgb_of_the_promised_size(
    make_media: Make, noise: Callable[..., Any], size: tuple[int, int]
) -> None:
    info = probe(make_media(size=size))
    for number, frame in enumerate(read_frames(info)):
        assert frame.image.shape == (info.height, info.width, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous
        assert np.abs(frame.image.astype(int) - noise(*size, number)).max() <= 2


@pytest.mark.parametrize("degrees", QUARTERS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_display_matrix_is_honoured(
    make_media: Make, noise: Callable[..., Any], degrees: int, mirrored: bool
) -> None:
    a, b, c, d = QUARTERS[degrees]
    a, b = (-a, -b) if mirrored else (a, b)
    one = 1 << 16
    matrix = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
    frame = next(iter(read_frames(probe(make_media(matrix=matrix, size=(20, 14))))))
    expected = shown(noise(20, 14), a, b, c, d).astype(int)
    assert np.abs(frame.image - expected).max() <= 2


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
@pytest.mark.parametrize(("start", "duration"), [("1", None), ("0.99", "0.3"), (None, "0.5")])
def test_a_part_is_a_slice_of_the_whole(
    make_media: Make, name: str, start: str | None, duration: str | None
) -> None:
    options = {"crf": "10", "g": "12", "bf": "3"}
    info = probe(make_media(name, pts=range(60), options=options))
    whole = list(read_frames(info))
    begin = Fraction(start) if start else None
    length = Fraction(duration) if duration else None
    part = list(read_frames(info, start=begin, duration=length))
    first = info.start_pts * info.time_base + (begin or 0)
    expected = [
        frame
        for frame in whole
        if frame.pts * info.time_base >= first
        and (length is None or frame.pts * info.time_base < first + length)
    ]
    assert [frame.pts for frame in part] == [frame.pts for frame in expected]
    for ours, theirs in zip(part, expected, strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)


def test_a_seek_that_lands_behind_the_wanted_frame_is_made_good(make_media: Make) -> None:
    """The only key frame near the start of the part comes after it."""
    options = {"crf": "30", "g": "225", "sc_threshold": "0"}
    info = probe(make_media("clip.ts", pts=range(250), options=options))
    first = next(iter(read_frames(info, start=Fraction(8))))
    assert first.pts * info.time_base == info.start_pts * info.time_base + 8


def test_the_last_frames_come_whichever_track_is_first(make_media: Make) -> None:
    path = make_media(sounds=[{}], sound_first=True, options={"crf": "10", "bf": "3"})
    info = probe(path)
    assert info.track == 1
    assert len(list(read_frames(info))) == 10


def test_a_part_that_reaches_beyond_the_end_is_what_there_is(make_media: Make) -> None:
    """Its last frame is shown as long as it was, and none is missing."""
    info, report = probe(make_media(pts=range(10))), ReadReport()
    part = {"start": Fraction(1, 5), "duration": Fraction(9)}
    frames = list(read_frames(info, report=report, **part))
    assert [frame.duration * info.time_base for frame in frames] == [Fraction(1, 25)] * 5
    assert expected_frames(info, **part) == report.expected_frames == 5
    assert not report.is_partial


def test_a_part_that_ends_within_a_frame_holds_that_frame(make_media: Make) -> None:
    info, report = probe(make_media(pts=range(10))), ReadReport()
    frames = list(read_frames(info, report=report, duration=Fraction(11, 100)))
    assert expected_frames(info, duration=Fraction(11, 100)) == len(frames) == 3


def test_a_part_behind_the_end_is_an_error_that_tells_the_length(make_media: Make) -> None:
    with pytest.raises(InputError, match=r"no frame from 9\.00 s on; it lasts 0\.40 s"):
        list(read_frames(probe(make_media()), start=Fraction(9)))


def test_frames_without_times_are_timed_by_the_rate(make_media: Make) -> None:
    report = ReadReport()
    info = probe(make_media("clip.h264", time_base=Fraction(1, 10)))
    seconds = [frame.pts * info.time_base for frame in read_frames(info, report=report)]
    assert seconds == [Fraction(number, 10) for number in range(10)]
    assert report.synthesised == 10


def test_a_change_of_size_is_scaled_to_the_first(make_media: Make, tmp_path: Path) -> None:
    small, large = make_media("a.h264"), make_media("b.h264", size=(128, 96))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    report = ReadReport()
    sizes = {frame.image.shape for frame in read_frames(probe(both), report=report)}
    assert sizes == {(48, 64, 3)}
    assert (report.frames, report.resized) == (20, 10)


def test_a_clip_that_grows_beyond_its_limit_loses_those_frames(
    make_media: Make, tmp_path: Path
) -> None:
    small, large = make_media("a.h264"), make_media("b.h264", size=(128, 96))
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    report = ReadReport()
    frames = list(read_frames(probe(both, Limits(pixels=64 * 48)), report=report))
    assert (len(frames), report.resized) == (10, 0)
    assert report.is_partial


def spoil(path: Path, packets: range) -> Path:
    """Overwrite the data of some packets of the first track."""
    with av.open(str(path)) as file:
        places = [(p.pos, p.size) for p in file.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for number in packets:
        position, size = places[number]
        content[position : position + size] = b"\x55" * size
    path.write_bytes(content)
    return path


def intra_only(make_media: Make) -> Path:
    return make_media("clip.mov", pts=range(40), codec="mjpeg", pixel_format="yuvj420p", options={})


def test_a_damaged_packet_is_skipped_and_counted(make_media: Make) -> None:
    report = ReadReport()
    info = probe(spoil(intra_only(make_media), range(20, 23)))
    pts = [frame.pts for frame in read_frames(info, report=report)]
    assert len(pts) == 37
    assert (report.skipped, report.gave_up, report.cut_short) == (3, False, False)
    assert report.is_partial


def test_damage_before_the_wanted_part_is_no_loss(make_media: Make) -> None:
    report = ReadReport()
    info = probe(spoil(intra_only(make_media), range(20, 23)))
    assert len(list(read_frames(info, start=Fraction(30, 25), report=report))) == 10
    assert not report.is_partial


def test_a_long_scratch_is_left_behind_at_the_next_key_frame(make_media: Make) -> None:
    options = {"crf": "20", "g": "30", "bf": "0", "sc_threshold": "0"}
    report = ReadReport()
    info = probe(spoil(make_media(pts=range(90), options=options), range(31, 60)))
    pts = [frame.pts * info.time_base * 25 for frame in read_frames(info, report=report)]
    assert pts == [*range(31), *range(60, 90)]
    assert (report.skipped, report.gave_up) == (29, False)


def test_a_scratch_up_to_the_end_counts_its_packets(make_media: Make) -> None:
    options = {"crf": "20", "g": "30", "bf": "0", "sc_threshold": "0"}
    report = ReadReport()
    info = probe(spoil(make_media(pts=range(60), options=options), range(31, 60)))
    assert len(list(read_frames(info, report=report))) == 31
    assert report.skipped == 29


def test_a_transport_stream_s_own_marks_of_damage_count(make_media: Make) -> None:
    path = make_media("clip.ts", pts=range(60), options={"crf": "20", "g": "5"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 188 * 188
    content[middle : middle + 10 * 188] = bytes(10 * 188)
    path.write_bytes(content)
    report = ReadReport()
    list(read_frames(probe(path), report=report))
    assert report.is_partial


def test_a_file_that_is_broken_from_somewhere_on_ends_there(make_media: Make) -> None:
    report = ReadReport()
    info = probe(spoil(intra_only(make_media), range(10, 40)))
    assert len(list(read_frames(info, report=report))) == 10
    assert report.gave_up
    assert report.cut_short


@pytest.mark.parametrize("name", ["clip.mkv", "clip.ts"])
def test_a_cut_off_file_keeps_what_it_has(make_media: Make, name: str) -> None:
    sound = {"seconds": Fraction(4)}
    path = make_media(name, pts=range(100), sounds=[sound], options={"crf": "20", "g": "10"})
    whole = probe(path)
    report = ReadReport()
    list(read_frames(whole, report=report))
    assert not report.is_partial
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 45 // 100])
    report = ReadReport()
    frames = list(read_frames(probe(path), report=report))
    assert 20 < len(frames) < 80
    if name == "clip.mkv":  # a transport stream declares nothing that could be missed
        assert report.cut_short
        assert report.expected_frames == 100


def test_sound_that_outlasts_the_pictures_is_no_damage(make_media: Make) -> None:
    for name in ("clip.mp4", "clip.mkv"):
        report = ReadReport()
        path = make_media(name, sounds=[{"seconds": Fraction(3)}])
        list(read_frames(probe(path), report=report))
        assert not report.is_partial


def test_tracks_without_a_length_are_held_against_the_file_s(make_media: Make) -> None:
    """FLV gives the length of the file alone."""
    options = {"crf": "20", "g": "5"}
    keywords = {"pts": range(100), "options": options, "pixel_format": "yuv420p"}
    sound = {"codec": "pcm_s16le", "rate": 44_100, "seconds": Fraction(6)}
    path = make_media("clip.flv", sounds=[sound], **keywords)
    report = ReadReport()
    list(read_frames(probe(path), report=report))
    assert not report.is_partial
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = ReadReport()
    list(read_frames(probe(path), report=report))
    assert report.cut_short


SCREEN = [0, 40, 80, 120, 5000, 5040, 20_000, 20_040]
"""Milliseconds at which a recording of a screen has frames."""


@pytest.mark.parametrize(
    ("start", "duration", "shown"),
    [
        (0, 2, [(0, 0, 40), (40, 1, 40), (80, 2, 40), (120, 3, 1880)]),
        (2, 4, [(2000, 3, 3000), (5000, 4, 40), (5040, 5, 960)]),
        (1, 3, [(1000, 3, 3000)]),
        (19, None, [(19_000, 5, 1000), (20_000, 6, 40), (20_040, 7, 40)]),
        (Fraction("5.01"), None, [(5040, 5, 14_960), (20_000, 6, 40), (20_040, 7, 40)]),
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_picture_that_stands_belongs_to_every_part_of_its_time(
    make_media: Make,
    name: str,
    start: Fraction,
    duration: Fraction | None,
    shown: list[tuple[int, int, int]],
) -> None:
    """It begins with the part, and ends with it, also where the file tells no durations."""
    options = {"time_base": Fraction(1, 1000), "rate": Fraction(25), "last_duration": 40}
    info = probe(make_media(name, pts=SCREEN, **options))
    images = [frame.image for frame in read_frames(info)]
    frames = list(read_frames(info, start=Fraction(start), duration=duration))
    tick = info.time_base * 1000
    assert [f.pts * tick for f in frames] == [time for time, _, _ in shown]
    durations = [length for _, _, length in shown]
    if name == "clip.mp4":
        assert [f.duration * tick for f in frames] == durations
    elif duration is not None:
        assert frames[-1].duration * tick == durations[-1]
    for frame, (_, number, _) in zip(frames, shown, strict=True):
        assert np.array_equal(frame.image, images[number])


def test_nothing_is_opened_before_the_first_frame_is_asked_for(make_media: Make) -> None:
    path = make_media()
    frames = read_frames(probe(path))
    path.unlink()
    with pytest.raises(InputError, match="does not exist"):
        next(iter(frames))


def test_frames_that_are_dropped_half_way_leave_no_file_open(make_media: Make) -> None:
    path = make_media().resolve()
    frames = read_frames(probe(path))
    next(iter(frames))
    assert path in open_files()
    frames.close()  # type: ignore[attr-defined]
    assert path not in open_files()


def open_files() -> set[Path]:
    """Of this process."""
    return {link.resolve() for link in Path("/proc/self/fd").iterdir()}
