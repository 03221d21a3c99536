from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.types import Colour, EncodeOptions, Frame
from vidstyle.video.colour import RgbReader, YuvWriter, colour_of, output_colour
from vidstyle.video.info import probe
from vidstyle.video.read import ReadReport, read_frames
from vidstyle.video.write import encode_track

# Kr and Kb of ITU-T H.273, table 4.
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
EXACT = EncodeOptions(crf=0, preset="ultrafast", pixel_format="yuv444p")
# Half a step of luma and of chroma each, as they add up in blue and red: whole levels are finer
# than the steps of 8-bit YUV, so no codec gives back every colour to one level.
ROUNDING = 1.7
COLOURS = [Colour(matrix, full_range) for matrix in WEIGHTS for full_range in (False, True)]


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


@pytest.mark.parametrize(("pixel_format", "full"), [("yuvj420p", True), ("yuv420p", False)])
def test_the_name_of_a_format_may_say_its_range(pixel_format: str, full: bool) -> None:
    assert colour_of(av.VideoFrame(64, 48, pixel_format)).full_range == full


@pytest.mark.parametrize("colour", COLOURS)
def test_written_samples_are_the_standard_s(colour: Colour) -> None:
    writer = YuvWriter(colour, "yuv444p")
    for rgb in [(200, 30, 30), (30, 90, 200), (128, 128, 128), (255, 255, 255), (0, 0, 0)]:
        frame = writer.write(np.full((32, 32, 3), rgb, np.uint8))
        y, u, v = (bytes(plane)[0] for plane in frame.planes)
        assert np.abs(to_rgb(y, u, v, colour) - rgb).max() <= ROUNDING


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_grey_is_written_in_its_range(bits: int, full_range: bool) -> None:
    kind, scale = ("gray", 1) if bits == 8 else (f"gray{bits}le", 1 << (bits - 8))
    levels = np.array([0, 64, 128, 192, 255], np.uint8)
    image = np.repeat(np.tile(levels, (8, 1)).repeat(16, axis=1)[..., None], 3, axis=2)
    frame = YuvWriter(Colour("bt709", full_range), kind).write(image)
    black, white = (0, 255) if full_range else (16, 235)
    written = frame.to_ndarray()[0, 8::16] / scale
    assert np.abs(written - (black + levels / 255 * (white - black))).max() <= 1
    assert frame.color_range == (2 if full_range else 1)


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
    assert (written.colour.matrix, written.colour.full_range) == (colour.matrix, True)
    back = np.stack([frame.image[32, 32] for frame in read_frames(written)])
    difference = np.abs(back.astype(int) - patches)
    assert difference.max() <= 1


CODES = {"bt709": 1, "smpte170m": 6, "bt2020nc": 9}
TAGS = [
    {"colorspace": code, "color_range": color_range}
    for code in CODES.values()
    for color_range in (1, 2)
]


@pytest.mark.parametrize("tags", [{}, *TAGS])
@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [
        ("libx264", "yuv420p"),
        ("libx264", "yuv422p"),
        ("libx264", "yuv444p"),
        ("libx264", "yuv420p10le"),
        ("libx264", "gray"),
        ("ffv1", "bgr0"),
        ("ffv1", "yuv444p10le"),
    ],
)
def test_an_untouched_pass_gives_the_pixels_back(
    make_media: Callable[..., Path], tmp_path: Path, tags: Any, codec: str, pixel_format: str
) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (32, 48, 3)).astype(np.uint8) for _ in range(2)]
    options = {"codec": codec, "pixel_format": pixel_format, "images": images, "pts": range(2)}
    options["options"] = {"crf": "0"} if codec == "libx264" else {}
    info = probe(make_media("clip.mkv", size=(48, 32), colour=tags, **options))
    track = tmp_path / "track.nut"
    encode_track(read_frames(info), track, info, EXACT)
    for before, after in zip(read_frames(info), read_frames(probe(track)), strict=True):
        assert np.abs(before.image.astype(int) - after.image).max() <= 1


@pytest.mark.parametrize(
    ("source", "pixel_format", "expected"),
    [
        (Colour("smpte170m", True), "yuv420p", Colour("smpte170m", False)),
        (Colour("smpte170m", False), "yuvj420p", Colour("smpte170m", True)),
        (Colour("smpte170m", False), "yuv444p", Colour("smpte170m", True)),
        (Colour("rgb", True), "yuv420p", Colour("bt709", False)),
        (Colour("bt709", False), "gbrp", Colour("rgb", True)),
        (
            Colour("bt2020nc", False, "bt2020", "bt2020-10"),
            "yuv420p",
            Colour("bt2020nc", False, "bt2020", "bt2020-10"),
        ),
        (
            Colour("bt2020nc", False, "bt2020", "smpte2084"),
            "yuv420p",
            Colour("bt709", False, "bt709", "bt709"),
        ),
        (
            Colour("rgb", True, "bt2020", "arib-std-b67"),
            "gbrp",
            Colour("rgb", True, "bt709", "bt709"),
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
    before, after = next(iter(read_frames(info))), next(iter(read_frames(probe(track))))
    assert np.abs(before.image - red.astype(int)).max() <= 3  # of rgb8
    assert np.abs(after.image - before.image.astype(int)).max() <= 1


@pytest.mark.parametrize(("transfer", "white"), [(16, 0.58), (18, 0.75)])
def test_hdr_is_read_as_sdr_and_tagged_so(
    make_media: Callable[..., Path], tmp_path: Path, transfer: int, white: float
) -> None:
    """Reference white, a grey of 58 % in PQ and of 75 % in HLG, comes out bright, not dull."""
    tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": transfer}
    image = np.full((48, 64, 3), round(255 * white), np.uint8)
    options = {"images": [image], "pts": range(1), "pixel_format": "yuv420p10le", "colour": tags}
    info = probe(make_media(**options))
    assert info.depth == 10
    (frame,) = read_frames(info)
    assert (frame.image.dtype, frame.image.shape) == (np.uint8, (48, 64, 3))
    assert 222 < frame.image.min() <= frame.image.max() < 240
    track = tmp_path / "track.nut"
    encode_track([frame], track, info, EncodeOptions())
    written = probe(track).colour
    assert (written.matrix, written.primaries, written.transfer) == ("bt709", "bt709", "bt709")


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_grey_clips_are_read_in_their_range(tmp_path: Path, bits: int, full_range: bool) -> None:
    """swscale takes the full range for granted; encoders of monochrome video write the limited."""
    path, scale = tmp_path / "grey.mkv", 1 << (bits - 8)
    black, white = (0, (256 << (bits - 8)) - 1) if full_range else (16 * scale, 235 * scale)
    kind = "gray" if bits == 8 else f"gray{bits}le"
    levels = np.full((18, 34), black, np.uint8 if bits == 8 else np.uint16)
    levels[:, 17:] = white
    with av.open(path, "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 34, 18, kind
        frame = av.VideoFrame(34, 18, kind)
        frame.color_range = stream.codec_context.color_range = 2 if full_range else 1
        plane = np.frombuffer(frame.planes[0], levels.dtype).reshape(18, -1)
        rows = plane.copy()
        rows[:, :34] = levels
        frame.planes[0].update(rows.tobytes())
        frame.pts = 0
        output.mux([*stream.encode(frame), *stream.encode()])
    (read,) = read_frames(probe(path))
    assert read.image[:, :17].max() <= 1
    assert read.image[:, 17:].min() >= 254


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("ffv1", "bgra"), ("png", "rgba"), ("ffv1", "yuva444p")]
)
def test_see_through_clips_lie_on_black(
    make_media: Callable[..., Path], codec: str, pixel_format: str
) -> None:
    name = "clip.mov" if codec == "png" else "clip.mkv"
    layers = np.full((48, 64, 4), (200, 100, 40, 255), np.uint8)
    layers[:16, :, 3], layers[16:32, :, 3] = 0, 128
    options = {"codec": codec, "pixel_format": pixel_format, "options": {}, "image_format": "rgba"}
    path = make_media(name, images=[layers], pts=range(1), **options)
    report = ReadReport()
    (frame,) = read_frames(probe(path), report=report)
    for row, share in ((8, 0), (24, 128 / 255), (40, 1)):
        assert np.abs(frame.image[row, 32] - share * np.array([200, 100, 40])).max() <= 2
    assert report.flattened == 1
    layers[..., 3] = 255
    solid = make_media(f"solid{path.suffix}", images=[layers], pts=range(1), **options)
    list(read_frames(probe(solid), report=(report := ReadReport())))
    assert report.flattened == 0


def test_what_is_seen_through_to_black_is_rounded() -> None:
    """Cut off, it would be too dark by half a level."""
    layer = np.full((16, 16, 4), (2, 2, 2, 192), np.uint8)
    read = RgbReader(16, 16, Colour("rgb", True)).read(av.VideoFrame.from_ndarray(layer, "rgba"))
    assert (read == 2).all()
