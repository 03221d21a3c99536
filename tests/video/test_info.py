from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.types import Limits
from vidstyle.video.info import _clock, output_suffix, probe
from vidstyle.video.read import read_frames

Make = Callable[..., Path]

QUARTERS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
"""(a, b, c, d) of the display matrix that turns a picture counter-clockwise by so many degrees."""


def display_matrix(degrees: int, mirrored: bool) -> list[int]:
    a, b, c, d = QUARTERS[degrees]
    flip = -1 if mirrored else 1
    one = 1 << 16
    return [flip * a * one, flip * b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]


def test_facts_of_a_plain_clip(make_media: Make) -> None:
    info = probe(make_media(size=(66, 50), tags={"title": "Pond"}))
    assert (info.container, info.codec, info.width, info.height) == ("mp4", "h264", 66, 50)
    assert (info.average_rate, info.start_pts, info.frame_count) == (25, 0, 10)
    assert info.duration == Fraction(10, 25)
    assert (info.rotation, info.mirrored, info.other_tracks) == (0, False, 0)


@pytest.mark.parametrize("degrees", QUARTERS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_size_and_pixel_shape_are_those_of_the_upright_picture(
    make_media: Make, degrees: int, mirrored: bool
) -> None:
    path = make_media(matrix=display_matrix(degrees, mirrored), sample_aspect_ratio=Fraction(4, 3))
    info = probe(path)
    assert (info.rotation, info.mirrored) == (degrees, mirrored)
    sideways = degrees in (90, 270)
    assert (info.width, info.height) == ((48, 64) if sideways else (64, 48))
    assert info.sample_aspect_ratio == (Fraction(3, 4) if sideways else Fraction(4, 3))


@pytest.mark.parametrize(
    ("name", "keywords", "container", "suffix"),
    [
        ("clip.mp4", {}, "mp4", ".mp4"),
        ("clip.mov", {}, "mov", ".mov"),
        ("clip.mkv", {}, "mkv", ".mkv"),
        ("clip.ts", {}, "mpegts", ".mp4"),
        ("clip.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}, "avi", ".mp4"),
        ("clip.webm", {"codec": "libvpx-vp9", "pixel_format": "yuv420p"}, "webm", ".mp4"),
        ("clip.gif", {"codec": "gif", "pixel_format": "rgb8"}, "gif", ".mp4"),
    ],
)
def test_output_keeps_the_container_where_it_can(
    make_media: Make, name: str, keywords: dict[str, Any], container: str, suffix: str
) -> None:
    options = {} if "codec" in keywords else {"crf": "0"}
    info = probe(make_media(name, options=options, **keywords))
    assert info.container == container
    assert output_suffix(info) == suffix


def test_container_is_told_by_content_not_by_name(make_media: Make) -> None:
    path = make_media("clip.mkv")
    assert probe(path.rename(path.with_suffix(".mp4"))).container == "mkv"


def test_names_that_look_like_protocols_are_files(
    make_media: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_media("10:30 – ☀.mp4")
    monkeypatch.chdir(tmp_path)
    assert probe(Path("10:30 – ☀.mp4")).frame_count == 10


def test_tags_need_not_be_utf8(make_media: Make) -> None:
    path = make_media(tags={"title": "Weiher"})
    path.write_bytes(path.read_bytes().replace(b"Weiher", b"Weih\xe9r"))
    assert probe(path).frame_count == 10


def test_cover_pictures_are_not_painted(
    make_media: Make, add_cover: Callable[[Path], Path]
) -> None:
    info = probe(add_cover(make_media()))
    assert (info.width, info.height, info.frame_count) == (64, 48, 10)
    assert info.other_tracks == 1


@pytest.mark.parametrize(
    ("shape", "taken"), [(Fraction(16), 16), (Fraction(1, 16), Fraction(1, 16)), (Fraction(250), 1)]
)
def test_a_shape_that_no_pixel_has_is_a_mistake(
    make_media: Make, shape: Fraction, taken: Fraction
) -> None:
    assert probe(make_media(sample_aspect_ratio=shape)).sample_aspect_ratio == taken


def test_other_tracks_are_counted(make_media: Make) -> None:
    assert probe(make_media(second_video=True, sounds=[{}])).other_tracks == 2


@pytest.mark.parametrize(
    ("size", "colour", "expected"),
    [
        ((64, 48), {}, ("smpte170m", False)),
        ((64, 720), {}, ("bt709", False)),
        ((64, 48), {"colorspace": 1, "color_range": 1}, ("bt709", False)),
        ((64, 720), {"colorspace": 5, "color_range": 2}, ("smpte170m", True)),
        ((64, 48), {"colorspace": 9}, ("bt2020nc", False)),
    ],
)
def test_colour_that_the_file_leaves_open_is_guessed_by_height(
    make_media: Make,
    size: tuple[int, int],
    colour: dict[str, int],
    expected: tuple[str, bool],
) -> None:
    found = probe(make_media(size=size, colour=colour, pts=range(1))).colour
    assert (found.matrix, found.full_range) == expected


def test_transfer_and_primaries_keep_their_names(make_media: Make) -> None:
    hdr = {"colorspace": 9, "color_primaries": 9, "color_trc": 16}
    colour = probe(make_media(colour=hdr)).colour
    assert (colour.primaries, colour.transfer) == ("bt2020", "smpte2084")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def no_moov(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: content.index(b"moov") - 4]


def test_of_a_moving_avif_what_moves_is_painted(tmp_path: Path) -> None:
    """Its first track is a still."""
    frames = [Image.new("RGB", (64, 48), (40 * k, 90, 200)) for k in range(5)]
    frames[0].save(tmp_path / "a.avif", save_all=True, append_images=frames[1:], duration=80)
    info = probe(tmp_path / "a.avif")
    assert len(list(read_frames(info))) == 5


def test_a_moving_webp_is_called_what_it_is(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 48), (40 * k, 90, 200)) for k in range(5)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="a moving WebP"):
        probe(tmp_path / "a.webp")
    frames[0].save(tmp_path / "still.webp")
    whole = (tmp_path / "still.webp").read_bytes()
    for length in (13, 16, 25, 30):
        (tmp_path / "cut.webp").write_bytes(whole[:length])
        with pytest.raises(InputError, match="not a video, or it is damaged"):
            probe(tmp_path / "cut.webp")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Dear diary,\ntoday I painted a pond.\n" * 40, "text file"),
        (bytes(range(256)) * 64, "not a video"),
        (b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
    ],
)
def test_what_is_no_video_is_told_apart(tmp_path: Path, content: bytes, reason: str) -> None:
    path = write(tmp_path / "clip.mp4", content)
    with pytest.raises(InputError, match=reason) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        probe(tmp_path / "nothing.mp4")
    with pytest.raises(InputError, match="folder"):
        probe(tmp_path)


def test_a_recording_without_its_index_is_incomplete(make_media: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "cut.mp4", no_moov(make_media(name="whole.mp4")))
    with pytest.raises(InputError, match="moov"):
        probe(path)


def test_a_picture_with_a_clip_s_name(tmp_path: Path, noise: Callable[..., Any]) -> None:
    from PIL import Image

    path = tmp_path / "clip.mp4"
    Image.fromarray(noise(32, 32)).save(path, format="JPEG")
    with pytest.raises(InputError, match="picture"):
        probe(path)


def test_a_playlist_opens_nothing_even_under_a_video_s_name(
    make_media: Make, tmp_path: Path
) -> None:
    make_media("part.ts")
    path = write(tmp_path / "list.m3u8", b"#EXTM3U\n#EXTINF:1,\npart.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match="playlist"):
        probe(path)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        output.mux([*stream.encode(frame), *stream.encode()])
    return path


def test_sound_alone_cannot_be_painted(song: Path, add_cover: Callable[[Path], Path]) -> None:
    with pytest.raises(InputError, match="only sound"):
        probe(song)
    with pytest.raises(InputError, match="only a cover picture"):
        probe(add_cover(song))


def test_an_encrypted_clip_says_so(make_media: Make) -> None:
    path = make_media(
        container_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
            "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
        }
    )
    with pytest.raises(InputError, match="encrypted"):
        probe(path)


def test_what_a_clip_may_ask_for_has_limits_that_can_be_raised(make_media: Make) -> None:
    font = ("font.ttf", "font/ttf", bytes(3 << 20))
    path = make_media("clip.mkv", sounds=[{}, {}], attachments=[font])
    assert probe(path).other_tracks == 3
    for limits, reason in [
        (Limits(pixels=64 * 48 - 1), "is 64x48: 3,072 pixels.*--limit pixels=3072"),
        (Limits(tracks=3), "has 4 tracks.*--limit tracks=4"),
        (Limits(hours=0), "lasts 1 hours.*--limit hours=1"),
        (Limits(attachments=2), "attachments of 3 MB.*--limit attachments=3"),
    ]:
        with pytest.raises(InputError, match=reason):
            probe(path, limits)
    assert probe(path, Limits(64 * 48, 4, 1, 3)).width == 64


def test_an_absurd_size_is_refused_before_it_is_decoded(make_media: Make) -> None:
    path = make_media("clip.mkv", size=(300, 300), pts=range(1), codec="ffv1", options={})
    content = path.read_bytes()
    for field, side in ((b"\xb0\x82", 10_000), (b"\xba\x82", 9_000)):  # PixelWidth, PixelHeight
        content = content.replace(field + (300).to_bytes(2), field + side.to_bytes(2))
    with pytest.raises(InputError, match=r"10000x9000: 90,000,000 pixels.*--limit pixels=90000000"):
        probe(write(path, content))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:01:02.345000000", Fraction("62.345")),
        ("1:00:00", Fraction(3600)),
        ("0:0:1e999999999", None),  # would take hours to work out
        ("0:0:1/0", None),
        ("\u0661:0:1", None),
        ("soon", None),
    ],
)
def test_the_clock_of_a_tag_is_read_if_it_is_one(text: str, seconds: Fraction | None) -> None:
    assert _clock(text) == seconds
