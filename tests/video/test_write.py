import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidstyle.errors import ResourceError, UsageError
from vidstyle.files import writing
from vidstyle.types import EncodeOptions, Frame, VideoInfo
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames
from vidstyle.video.write import _private_options, check_encoding, encode_track

Make = Callable[..., Path]
QUICK = EncodeOptions(preset="ultrafast")


@pytest.fixture
def info(make_media: Make) -> VideoInfo:
    times = range(0, 5120, 512)
    return probe(make_media(time_base=Fraction(1, 12_800), pts=times, last_duration=512))


def black(info: VideoInfo, pts: list[int], duration: int = 0) -> list[Frame]:
    image = np.zeros((info.height, info.width, 3), np.uint8)
    return [Frame(image, time, duration) for time in pts]


def times(track: Path, info: VideoInfo) -> list[Fraction]:
    """When each picture of a track is shown, in ticks of the clip."""
    with av.open(str(track)) as file:
        base = file.streams.video[0].time_base
        return [frame.pts * base / info.time_base for frame in file.decode(video=0)]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gaps=st.lists(st.integers(1, 100_000), min_size=1, max_size=12),
    start=st.integers(0, 10**9),
    base=st.sampled_from([(1, 30_000), (1, 90_000), (1001, 24_000), (1, 100), (1, 1_200_000)]),
)
def test_any_times_come_out_as_they_went_in(
    info: VideoInfo, tmp_path: Path, gaps: list[int], start: int, base: tuple[int, int]
) -> None:
    clip = replace(info, time_base=Fraction(*base), start_pts=start)
    pts = [start + sum(gaps[:number]) for number in range(len(gaps) + 1)]
    track = tmp_path / "track.nut"
    summary = encode_track(black(clip, pts), track, clip, EncodeOptions())
    assert times(track, clip) == pts
    assert (summary.frames, summary.nudged) == (len(pts), 0)
    assert summary.last_pts == pts[-1]


def test_repeated_and_backward_times_move_one_tick_behind(info: VideoInfo, tmp_path: Path) -> None:
    track = tmp_path / "track.nut"
    summary = encode_track(black(info, [0, 512, 512, 100, 1024]), track, info, QUICK)
    assert times(track, info) == [0, 512, 513, 514, 1024]
    assert summary.nudged == 2


def test_a_clock_that_jumps_by_days_is_held(info: VideoInfo, tmp_path: Path) -> None:
    """MP4 has no room for such a step, and a whole painting must not fail for it."""
    track, day = tmp_path / "track.nut", 24 * 3600 * 12_800
    summary = encode_track(black(info, [0, 512, day, day + 512, 2048]), track, info, QUICK)
    assert times(track, info) == [0, 512, 1024, 1536, 2048]
    assert summary.nudged == 2


def test_a_clip_that_starts_before_zero_is_moved_as_a_whole(
    info: VideoInfo, tmp_path: Path
) -> None:
    track, early = tmp_path / "track.nut", replace(info, start_pts=-1024)
    summary = encode_track(black(info, [-1024, -512, 0, 512]), track, early, QUICK)
    assert times(track, info) == [0, 512, 1024, 1536]
    assert summary.nudged == 0


def test_the_last_frame_lasts_as_its_file_says_or_as_long_as_usual(
    info: VideoInfo, tmp_path: Path
) -> None:
    track = tmp_path / "track.nut"

    def last(pts: list[int], duration: int) -> int:
        return encode_track(black(info, pts, duration), track, info, QUICK).last_duration

    assert last([0, 512], 300) == 300
    assert last([0, 512], 0) == 512
    assert last([0, 100], 0) == 100
    assert last([0, 99_999], 0) == 512  # a pause before is no pause after
    assert last([0], 0) == 512
    assert last([0, 512], 10**12) == 512  # no length at all


@pytest.mark.parametrize("size", [(65, 48), (64, 47), (65, 47)])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9"])
def test_odd_sizes_are_kept(
    make_media: Make, tmp_path: Path, size: tuple[int, int], codec: str
) -> None:
    info, track = probe(make_media(size=size)), tmp_path / "track.nut"
    options = EncodeOptions(codec=codec, preset="ultrafast", crf=10)
    summary = encode_track(read_frames(info), track, info, options)
    with av.open(str(track)) as file:
        assert {(frame.width, frame.height) for frame in file.decode(video=0)} == {size}
    if codec == "libvpx-vp9":
        assert (summary.pixel_format, summary.notes) == ("yuv420p", ())
    else:
        assert summary.pixel_format == "yuv444p"
        assert "odd" in summary.notes[0]


def test_odd_sizes_are_kept_from_half_of_the_colours_too(info: VideoInfo) -> None:
    odd, options = replace(info, width=65), EncodeOptions(pixel_format="yuv422p")
    (note,) = check_encoding(odd, options, "mp4")
    assert "written as yuv444p" in note


def test_a_single_pixel_can_be_written(make_media: Make, tmp_path: Path) -> None:
    info, track = probe(make_media(size=(1, 1))), tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, QUICK)
    assert [frame.image.shape for frame in read_frames(probe(track))] == [(1, 1, 3)] * 10


def test_even_sizes_keep_the_pixel_format(info: VideoInfo, tmp_path: Path) -> None:
    summary = encode_track(read_frames(info), tmp_path / "track.nut", info, QUICK)
    assert (summary.pixel_format, summary.notes) == ("yuv420p", ())


def test_pixel_shape_and_colour_tags_are_kept(make_media: Make, tmp_path: Path) -> None:
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": 14}
    info = probe(make_media(sample_aspect_ratio=Fraction(64, 45), colour=tags))
    track = tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, QUICK)
    assert probe(track).sample_aspect_ratio == Fraction(64, 45)
    assert probe(track).colour == info.colour


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (EncodeOptions(codec="nonesuch"), "unknown codec 'nonesuch'"),
        (EncodeOptions(codec="aac"), "audio"),
        (EncodeOptions(pixel_format="nonesuch"), "cannot write 'nonesuch'; try --pix-fmt yuv420p"),
        (EncodeOptions(pixel_format="rgb24"), "cannot write 'rgb24'"),
        (EncodeOptions(preset="nonesuch"), "preset nonesuch"),
        (EncodeOptions(crf=-1), "a crf of 0 to 51, not -1"),
        (EncodeOptions(codec="prores_ks", pixel_format="yuv422p10le"), "cannot be written"),
    ],
)
def test_what_cannot_be_encoded_is_refused_before_a_frame_is_taken(
    info: VideoInfo, tmp_path: Path, options: EncodeOptions, reason: str
) -> None:
    def frames() -> Iterator[Frame]:
        pytest.fail("a frame was asked for")
        yield

    for attempt in (
        lambda: encode_track(frames(), tmp_path / "track.nut", info, options),
        lambda: check_encoding(info, options, "mkv"),
    ):
        with pytest.raises(UsageError, match=reason) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_an_encoder_that_fails_while_it_encodes_is_no_bug(info: VideoInfo, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"vc2 fails while it encodes .*; try another codec"):
        encode_track(black(info, [0]), tmp_path / "t.nut", info, EncodeOptions(codec="vc2"))


def test_what_an_encoder_refuses_is_told_as_it_was_told(info: VideoInfo) -> None:
    """Of what it takes no notice of, nothing is said."""
    odd = replace(info, average_rate=Fraction(12, 7))
    with pytest.raises(
        UsageError, match=r"mpeg2video refuses \S+ yuv420p at 1.71429 frames a"
    ) as e:
        check_encoding(odd, EncodeOptions(codec="mpeg2video"), "mkv")
    assert "crf" not in str(e.value)


def test_a_pixel_format_that_there_is_none_of_is_refused(info: VideoInfo) -> None:
    """Also by an encoder that writes any."""
    with pytest.raises(UsageError, match="no pixel format 'yuv999'"):
        check_encoding(info, EncodeOptions(codec="rawvideo", pixel_format="yuv999"), "mkv")


def test_a_container_that_cannot_hold_the_codec_is_told_of(info: VideoInfo) -> None:
    with pytest.raises(UsageError, match="ffv1 cannot be written in mov"):
        check_encoding(info, EncodeOptions(codec="ffv1"), "mov")
    with pytest.raises(UsageError, match="unknown container 'avi'"):
        check_encoding(info, EncodeOptions(), "avi")
    assert check_encoding(info, EncodeOptions(), "mov") == ()


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_encoders_keep_quiet(
    make_media: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str], codec: str
) -> None:
    info = probe(make_media(size=(96, 96)))
    options = EncodeOptions(codec=codec, preset="ultrafast" if codec == "libx265" else "10")
    if codec == "libx264":
        options = QUICK
    encode_track(read_frames(info), tmp_path / "track.nut", info, options)
    assert capfd.readouterr() == ("", "")


def test_a_full_disk_and_a_missing_folder(info: VideoInfo, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="folder does not exist"):
        encode_track(read_frames(info), tmp_path / "no" / "track.nut", info, QUICK)
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(ResourceError, match="disk is full"):
        encode_track(read_frames(info), full, info, QUICK)


def test_a_place_that_may_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="permission denied"), writing(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_errors_of_the_painter_pass_through(info: VideoInfo, tmp_path: Path) -> None:
    def frames() -> Iterator[Frame]:
        yield from black(info, [0])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        encode_track(frames(), tmp_path / "track.nut", info, QUICK)


def test_the_same_frames_give_the_same_bytes(info: VideoInfo, tmp_path: Path) -> None:
    written: list[Any] = []
    for name in ("a.nut", "b.nut"):
        encode_track(read_frames(info), tmp_path / name, info, QUICK)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


ENCODE = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from vidstyle.types import Colour, EncodeOptions, Frame, VideoInfo
from vidstyle.video.write import encode_track
base, shape, rate = Fraction(1, 25), (120, 160, 3), Fraction(25)
colour = Colour("bt709", False)
info = VideoInfo(Path("x"), "", 0, "", 160, 120, Fraction(1), base, rate, 0, None, None, colour)
rng = np.random.default_rng(0)
wall = rng.integers(0, 200, (40, 80, 3)).repeat(4, axis=0).repeat(4, axis=1)
grain = (rng.integers(0, 9, (120, 160, 3)) for _ in range(24))
views = (wall[n : n + 120, 3 * n : 3 * n + 160] for n in range(24))
frames = (Frame((v + g).astype(np.uint8), n) for n, (v, g) in enumerate(zip(views, grain)))
encode_track(frames, Path(sys.argv[1]), info, EncodeOptions())
"""


def test_the_same_frames_make_the_same_file(tmp_path: Path) -> None:
    """Whatever lies in memory that nobody wrote; resuming promises it."""
    contents = set()
    for filler in ("0", "85", "170"):
        command = [sys.executable, "-c", ENCODE, str(tmp_path / "track.nut")]
        subprocess.run(command, env=os.environ | {"MALLOC_PERTURB_": filler}, check=True)
        contents.add((tmp_path / "track.nut").read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize("has_avx512", [True, False])
def test_x264_does_without_the_code_that_does_not_repeat_itself(
    monkeypatch: pytest.MonkeyPatch, has_avx512: bool
) -> None:
    """That for AVX-512: what it does wrong shows on some machines and some days alone."""
    monkeypatch.setattr("vidstyle.video.write._has_avx512", lambda: has_avx512)
    known: Any = {"x264-params": None}
    assert ("x264-params" in _private_options(known, QUICK)) == has_avx512
