"""Engines: a style's network made ready to paint batches of one size on one device.

All take and give uint8 frames, so that conversion, padding and rounding happen where the network
runs, and in one place: `FramePainter`.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from vidstyle.errors import ResourceError, UsageError
from vidstyle.stylizers.device import choose_device, has_bfloat16
from vidstyle.stylizers.networks import StyleNetwork
from vidstyle.stylizers.registry import StyleFile
from vidstyle.stylizers.style_file import load_network

ENGINES: Final = ("auto", "torch", "openvino")


class Engine(Protocol):
    """Paints frames of one size."""

    name: str
    """Engine, device and precision, for people."""
    notes: tuple[str, ...]
    """What was not as asked or expected, a sentence each."""

    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) RGB frames, 0-255; the result has the same shape."""
        ...


class FramePainter(nn.Module):
    """A network between uint8 frames: scales, pads to what the network needs, crops, rounds."""

    def __init__(self, network: StyleNetwork, height: int, width: int) -> None:
        super().__init__()
        self.network = network
        self.height, self.width = height, width
        rows, columns = (
            max(network.least, -(-n // network.multiple) * network.multiple) - n
            for n in (height, width)
        )
        self.padding = (0, columns, 0, rows)

    def forward(self, frames: Tensor) -> Tensor:
        """(N, H, W, 3) uint8 to the same."""
        x = frames.permute(0, 3, 1, 2).float() / 255.0
        painted: Tensor = self.network(F.pad(x, self.padding, mode="replicate"))
        pixels = painted[..., : self.height, : self.width].float() * 255.0
        return pixels.round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)


class TorchEngine:
    """Runs a network in torch: half precision where the device computes it, norms in fp32."""

    def __init__(
        self, painter: FramePainter, device: torch.device, notes: tuple[str, ...] = ()
    ) -> None:
        self.painter = painter.to(device)
        self.device = device
        self.notes = notes
        self.half = torch.float16 if device.type == "cuda" else torch.bfloat16
        self.uses_half = device.type == "cuda" or has_bfloat16(device)
        precision = str(self.half).removeprefix("torch.") if self.uses_half else "float32"
        self.name = f"torch {device} {precision}"

    @torch.inference_mode()
    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) frames.

        Raises:
            ResourceError: the device's memory does not hold a frame of this size.
        """
        frames = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
        try:
            with torch.autocast(self.device.type, self.half, enabled=self.uses_half):
                return self.painter(frames).cpu().numpy()  # type: ignore[no-any-return]
        except torch.OutOfMemoryError as error:
            raise ResourceError(
                f"{self.device}: too little memory for {batch.shape[2]}x{batch.shape[1]} frames; "
                "try --tier fast, or --device cpu"
            ) from error


class OpenVinoEngine:
    """Runs a network compiled by OpenVINO: the fastest there is on CPUs."""

    def __init__(self, painter: FramePainter) -> None:
        import openvino

        half = has_bfloat16(torch.device("cpu"))
        example = torch.zeros(1, painter.height, painter.width, 3, dtype=torch.uint8)
        # OpenVINO's own tracing checks itself by running the network thrice, which costs seconds.
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that tracing fixes, as they are here
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                painter, example, check_trace=False
            )
        model = openvino.convert_model(traced, example_input=example)
        model.reshape([-1, painter.height, painter.width, 3])
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": available_cores(),
        }
        self.request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
        self.name = f"openvino cpu {'bfloat16' if half else 'float32'}"
        self.notes: tuple[str, ...] = ()

    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) frames."""
        result = self.request.infer([np.ascontiguousarray(batch)])
        return np.array(next(iter(result.values())))


def open_engine(
    style: StyleFile, *, height: int, width: int, device: str = "auto", engine: str = "auto"
) -> Engine:
    """Load a style and make it ready for frames of one size.

    Args:
        style: what `StyleRegistry.find` gave.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: "auto" takes OpenVINO on CPUs, where it is two to three times as fast, else torch.

    Raises:
        StyleError: the style's file is broken.
        UsageError: engine and device are unknown, or do not go together.
        ResourceError: the device or OpenVINO is not there.
    """
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    chosen = choose_device(device)
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "openvino" and chosen.type != "cpu":
        raise UsageError(f"engine openvino runs on the CPU, not on {chosen}; add --device cpu")
    if engine == "openvino" and not installed:
        raise ResourceError(
            "engine openvino is not installed; pip install openvino, or --engine torch"
        )
    painter = FramePainter(load_network(style.path, style.card), height, width).eval()
    if chosen.type != "cpu" or engine == "torch":
        return TorchEngine(painter, chosen)
    if not installed:
        return TorchEngine(
            painter, chosen, ("OpenVINO is not installed: painting with torch, slower",)
        )
    return _open_vino_or_torch(painter, chosen, engine)


def _open_vino_or_torch(painter: FramePainter, device: torch.device, engine: str) -> Engine:
    try:
        return OpenVinoEngine(painter)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        if engine == "openvino":
            raise ResourceError(
                f"OpenVINO cannot run this style here ({reason}); try --engine torch"
            ) from error
        return TorchEngine(
            painter, device, (f"OpenVINO failed ({reason}): painting with torch, slower",)
        )


def available_cores() -> int:
    """Processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
