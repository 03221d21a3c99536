import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import ExifTags, Image

from vidstyle.errors import InputError
from vidstyle.types import EncodeOptions
from vidstyle.video.images import read_image
from vidstyle.video.info import output_suffix, probe
from vidstyle.video.mux import mux
from vidstyle.video.opening import is_sequence, sequence_files
from vidstyle.video.read import ReadReport, read_frames
from vidstyle.video.write import encode_track

Noise = Callable[..., Any]


@pytest.fixture
def pictures(tmp_path: Path, noise: Noise) -> Path:
    """Numbers 8 to 12, with a name that is not of the sequence beside them."""
    for number in range(8, 13):
        Image.fromarray(noise(40, 30, number)).save(tmp_path / f"film_{number:03}.png")
    Image.fromarray(noise(40, 30)).save(tmp_path / "film_0007.png")
    return tmp_path / "film_%03d.png"


@pytest.mark.parametrize("rate", [None, Fraction(24), Fraction(30_000, 1001)])
def test_numbered_pictures_are_a_clip(
    pictures: Path, tmp_path: Path, noise: Noise, rate: Fraction | None
) -> None:
    info, report = probe(pictures, rate=rate), ReadReport()
    frames = list(read_frames(info, report=report))
    times = [frame.pts * info.time_base for frame in frames]
    assert times == [number / (rate or Fraction(25)) for number in range(5)]
    for number, frame in enumerate(frames, 8):
        np.testing.assert_array_equal(frame.image, noise(40, 30, number))
    assert not report.is_partial
    encoded = encode_track(frames, tmp_path / "t.nut", info, EncodeOptions())
    last = encoded.last_duration
    mux([tmp_path / "t.nut"], info, tmp_path / "o", container="mp4", stamp={}, last_duration=last)
    written = probe(tmp_path / "o")
    assert (written.frame_count, output_suffix(info)) == (5, ".mp4")
    assert written.average_rate == (rate or 25)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", range(9))
def test_pictures_with_exif_data_are_upright(
    tmp_path: Path, noise: Noise, suffix: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "A camera"
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    quality = {"quality": 95, "subsampling": 0} if suffix == "jpg" else {}
    for number in range(3):
        Image.fromarray(noise(40, 24)).save(tmp_path / f"{number}.{suffix}", exif=exif, **quality)
    (first, *_) = read_frames(probe(tmp_path / f"%d.{suffix}"))
    upright = read_image(tmp_path / f"0.{suffix}")
    assert first.image.shape == upright.shape
    assert np.abs(first.image.astype(int) - upright).mean() < 3


def test_a_clip_of_pictures_with_exif_data_is_read(tmp_path: Path, noise: Noise) -> None:
    """As cameras write them: what FFmpeg tells of their data, PyAV has no name for."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture = io.BytesIO()
    Image.fromarray(noise(40, 24)).save(picture, "JPEG", exif=exif)
    with av.open(str(tmp_path / "clip.avi"), "w") as output:
        stream = output.add_stream("mjpeg", 25, options={"strict": "unofficial"})
        stream.width, stream.height, stream.pix_fmt = 40, 24, "yuvj420p"
        for number in range(3):
            packet = av.Packet(picture.getvalue())
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, 25), True
            output.mux(packet)
    info = probe(tmp_path / "clip.avi")
    assert (info.rotation, info.width, info.height) == (270, 24, 40)


def test_a_colon_in_the_folders_name_is_no_protocol(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "take:2").mkdir()
    for file in sequence_files(pictures).values():
        file.rename(tmp_path / "take:2" / file.name)
    monkeypatch.chdir(tmp_path)
    assert len(list(read_frames(probe(Path("take:2") / pictures.name)))) == 5


def test_a_percent_sign_in_the_folders_name_is_no_number(pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "50%d%"
    folder.mkdir()
    for path in tmp_path.glob("film_???.png"):
        path.rename(folder / path.name)
    assert len(list(read_frames(probe(folder / pictures.name)))) == 5


def test_only_the_named_pictures_belong_to_it(pictures: Path) -> None:
    assert list(sequence_files(pictures)) == [8, 9, 10, 11, 12]
    assert list(sequence_files(pictures.with_name("film_%04d.png"))) == [7]
    assert not is_sequence(pictures.with_name("film_008.png"))


def test_a_file_with_such_a_name_is_a_file(pictures: Path, noise: Noise) -> None:
    Image.fromarray(noise(8, 8)).save(pictures)
    assert not is_sequence(pictures)


def test_what_is_missing_is_told(pictures: Path) -> None:
    with pytest.raises(InputError, match="no picture of such a name"):
        probe(pictures.with_name("%05d.jpg"))
    pictures.with_name("film_010.png").unlink()
    with pytest.raises(InputError, match="picture 10 is missing"):
        probe(pictures)


def test_a_broken_picture_is_skipped_and_counted(pictures: Path) -> None:
    path = pictures.with_name("film_010.png")
    path.write_bytes(path.read_bytes()[:100] + bytes(400))
    report = ReadReport()
    assert len(list(read_frames(probe(pictures), report=report))) == 4
    assert report.is_partial
