"""Clicks and flashes: seen and heard together before and after a run, whatever the container."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.run import run
from vidstyle.types import EncodeOptions

Make = Callable[..., Path]
Series = Any

MILLISECOND = Fraction(1, 1000)
LENGTH = 4000
MOMENTS = [9, 20, 43]
"""Frames of the flashes, unevenly apart so that they fit in one place only."""


def series(events: list[tuple[Fraction, float]]) -> Series:
    """How strong what happened is, for each millisecond from half a second before zero."""
    strength = np.zeros(LENGTH)
    for time, level in events:
        place = round((time + Fraction(1, 2)) / MILLISECOND)
        if 0 <= place < LENGTH:
            strength[place] = max(strength[place], level)
    return strength


def seen(path: Path) -> Series:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        frames = [(frame, frame.to_ndarray(format="gray").mean()) for frame in file.decode(stream)]
    start = zero(path)
    return series([(f.pts * f.time_base - start, float(level > 128)) for f, level in frames])


def heard(path: Path) -> Series:
    events = []
    with av.open(str(path)) as file:
        planar = av.AudioResampler("fltp")
        for sound in file.decode(file.streams.audio[0]):
            for frame in planar.resample(sound):
                levels = np.abs(frame.to_ndarray()).max(axis=0)
                place = int(levels.argmax())
                time = frame.pts * frame.time_base + Fraction(place, frame.sample_rate)
                events.append((time - zero(path), float(levels[place])))
    return series(events)


def zero(path: Path) -> Fraction:
    """When a file's first picture is shown; broadcasts count from anywhere."""
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        return frame.pts * frame.time_base


def apart(path: Path) -> Fraction:
    """Seconds by which sound comes after picture, where the two correlate best."""
    spectrum = np.fft.rfft(heard(path), 2 * LENGTH) * np.conj(np.fft.rfft(seen(path), 2 * LENGTH))
    shift = int(np.fft.irfft(spectrum).argmax())
    return (shift - 2 * LENGTH if shift > LENGTH else shift) * MILLISECOND


X264 = {"crf": "20", "preset": "veryfast", "bf": "2"}
UNEVEN = [number * 3 + (number % 3) for number in range(50)]
SOURCES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "mp4": ("clip.mp4", {}, {"codec": "aac"}),
    "mp4, sound later": ("clip.mp4", {}, {"codec": "aac", "start": Fraction(1, 7)}),
    "mp4, pictures later": ("clip.mp4", {"pts": range(7, 57)}, {"codec": "aac"}),
    "mp4, variable": ("clip.mp4", {"pts": UNEVEN, "time_base": Fraction(1, 75)}, {"codec": "aac"}),
    "mp4, a gap": ("clip.mp4", {"pts": [*range(15), *range(25, 60)]}, {"codec": "aac"}),
    "mov": ("clip.mov", {}, {"codec": "pcm_s16le"}),
    "mov, rotated": (
        "clip.mov",
        {"matrix": [0, -65536, 0, 65536, 0, 0, 0, 0, 1 << 30]},
        {"codec": "alac", "rate": 44_100},
    ),
    "mkv": ("clip.mkv", {}, {"codec": "flac"}),
    "mkv, vorbis": ("clip.mkv", {}, {"codec": "vorbis"}),
    "webm": ("clip.webm", {"codec": "libvpx-vp9", "options": {}}, {"codec": "libopus"}),
    "avi": ("clip.avi", {"codec": "mpeg4", "options": {}}, {"codec": "libmp3lame"}),
    "ts": ("clip.ts", {}, {"codec": "aac"}),
    "ts, mp2": ("clip.ts", {"codec": "mpeg2video", "options": {}}, {"codec": "mp2"}),
    "mpg": ("clip.mpg", {"codec": "mpeg2video", "options": {}}, {"codec": "mp2"}),
    "flv": ("clip.flv", {"options": X264}, {"codec": "aac", "rate": 44_100}),
}


@pytest.mark.usefixtures("tiny_style")
@pytest.mark.parametrize("container", [None, "mkv", "webm"])
@pytest.mark.parametrize("source", SOURCES)
def test_sound_stays_in_step(make_media: Make, source: str, container: str | None) -> None:
    name, video, sound = SOURCES[source]
    video = {"pts": range(50), "options": X264, "pixel_format": "yuv420p"} | video
    dark, bright = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    images = [bright if number in MOMENTS else dark for number in range(50)]
    base = video.get("time_base", Fraction(1, 25))
    clicks = [video["pts"][number] * base for number in MOMENTS]
    sound = {"seconds": Fraction(5, 2), "clicks": clicks} | sound
    clip = make_media(name, images=images, rate=Fraction(25), sounds=[sound], **video)
    before = apart(clip)
    assert abs(before) < Fraction(1, 25)  # the clip itself is as it should be
    output = clip.with_name(f"out.{container}") if container else None
    config = RunConfig(
        (clip,),
        "tiny",
        output,
        strength=0,
        consistency=0,
        device="cpu",
        engine="torch",
        encode=EncodeOptions("libvpx-vp9" if container == "webm" else "libx264"),
    )
    (report,) = run(config).files
    assert (seen(report.output) > 0).sum() == len(MOMENTS)
    assert abs(apart(report.output) - before) <= 5 * MILLISECOND
