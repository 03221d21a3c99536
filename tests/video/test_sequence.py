from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.types import EncodeOptions
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
