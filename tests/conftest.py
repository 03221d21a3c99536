"""What several folders of tests share: small style files and small clips, made by code."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.stylizers.networks import build
from vidstyle.stylizers.style_file import save_style
from vidstyle.types import StyleCard, Tier

# The networks here are tiny: more threads would only wait for each other on a busy machine.
torch.set_num_threads(1)

MakeStyle = Callable[..., Path]
MakeClip = Callable[..., Path]

NETWORKS = {
    "fast": ("FastNet", {"width": 16, "half_width": 8, "full_width": 4}),
    "best": ("BestNet", {"width": 4, "blocks": 1}),
}


@pytest.fixture
def make_style(tmp_path: Path) -> MakeStyle:
    """Write a style file with random weights."""

    def make(
        name: str = "tiny", tier: Tier = "fast", folder: Path = tmp_path, seed: int = 0
    ) -> Path:
        torch.manual_seed(seed)
        network, parameters = NETWORKS[tier]
        card = StyleCard(name, "Tiny", "Nobody", "2026", tier, network, parameters)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.{tier}.safetensors"
        save_style(path, build(card), card)
        return path

    return make


@pytest.fixture
def tiny_style(
    tmp_path_factory: pytest.TempPathFactory, make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The name of a `fast` style that the registry finds in the user's folder."""
    folder = tmp_path_factory.mktemp("styles")
    monkeypatch.setenv("VIDSTYLE_STYLES", str(folder))
    make_style("tiny", folder=folder)
    return "tiny"


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Write a clip of moving bars with a tone."""

    def make(
        name: str = "clip.mp4",
        *,
        frames: int = 10,
        size: tuple[int, int] = (64, 48),
        rate: int = 25,
        sound: bool = True,
        folder: Path = tmp_path,
    ) -> Path:
        path = folder / name
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=rate, options={"crf": "10"})
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
            for number in range(frames):
                picture = av.VideoFrame.from_ndarray(bars(number, *size), "rgb24")
                picture.pts, picture.time_base = number, Fraction(1, rate)
                container.mux(video.encode(picture))
            container.mux(video.encode())
            if audio is not None:
                container.mux([p for f in tone(frames / rate) for p in audio.encode(f)])
                container.mux(audio.encode())
        return path

    return make


def bars(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Picture `number` of a clip: coloured stripes that move by two pixels a frame."""
    column = (np.arange(width) + 2 * number) // 8
    levels = np.stack([column * 40, column * 70, column * 110], axis=-1) % 256
    return np.broadcast_to(levels.astype(np.uint8), (height, width, 3)).copy()


def tone(seconds: float, rate: int = 48000) -> list[av.AudioFrame]:
    """440 Hz, cut into the frames that AAC wants."""
    samples = np.arange(round(seconds * rate))
    wave = (0.1 * np.sin(2 * math.pi * 440 * samples / rate)).astype(np.float32)
    frames = []
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        frames.append(frame)
    return frames
