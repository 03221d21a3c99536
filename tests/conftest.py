"""What several folders of tests share: small style files and small clips, made by code."""

import importlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import av
import numpy as np
import pytest
import torch
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from vidstyle.cuda import Recording
from vidstyle.jobs.bench.report import STAGES, Ceiling, Row, Spread
from vidstyle.jobs.machine import MachineCard
from vidstyle.perceptual.network import CONVOLUTIONS
from vidstyle.stylizers.networks import build, make_conditional, norms
from vidstyle.stylizers.style_file import save_style
from vidstyle.types import StyleCard, Tier

# The same examples in every run, and no clock that fails a test on a busy machine.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")

# The networks here are tiny: more threads would only wait for each other on a busy machine.
torch.set_num_threads(1)

MakeRow = Callable[..., Row]
MakeStyle = Callable[..., Path]
MakeCollection = Callable[..., Path]
MakeClip = Callable[..., Path]

NETWORKS = {
    "fast": ("FastNet", {"width": 16, "half_width": 8, "full_width": 4}),
    "best": ("BestNet", {"width": 4, "blocks": 1}),
}


CUDA = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(
        not torch.cuda.is_available() and "VIDSTYLE_REQUIRE_CUDA" not in os.environ, reason="no GPU"
    ),
)


@pytest.fixture(params=["cpu", CUDA])
def torch_device(request: pytest.FixtureRequest) -> str:
    """Where torch computes: on the CPU, and on a GPU where there is one."""
    return str(request.param)


@pytest.fixture(params=[None, "cpu", CUDA], ids=["opencv", "torch", "cuda"])
def device(request: pytest.FixtureRequest) -> str | None:
    """What follows and holds pictures: None is OpenCV, else torch on that device."""
    return request.param  # type: ignore[no-any-return]


class _NothingAsked(TorchDispatchMode):
    """Fails where work asks for values, or takes them from the computer's memory."""

    asking = (
        torch.ops.aten._local_scalar_dense.default,
        torch.ops.aten.nonzero.default,
        torch.ops.aten.equal.default,
        torch.ops.aten.masked_select.default,
        torch.ops.aten.lift_fresh.default,
    )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        assert func not in self.asking, f"{func} cannot be part of a CUDA graph"
        return func(*args, **(kwargs or {}))


@pytest.fixture
def recordable(monkeypatch: pytest.MonkeyPatch) -> list[Recording]:
    """All work that a GPU would record must be fit for it; the recordings that were repeated."""
    begun: list[Recording] = []
    repeated: list[Recording] = []
    once = Recording.__call__

    def call(self: Recording, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if self not in begun:
            begun.append(self)
            return once(self, *inputs)
        repeated.append(self)
        with _NothingAsked():
            return once(self, *inputs)

    monkeypatch.setattr(Recording, "__call__", call)
    return repeated


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _no_styles_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is found, and what a test adds does not stay."""
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "styles of the user"))


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
        save_style(path, build(card), [card])
        return path

    return make


@pytest.fixture
def make_collection(tmp_path: Path) -> MakeCollection:
    """Write a file of several styles, with random weights, that share one network."""

    def make(*names: str, tier: Tier = "best", folder: Path = tmp_path) -> Path:
        torch.manual_seed(0)
        network, parameters = NETWORKS[tier]
        cards = [StyleCard(n, n.title(), "P", "1", tier, network, parameters) for n in names]
        together = make_conditional(build(cards[0]), len(names))
        for norm in norms(together).values():
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "collection.safetensors"
        save_style(path, together, cards)
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
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame and a segment at a time, however many cores the machine has that runs the test."""
    monkeypatch.setattr("vidstyle.jobs.style.available_cores", lambda: 1)
    monkeypatch.setattr("vidstyle.jobs.painting.cores.available_cores", lambda: 1)


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


@pytest.fixture(scope="session")
def card() -> MachineCard:
    """A machine that there is not."""
    return MachineCard("Abacus", 2, False, 1.0, (), "Linux 6", "3.11", {"torch": "2"})


@pytest.fixture(scope="session")
def row() -> MakeRow:
    """A row of a benchmark whose figures have no spread."""

    def make(
        costs: Sequence[float], fps: float = 20.0, *, on_gpu: bool = False, cores: int = 2
    ) -> Row:
        return Row(
            style="tiny",
            tier="fast",
            width=100,
            height=50,
            engine="torch cpu float32",
            frames=32,
            rate=25.0,
            fps=Spread.of([fps]),
            stages={stage: Spread.of([cost]) for stage, cost in zip(STAGES, costs, strict=True)},
            on_gpu=on_gpu,
            cores=cores,
            ceiling=Ceiling(fp32_gflops=100, half_gflops=200, copy_gbs=10),
            operations=4e8,
            load_s=1.0,
            first_frame_s=2.0,
            memory_mib=300.0,
            libraries_mib=200.0,
            gpu_memory_mib=None,
        )

    return make


@pytest.fixture(scope="session")
def script() -> Iterator[ModuleType]:
    """The script that renders the sample clip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "samples")
        yield importlib.import_module("render")


@pytest.fixture(scope="session")
def sample(script: ModuleType) -> Any:
    """The sample clip, frame by frame, with its true flow."""
    return script.Sample()


@pytest.fixture
def write_frames(tmp_path: Path) -> MakeClip:
    """Write pictures as a clip, every level kept."""

    def write(
        name: str,
        pictures: Sequence[NDArray[np.uint8]],
        *,
        rate: int = 25,
        every: int = 1,
        folder: Path = tmp_path,
    ) -> Path:
        path = folder / name
        with av.open(str(path), "w") as container:
            options = {"crf": "0", "preset": "ultrafast"}
            video = container.add_stream("libx264rgb", rate=rate, options=options)
            video.pix_fmt = "rgb24"
            video.height, video.width = pictures[0].shape[:2]
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number * every, Fraction(1, rate)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        return path

    return write


@pytest.fixture
def perceptual(tmp_path: Path) -> Path:
    """Write a file of VGG19 with few channels and random weights."""
    torch.manual_seed(0)
    tensors, inputs = {}, 3
    for name in CONVOLUTIONS:
        layer = torch.nn.Conv2d(inputs, 6, 3)
        tensors |= {f"{name}.{key}": value for key, value in layer.state_dict().items()}
        inputs = 6
    path = tmp_path / "vgg.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights of networks can be had: none are here, and none can be downloaded."""

    def fail(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no-networks"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)


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


MakePan = Callable[..., Path]


@pytest.fixture
def make_pan(tmp_path: Path) -> MakePan:
    """Write a clip that pans over a landscape of smooth noise, 40 pixels a second."""

    def make(
        name: str = "pan.mp4",
        *,
        frames: int = 20,
        rate: Fraction | int = 25,
        size: tuple[int, int] = (96, 64),
        seed: int = 0,
        start: float = 0,
        change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda image: image,
    ) -> Path:
        """`start` seconds are left out; `change` is done to every picture, 96x64 when it comes."""
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=rate, options={"crf": "12"})
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            for number in range(frames):
                image = change(landscape(start + number / float(rate), seed))
                picture = av.VideoFrame.from_image(Image.fromarray(image).resize(size))
                picture.pts, picture.time_base = number, 1 / Fraction(rate)
                container.mux(video.encode(picture))
            container.mux(video.encode())
        return path

    return make


def landscape(seconds: float, seed: int) -> NDArray[np.uint8]:
    """What a pan shows at a time: (64, 96, 3) of a wide picture of smooth noise."""
    levels = np.random.default_rng(seed).integers(0, 256, (10, 60, 3)).astype(np.uint8)
    wide = Image.fromarray(levels).resize((480, 80), Image.Resampling.BICUBIC)
    left = 40 * seconds
    return np.asarray(wide.resize((96, 64), Image.Resampling.BICUBIC, (left, 8, left + 96, 72)))
