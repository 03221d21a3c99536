"""Engines: the same painting whatever runs it, at the frame's own size."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.errors import ResourceError, UsageError
from vidstyle.stylizers.engine import FramePainter, OpenVinoEngine, TorchEngine, open_engine
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.stylizers.style_file import load_network, read_card

MakeStyle = Callable[..., Path]


def smooth_frames(count: int, height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 7 + k) + np.cos(columns / 9 - k) for k in range(3 * count)]
    pixels = np.stack(waves).reshape(count, 3, height, width).transpose(0, 2, 3, 1)
    return (127 + 60 * pixels).astype(np.uint8)


def reference(path: Path, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paint in fp32 torch."""
    network = load_network(path, read_card(path))
    painter = FramePainter(network, *frames.shape[1:3])
    with torch.no_grad():
        return painter(torch.from_numpy(frames)).numpy()


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_engines_agree_with_fp32_at_any_size(
    make_style: MakeStyle, engine: str, size: tuple[int, int]
) -> None:
    path = make_style()
    frames = smooth_frames(2, *size)
    style = StyleRegistry([]).find(str(path), "fast")
    opened = open_engine(style, height=size[0], width=size[1], device="cpu", engine=engine)
    painted = opened.paint(frames)
    assert painted.shape == frames.shape
    assert painted.dtype == np.uint8
    assert psnr(painted, reference(path, frames)) > 40
    assert engine in opened.name


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_frames_smaller_than_the_network_needs_are_painted(
    make_style: MakeStyle, engine: str
) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    opened = open_engine(style, height=2, width=3, device="cpu", engine=engine)
    assert opened.paint(smooth_frames(2, 2, 3)).shape == (2, 2, 3, 3)


def test_a_batch_is_painted_as_its_frames_are(make_style: MakeStyle) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    engine = open_engine(style, height=40, width=48, device="cpu", engine="torch")
    frames = smooth_frames(3, 40, 48)
    single = np.concatenate([engine.paint(frame[None]) for frame in frames])
    assert np.array_equal(engine.paint(frames), single)


def test_auto_prefers_openvino_on_a_cpu_and_says_when_it_is_not_there(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    assert isinstance(open_engine(style, height=24, width=24, device="cpu"), OpenVinoEngine)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    fallback = open_engine(style, height=24, width=24, device="cpu")
    assert isinstance(fallback, TorchEngine)
    assert "OpenVINO is not installed" in fallback.notes[0]
    with pytest.raises(ResourceError, match="not installed"):
        open_engine(style, height=24, width=24, device="cpu", engine="openvino")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"engine": "magic"}, UsageError),
        ({"device": "abacus"}, UsageError),
        ({"device": "meta", "engine": "openvino"}, UsageError),
    ],
)
def test_what_cannot_work_is_refused(
    make_style: MakeStyle, options: dict[str, str], error: type[Exception]
) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    with pytest.raises(error):
        open_engine(style, height=24, width=24, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said(make_style: MakeStyle) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    with pytest.raises(ResourceError, match="--device cpu"):
        open_engine(style, height=24, width=24, device="cuda")


@pytest.mark.skipif(
    not torch.cuda.is_available() and "VIDSTYLE_REQUIRE_CUDA" not in os.environ, reason="no GPU"
)
def test_cuda_paints_as_the_cpu_does(make_style: MakeStyle) -> None:
    path = make_style()
    frames = smooth_frames(2, 48, 64)
    style = StyleRegistry([]).find(str(path), "fast")
    painted = open_engine(style, height=48, width=64, device="cuda").paint(frames)
    assert psnr(painted, reference(path, frames)) > 40
