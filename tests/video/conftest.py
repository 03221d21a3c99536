"""Small media files made by code, and what a plain demuxer says of a file."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass
class Sound:
    """A track of silence."""

    codec: str = "aac"
    rate: int = 48_000
    layout: str = "stereo"
    start: Fraction = Fraction(0)
    seconds: Fraction = Fraction(1, 2)
    tags: dict[str, str] = field(default_factory=dict)
    click: Fraction | None = None
    """Seconds at which a few samples are loud."""
    clicks: Sequence[Fraction] = ()
    """Several of them."""


@dataclass
class Media:
    """A file to be written; by default ten frames of noise at 25 frames a second."""

    pts: Sequence[int] = range(10)
    time_base: Fraction = Fraction(1, 25)
    size: tuple[int, int] = (64, 48)
    codec: str = "libx264"
    pixel_format: str = "yuv444p"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "0", "preset": "ultrafast"})
    images: Sequence[Image] | None = None
    image_format: str = "rgb24"
    last_duration: int = 1
    sample_aspect_ratio: Fraction = Fraction(1)
    matrix: Sequence[int] | None = None
    rate: Fraction | None = None
    track_tags: dict[str, str] = field(default_factory=dict)
    colour: dict[str, int] = field(default_factory=dict)
    sounds: Sequence[dict[str, Any]] = ()
    """The fields of a `Sound`, a track each."""
    subtitles: Sequence[tuple[str, Sequence[tuple[int, int, str]]]] = ()
    """(codec, lines of (start ms, end ms, text)), a track each."""
    chapters: Sequence[tuple[int, int, str]] = ()
    """(start ms, end ms, title)."""
    tags: dict[str, str] = field(default_factory=dict)
    attachments: Sequence[tuple[str, str, bytes]] = ()
    second_video: bool = False
    sound_first: bool = False
    container_options: dict[str, str] = field(default_factory=dict)


MakeMedia = Callable[..., Path]


@pytest.fixture
def make_media(tmp_path: Path) -> MakeMedia:
    """Write a file as its keywords, those of `Media`, describe it."""

    def make(name: str = "clip.mp4", format_name: str | None = None, **keywords: Any) -> Path:
        path = tmp_path / name
        write_media(path, format_name, Media(**keywords))
        return path

    return make


@pytest.fixture
def noise() -> Callable[..., Image]:
    """Smooth noise: (height, width, 3), of a seed."""
    return smooth_noise


def smooth_noise(width: int, height: int, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3))
    full = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[:height, :width]
    return np.ascontiguousarray(full.astype(np.uint8))


def write_media(path: Path, format_name: str | None, media: Media) -> None:
    options = {}
    if path.suffix in (".mp4", ".mov", ".mkv"):
        options["avoid_negative_ts"] = "disabled"
    if path.suffix in (".mp4", ".mov"):
        options["movie_timescale"] = "12000000"
    with av.open(
        str(path), "w", format=format_name, container_options=options | media.container_options
    ) as output:
        output.metadata.update(media.tags)
        if media.chapters:
            output.set_chapters([_chapter(n, *line) for n, line in enumerate(media.chapters)])
        for attachment in media.attachments:
            output.add_attachment(*attachment)
        packets: list[av.Packet] = []
        if not media.sound_first:
            packets += _pictures(output, media)
        if media.second_video:
            packets += _pictures(output, Media(size=(32, 32)))
        for sound in media.sounds:
            packets += _silence(output, Sound(**sound))
        if media.sound_first:
            packets += _pictures(output, media)
        for codec, lines in media.subtitles:
            packets += _lines(output, codec, lines)
        for packet in sorted(packets, key=lambda p: (p.dts or 0) * p.time_base):
            output.mux(packet)


def _chapter(number: int, start: int, end: int, title: str) -> Any:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }


def _pictures(output: Any, media: Media) -> list[av.Packet]:
    rate = media.rate or 1 / media.time_base
    stream = output.add_stream(media.codec, rate, options=media.options, time_base=media.time_base)
    context = stream.codec_context
    context.width, context.height = media.size
    context.pix_fmt = media.pixel_format
    context.sample_aspect_ratio = media.sample_aspect_ratio
    context.flags |= int(av.codec.context.Flags.frame_duration)
    for name, value in media.colour.items():
        setattr(context, name, value)
    stream.metadata.update(media.track_tags)
    if media.matrix is not None:
        context.open()
        stream.set_display_matrix(media.matrix)
    return [packet for frame in _frames(media) for packet in stream.encode(frame)]


def _frames(media: Media) -> Iterator[av.VideoFrame | None]:
    ends = [*media.pts[1:], media.pts[-1] + media.last_duration]
    for number, (pts, end) in enumerate(zip(media.pts, ends, strict=True)):
        image = media.images[number] if media.images else smooth_noise(*media.size, number)
        frame = av.VideoFrame.from_ndarray(image, media.image_format)
        frame.pts, frame.time_base, frame.duration = pts, media.time_base, max(0, end - pts)
        yield frame
    yield None


def _silence(output: Any, sound: Sound) -> list[av.Packet]:
    experimental = {"strict": "-2"}  # FFmpeg's own vorbis encoder
    stream = output.add_stream(
        sound.codec, rate=sound.rate, layout=sound.layout, options=experimental
    )
    stream.metadata.update(sound.tags)
    context = stream.codec_context
    context.open()
    block = context.frame_size or 1024
    levels = np.zeros((stream.layout.nb_channels, int(sound.seconds * sound.rate)), np.float32)
    for click in [*sound.clicks, *([] if sound.click is None else [sound.click])]:
        middle = round((click - sound.start) * sound.rate)
        levels[:, middle - 1 : middle + 2] = 0.9
    resampler = av.AudioResampler(context.format.name, sound.layout, sound.rate, frame_size=block)
    packets = []
    frame = av.AudioFrame.from_ndarray(levels, "fltp", sound.layout)
    frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
    frame.pts = round(sound.start * sound.rate)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        packets += stream.encode(piece)
    return packets + stream.encode(None)


HEADER = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _lines(output: Any, codec: str, lines: Sequence[tuple[int, int, str]]) -> list[av.Packet]:
    stream = output.add_stream(codec, time_base=Fraction(1, 1000))
    stream.codec_context.subtitle_header = HEADER
    packets = []
    for number, (start, end, text) in enumerate(lines):
        ass = f"{number},0,Default,,0,0,0,,{text}".encode()
        line = av.subtitles.subtitle.SubtitleSet.create(ass, 0, end - start, start)
        packet = stream.codec_context.encode_subtitle(line)
        packet.pts = packet.dts = start
        packet.duration, packet.time_base = end - start, Fraction(1, 1000)
        packet.stream = stream
        packets.append(packet)
    return packets


@dataclass
class Facts:
    """What a plain demux and decode of a file gives, in seconds."""

    pictures: list[Fraction]
    """When each decoded frame of the first video track is shown."""
    duration: Fraction
    """Of the file, as it declares it; to a microsecond."""
    size: tuple[int, int]
    rotation: int
    sample_aspect_ratio: Fraction
    packets: dict[int, list[Fraction]]
    """When each packet begins, by track."""
    time_bases: list[Fraction]
    kinds: list[str]
    codecs: list[str | None]
    tags: dict[str, str]
    track_tags: list[dict[str, str]]
    chapters: list[tuple[Fraction, Fraction, str]]
    captions: list[tuple[Fraction, Fraction, str]]
    """(start, end, text) of the first subtitle track, without the pauses of MP4."""

    def of(self, kind: str) -> list[list[Fraction]]:
        """The packets of all tracks of a kind."""
        return [self.packets.get(i, []) for i, name in enumerate(self.kinds) if name == kind]


@pytest.fixture
def facts() -> Callable[[Path], Facts]:
    """Look at a file without any of the code under test."""
    return look


def look(path: Path) -> Facts:
    packets: dict[int, list[Fraction]] = {}
    with av.open(str(path)) as file:
        for packet in file.demux():
            if packet.size and packet.pts is not None:
                packets.setdefault(packet.stream_index, []).append(packet.pts * packet.time_base)
        contexts = [getattr(stream, "codec_context", None) for stream in file.streams]
        kinds = [stream.type for stream in file.streams]
        time_bases = [stream.time_base for stream in file.streams]
        duration = Fraction(file.duration or 0, av.time_base)
        tags, track_tags = dict(file.metadata), [dict(s.metadata) for s in file.streams]
        chapters = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title", ""))
            for c in file.chapters()
        ]
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = [(frame.pts, frame) for frame in file.decode(stream)]
        base, shape = stream.time_base, stream.sample_aspect_ratio or Fraction(1)
    return Facts(
        pictures=[pts * base for pts, _ in frames],
        duration=duration,
        size=(frames[0][1].width, frames[0][1].height),
        rotation=frames[0][1].rotation,
        sample_aspect_ratio=shape,
        packets=packets,
        kinds=kinds,
        time_bases=time_bases,
        codecs=[c.codec.canonical_name if c else None for c in contexts],
        tags=tags,
        track_tags=track_tags,
        chapters=chapters,
        captions=captions(path),
    )


def captions(path: Path) -> list[tuple[Fraction, Fraction, str]]:
    found = []
    with av.open(str(path)) as file:
        for packet in file.demux(file.streams.subtitles[:1]) if file.streams.subtitles else ():
            if packet.size:
                text = b"".join(line.dialogue for line in packet.decode()).decode()
                text = re.sub(r"\{.*?\}", "", text)  # colours and the like
                start = packet.pts * packet.time_base
                found.append((start, start + packet.duration * packet.time_base, text))
    return [line for line in found if line[2]]


@pytest.fixture
def add_cover(tmp_path: Path) -> Callable[[Path], Path]:
    """Add a cover picture to an MP4 with one track."""

    def add(clip: Path) -> Path:
        path = tmp_path / "covered.mp4"
        with av.open(str(path), "w") as output, av.open(str(clip)) as source:
            cover = output.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
            cover.disposition = Disposition.attached_pic
            own = output.add_stream_from_template(source.streams[0], opaque=True)
            picture = av.VideoFrame.from_ndarray(smooth_noise(32, 32))
            picture.pts = 0
            output.mux([*cover.encode(picture), *cover.encode()])
            for packet in source.demux():
                if packet.size:
                    packet.stream = own
                    output.mux(packet)
        return path

    return add
