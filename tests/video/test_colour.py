from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.types import Colour, EncodeOptions, Frame
from vidstyle.video.colour import RgbReader, YuvWriter, output_colour
from vidstyle.video.info import probe
from vidstyle.video.read import read_frames
from vidstyle.video.write import encode_track

# Kr and Kb of ITU-T H.273, table 4.
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
EXACT = EncodeOptions(crf=0, preset="ultrafast", pixel_format="yuv444p")
# Half a step of luma and of chroma each, as they add up in blue and red: whole levels are finer
# than the steps of 8-bit YUV, so no codec gives back every colour to one level.
ROUNDING = 1.7
COLOURS = [Colour(matrix, full_range) for matrix in WEIGHTS for full_range in (False, True)]
LIMITED = [colour for colour in COLOURS if not colour.full_range]


def to_rgb(y: int, u: int, v: int, colour: Colour) -> Any:
    """ITU-T H.273, equations 38 to 40, the other way round."""
    kr, kb = WEIGHTS[colour.matrix]
    offset, luma, chroma = (0, 255, 255) if colour.full_range else (16, 219, 224)
    luminance, blue, red = (y - offset) / luma, (u - 128) / chroma, (v - 128) / chroma
    r, b = luminance + 2 * (1 - kr) * red, luminance + 2 * (1 - kb) * blue
    g = (luminance - kr * r - kb * b) / (1 - kr - kb)
    return np.clip(255 * np.array([r, g, b]), 0, 255)


def flat(y: int, u: int, v: int, pixel_format: str) -> av.VideoFrame:
    frame = av.VideoFrame(32, 32, pixel_format)
    for plane, level in zip(frame.planes, (y, u, v), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p"])
def test_an_untagged_frame_is_read_as_its_clip_says(colour: Colour, pixel_format: str) -> None:
    reader = RgbReader(32, 32, colour)
    for yuv in [(120, 100, 160), (200, 128, 128), (60, 150, 110)]:
        rgb = reader.read(flat(*yuv, pixel_format))
        assert np.abs(rgb - to_rgb(*yuv, colour)).max() <= 1


def test_a_frame_s_own_tags_win() -> None:
    frame = flat(120, 100, 160, "yuv444p")
    frame.colorspace, frame.color_range = 9, 2
    rgb = RgbReader(32, 32, Colour("bt709", False)).read(frame)
    assert np.abs(rgb - to_rgb(120, 100, 160, Colour("bt2020nc", True))).max() <= 1


@pytest.mark.parametrize("colour", LIMITED)
def test_written_samples_are_the_standard_s(colour: Colour) -> None:
    writer = YuvWriter(colour, "yuv444p")
    for rgb in [(200, 30, 30), (30, 90, 200), (128, 128, 128), (255, 255, 255), (0, 0, 0)]:
        frame = writer.write(np.full((32, 32, 3), rgb, np.uint8))
        y, u, v = (bytes(plane)[0] for plane in frame.planes)
        assert np.abs(to_rgb(y, u, v, colour) - rgb).max() <= ROUNDING


def test_reading_has_no_bias(noise: Callable[..., Any]) -> None:
    """The shortcut that swscale takes on its own darkens every picture by more than a level."""
    image = noise(64, 64)
    colour = Colour("bt709", False)
    frame = YuvWriter(colour, "yuv420p").write(image)
    back = RgbReader(64, 64, colour).read(frame)
    assert np.abs((back - image.astype(float)).mean(axis=(0, 1))).max() < 0.3


@pytest.mark.parametrize("colour", COLOURS)
def test_a_round_trip_through_a_file_keeps_colours(
    make_media: Callable[..., Path], tmp_path: Path, colour: Colour
) -> None:
    codes = {"bt709": 1, "smpte170m": 6, "bt2020nc": 9}
    tags = {"colorspace": codes[colour.matrix], "color_range": 2 if colour.full_range else 1}
    info = probe(make_media(size=(64, 64), colour=tags))
    levels = [40, 128, 215]
    patches = np.array([(r, g, b) for r in levels for g in levels for b in levels], np.uint8)
    images = [np.full((64, 64, 3), patch, np.uint8) for patch in patches]
    track = tmp_path / "track.nut"
    frames = (Frame(image, number) for number, image in enumerate(images))
    encode_track(frames, track, info, EXACT)
    written = probe(track)
    assert (written.colour.matrix, written.colour.full_range) == (colour.matrix, False)
    back = np.stack([frame.image[32, 32] for frame in read_frames(written)])
    difference = np.abs(back.astype(int) - patches)
    assert difference.max() <= ROUNDING + 0.5
    assert (difference <= 1).mean() > 0.9


@pytest.mark.parametrize(
    ("source", "pixel_format", "expected"),
    [
        (Colour("smpte170m", True), "yuv420p", Colour("smpte170m", False)),
        (Colour("smpte170m", False), "yuvj420p", Colour("smpte170m", True)),
        (Colour("rgb", True), "yuv420p", Colour("bt709", False)),
        (Colour("bt709", False), "gbrp", Colour("rgb", True)),
        (
            Colour("bt2020nc", False, "bt2020", "smpte2084"),
            "yuv420p",
            Colour("bt2020nc", False, "bt2020", "smpte2084"),
        ),
    ],
)
def test_the_painted_track_is_coded_as_its_source(
    source: Colour, pixel_format: str, expected: Colour
) -> None:
    assert output_colour(source, pixel_format) == expected


def test_gif_colours_survive_as_bt709(make_media: Callable[..., Path], tmp_path: Path) -> None:
    red = np.full((48, 64, 3), (255, 0, 0), np.uint8)
    path = make_media(
        "clip.gif",
        codec="gif",
        pixel_format="rgb8",
        options={},
        images=[red] * 3,
        pts=range(3),
        time_base=Fraction(1, 10),
    )
    info = probe(path)
    track = tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, EXACT)
    assert probe(track).colour.matrix == "bt709"
    frame = next(iter(read_frames(probe(track))))
    assert np.abs(frame.image - red.astype(int)).max() <= ROUNDING + 0.5
