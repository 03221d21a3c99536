"""Painting with OpenVINO: the fastest there is on CPUs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino
from numpy.typing import NDArray

from vidstyle.errors import is_shortage
from vidstyle.stylizers.device import frames_at_a_time
from vidstyle.stylizers.graph_cache import graph_file, keep
from vidstyle.stylizers.registry import StyleFile

if TYPE_CHECKING:
    from vidstyle.stylizers.torch_engine import TorchEngine


class OpenVinoEngine:
    """Runs a network compiled by OpenVINO, in bfloat16 where the processor computes it.

    Frames of a batch are painted side by side, a thread each unless they are huge: a thread that
    has a frame to itself waits for no other, and paints the same whatever the number of cores.

    Where memory comes to be short, torch paints the rest, in tiles if need be; the name stays, for
    a run that goes on later is the same run. Numbers need no second look: bfloat16 reaches as far
    as float32, which holds all weights.
    """

    def __init__(self, style: StyleFile, height: int, width: int, threads: int) -> None:
        """Open the style for frames of one size.

        Raises:
            StyleError: the style's file is broken.
            RuntimeError: OpenVINO cannot compile it.
        """
        self._style, self._size = style, (height, width)
        self._successor: TorchEngine | None = None
        core = openvino.Core()
        half = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        streams = frames_at_a_time(height, width, threads)
        options = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        }
        compiled = core.compile_model(_graph(core, style, height, width), "CPU", options)
        self.queue = openvino.AsyncInferQueue(compiled, streams)
        self.name = f"openvino cpu {'bfloat16' if half else 'float32'}"
        self.notes: tuple[str, ...] = ()
        self._shares: list[NDArray[np.float32]] = []
        if style.schedule:
            self.choose(style.shares)

    def choose(self, shares: Sequence[float]) -> None:
        """From now on, paint so much of each style."""
        self._shares = [np.array(shares, np.float32)]
        if self._successor is not None:
            self._successor.choose(shares)

    def paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Paint (N, H, W, 3) frames.

        Raises:
            ResourceError: memory does not hold a tile of a frame.
        """
        if self._successor is None:
            try:
                return self._paint(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_shortage(error):
                    raise
            # Out of the block: the exception holds on to the memory of what failed.
            self._successor = self._hand_over()
        painted: NDArray[np.uint8] = self._successor.paint(batch)
        self.notes = self._successor.notes
        return painted

    def _hand_over(self) -> TorchEngine:
        from vidstyle.stylizers.torch_engine import TorchEngine

        del self.queue  # torch needs its memory
        self.notes = ("OpenVINO is short of memory: painting with torch, slower",)
        successor = TorchEngine(self._style, *self._size, "cpu", self.notes)
        for shares in self._shares:
            successor.choose(shares.tolist())
        return successor

    def _paint(self, batch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        batch = np.ascontiguousarray(batch)
        painted = np.empty_like(batch)

        def take(request: openvino.InferRequest, place: int) -> None:
            painted[place] = request.get_output_tensor().data[0]

        self.queue.set_callback(take)
        for place in range(len(batch)):
            self.queue.start_async(
                [batch[place : place + 1], *self._shares], place, share_inputs=True
            )
        self.queue.wait_all()
        return painted


def _graph(core: openvino.Core, style: StyleFile, height: int, width: int) -> openvino.Model:
    """The style's graph for one size of frame, from the cache if it lies there."""
    cached = graph_file(style, height, width)
    try:
        return core.read_model(cached)
    except RuntimeError:  # it is not there, or damaged
        model = _convert(style, height, width)
        keep(model, cached)
        return model


def _convert(style: StyleFile, height: int, width: int) -> openvino.Model:
    import torch

    from vidstyle.stylizers.painter import FramePainter
    from vidstyle.stylizers.style_file import load_network

    network = load_network(style)
    painter = FramePainter(network, height, width).eval()
    example = [torch.zeros(1, height, width, 3, dtype=torch.uint8)]
    if style.schedule:
        example.append(torch.tensor(style.shares))
    # OpenVINO's own tracing checks itself by running the network thrice, which costs seconds.
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes that tracing fixes, as they are here
        traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            painter, tuple(example), check_trace=False
        )
    model = openvino.convert_model(traced, example_input=example)
    # A batch size that is left open costs a sixth of the time.
    model.reshape({place: list(tensor.shape) for place, tensor in enumerate(example)})
    return model
