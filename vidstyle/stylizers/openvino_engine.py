"""Painting with OpenVINO: the fastest there is on CPUs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import openvino
from numpy.typing import NDArray

from vidstyle.errors import is_shortage
from vidstyle.stylizers.device import frames_at_a_time
from vidstyle.stylizers.engine import Engine
from vidstyle.stylizers.graph_cache import graph_file, keep
from vidstyle.stylizers.registry import StyleFile

if TYPE_CHECKING:
    from vidstyle.stylizers.torch_engine import TorchEngine

T = TypeVar("T")
Frames = NDArray[np.uint8]


class OpenVinoEngine(Engine):
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
        # As many again wait until a thread is free: requests hold pictures, threads the rest.
        self._slots = [_Slot(compiled.create_infer_request()) for _ in range(2 * streams)]
        self._turns = cycle(range(len(self._slots)))
        self.name = f"openvino cpu {'bfloat16' if half else 'float32'}"
        self._shares: list[NDArray[np.float32]] = []
        if style.schedule:
            self.choose(style.shares)

    @property
    def pulse(self) -> int:
        """Changes with every piece that torch does, where that had to take over."""
        return 0 if self._successor is None else self._successor.pulse

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as expected, a sentence each."""
        return () if self._successor is None else self._successor.notes

    def choose(self, shares: Sequence[float]) -> None:
        """From now on, begin with so much of each style."""
        self._shares = [np.array(shares, np.float32)]

    def begin(self, batch: Frames) -> Callable[[], Frames]:
        """Begin to paint (N, H, W, 3) frames; what comes back, called, waits for them.

        Raises:
            ResourceError: when it is waited for, and memory does not hold a tile of a frame.
            StyleError: likewise, and the network gives no numbers.
        """
        batch, shares = np.ascontiguousarray(batch), self._shares
        begun = self._unless_short(lambda: self._begin(batch, shares))

        def finished() -> Frames:
            painted = begun and self._unless_short(begun)
            return self._paint_by_successor(batch, shares) if painted is None else painted

        return finished

    def _begin(self, batch: Frames, shares: list[NDArray[np.float32]]) -> Callable[[], Frames]:
        painted = np.empty_like(batch)
        # By their numbers: what held on to slots would keep their memory when torch needs it.
        turns = [next(self._turns) for _ in batch]
        for number, turn in enumerate(turns):
            place = slice(number, number + 1)
            self._slots[turn].begin(batch[place], shares, painted[place])

        def finished() -> Frames:
            for turn in turns:
                self._slots[turn].wait()
            return painted

        return finished

    def _unless_short(self, work: Callable[[], T]) -> T | None:
        """What `work` gives; None once memory has not sufficed: from then on, torch paints."""
        if self._successor is None:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_shortage(error):
                    raise
            # Out of the block: the exception holds on to the memory of what failed.
            self._hand_over()
        return None

    def _hand_over(self) -> None:
        from vidstyle.stylizers.torch_engine import TorchEngine

        for slot in self._slots:
            with suppress(RuntimeError):  # one failed, and others may have
                slot.wait()
        self._slots.clear()  # torch needs its memory
        notes = ("OpenVINO is short of memory: painting with torch, slower",)
        self._successor = TorchEngine(self._style, *self._size, "cpu", notes)

    def _paint_by_successor(self, batch: Frames, shares: list[NDArray[np.float32]]) -> Frames:
        assert self._successor is not None
        for chosen in shares:
            self._successor.choose(chosen.tolist())
        painted: Frames = self._successor.paint(batch)
        return painted


class _Slot:
    """A request, and the pictures that it reads and writes: they must outlive its work."""

    def __init__(self, request: openvino.InferRequest) -> None:
        self._request = request
        self._pictures: tuple[Frames, Frames] | None = None

    def begin(self, frame: Frames, shares: list[NDArray[np.float32]], painted: Frames) -> None:
        """Begin to paint (1, H, W, 3) into `painted`, once what it painted before is done."""
        self.wait()
        self._pictures = frame, painted
        self._request.set_output_tensor(openvino.Tensor(painted, shared_memory=True))
        self._request.start_async([frame, *shares], share_inputs=True)

    def wait(self) -> None:
        """Return when it is done."""
        self._request.wait()


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
