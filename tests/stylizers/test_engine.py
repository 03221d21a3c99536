"""Engines: the same painting whatever runs it, at the frame's own size."""

import gc
import importlib.util
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.cuda import Recording
from vidstyle.errors import ResourceError, StyleError, UsageError
from vidstyle.stylizers import graph_cache, openvino_engine, torch_engine
from vidstyle.stylizers.card import read_cards
from vidstyle.stylizers.engine import open_engine
from vidstyle.stylizers.graph_cache import graph_file
from vidstyle.stylizers.networks import BORDER, FastNet
from vidstyle.stylizers.openvino_engine import OpenVinoEngine
from vidstyle.stylizers.painter import FramePainter
from vidstyle.stylizers.registry import StyleFile, StyleRegistry
from vidstyle.stylizers.style_file import load_network
from vidstyle.stylizers.torch_engine import TorchEngine
from vidstyle.types import Tier

MakeStyle = Callable[..., Path]


def smooth_frames(count: int, height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / 7 + k) + np.cos(columns / 9 - k) for k in range(3 * count)]
    pixels = np.stack(waves).reshape(count, 3, height, width).transpose(0, 2, 3, 1)
    return (127 + 60 * pixels).astype(np.uint8)


def reference(path: Path, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Paint in fp32 torch."""
    network = load_network(StyleFile(path, read_cards(path)[0]))
    painter = FramePainter(network, *frames.shape[1:3])
    with torch.no_grad():
        return painter(torch.from_numpy(frames)).numpy()


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    """The most levels between two paintings."""
    return int(np.abs(a.astype(int) - b).max())


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


@torch.no_grad()
@pytest.mark.parametrize("size", [(48, 64), (37, 51), (2, 3)])
def test_a_residual_network_paints_a_border_that_is_cut_off(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = FastNet(width=8, residual=True)
    torch.nn.init.normal_(network.to_full.colour.weight)
    frames = torch.from_numpy(smooth_frames(1, *size))
    painter = FramePainter(network, *size)
    around = painter.prepare(frames)
    assert min(around.shape[2] - size[0], around.shape[3] - size[1]) >= 2 * BORDER
    inside = network(around)[..., BORDER : BORDER + size[0], BORDER : BORDER + size[1]]
    painted = painter(frames)
    assert painted.shape == frames.shape
    assert torch.equal(painted, (inside * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1))
    shown = around[..., BORDER : BORDER + size[0], BORDER : BORDER + size[1]]
    assert torch.equal((shown * 255).round().byte().permute(0, 2, 3, 1), frames)


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


def test_a_tensor_is_painted_where_it_lies(make_style: MakeStyle, torch_device: str) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    engine = TorchEngine(style, 40, 48, torch_device)
    for seed in range(4):  # from the second on a GPU replays
        frames = np.roll(smooth_frames(2, 40, 48), seed, axis=1)
        painted = engine.paint(torch.from_numpy(frames).to(torch_device))
        assert painted.device.type == torch_device
        assert np.array_equal(painted.cpu().numpy(), engine.paint(frames))
    assert not engine.notes


@pytest.mark.parametrize("tier", ["fast", "best"])
def test_painting_can_be_recorded(
    make_style: MakeStyle, tier: Tier, recordable: list[Recording]
) -> None:
    style = StyleRegistry([]).find(str(make_style(tier=tier)), tier)
    engine = TorchEngine(style, 37, 51, "cpu")
    for _ in range(3):
        engine.paint(smooth_frames(2, 37, 51))
    assert len(recordable) == 2


def test_the_order_in_memory_makes_no_difference(make_style: MakeStyle) -> None:
    path, frames = make_style(), smooth_frames(2, 40, 48)
    engine = torch_engine_of(path, 40, 48)
    engine.painter.to(memory_format=torch.channels_last)
    assert apart(engine.paint(frames), reference(path, frames)) <= 1


def torch_engine_of(path: Path, height: int, width: int, *, half: bool = False) -> TorchEngine:
    """An engine that computes in half precision, or does not, whatever this processor can do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_engine, "has_bfloat16", lambda _: half)
        return TorchEngine(StyleRegistry([]).find(str(path), "fast"), height, width, "cpu")


class Machine:
    """A torch engine whose network fails beyond a number of pixels, or in half precision."""

    def __init__(
        self, path: Path, size: tuple[int, int], *, pixels: float = np.inf, half: bool = False
    ) -> None:
        self.engine = torch_engine_of(path, *size, half=half)
        self.batches: list[int] = []
        self.error: Exception = torch.OutOfMemoryError("CUDA out of memory")

        def check(_: object, inputs: tuple[torch.Tensor]) -> None:
            (x,) = inputs
            if x.shape[0] * x.shape[2] * x.shape[3] > pixels:
                raise self.error
            self.batches.append(x.shape[0])

        self.engine.painter.network.register_forward_pre_hook(check)

    def overflow(self, *, always: bool = False) -> None:
        def spoil(_: object, __: object, painted: torch.Tensor) -> torch.Tensor:
            painted[0, 0, 3, 5] = np.nan if torch.is_autocast_enabled("cpu") or always else 0.5
            return painted

        self.engine.painter.network.register_forward_hook(spoil)


def test_fewer_frames_at_a_time_where_memory_is_short(make_style: MakeStyle) -> None:
    path, frames = make_style(), smooth_frames(5, 40, 48)
    machine = Machine(path, (40, 48), pixels=2 * 40 * 48)
    for _ in range(2):
        assert apart(machine.engine.paint(frames), reference(path, frames)) <= 1
    assert machine.batches == [2, 2, 1] * 2
    assert machine.engine.notes == ("cpu is short of memory: painting fewer frames at a time",)


SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("input tensor must fit into 32-bit index math"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    MemoryError(),
]


@pytest.mark.parametrize("error", SHORTAGES)
def test_tiles_where_memory_does_not_hold_a_frame(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(torch_engine, "TILES", (160, 64))
    path, frames = make_style(), smooth_frames(2, 250, 280)
    machine = Machine(path, (250, 280), pixels=230 * 230)
    machine.error = error
    assert apart(machine.engine.paint(frames), reference(path, frames)) <= 1
    assert machine.engine.pulse > 2 * 25, "every tile is a sign of life"
    assert [note.rpartition(": ")[2] for note in machine.engine.notes] == [
        "painting fewer frames at a time",
        "painting in tiles of 160, much slower",
        "painting in tiles of 64, much slower",
    ]


def test_tiles_are_no_part_of_a_graph(
    make_style: MakeStyle, recordable: list[Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the next tile does depends on what the last ones found."""
    monkeypatch.setattr(torch_engine, "TILES", (64,))
    machine = Machine(make_style(), (250, 280), pixels=230 * 230)
    recordable.clear()
    for _ in range(3):
        machine.engine.paint(smooth_frames(1, 250, 280))
    assert not recordable


def test_an_engine_goes_when_nobody_needs_it(make_style: MakeStyle) -> None:
    """At once, and with it what a GPU has recorded: gigabytes."""
    engine = torch_engine_of(make_style(), 24, 32)
    engine.paint(smooth_frames(1, 24, 32))
    gone = weakref.ref(engine)
    gc.disable()
    try:
        del engine
        assert gone() is None
    finally:
        gc.enable()


def test_too_little_memory_for_a_tile_is_said(make_style: MakeStyle) -> None:
    machine = Machine(make_style(), (40, 48), pixels=100)
    with pytest.raises(ResourceError, match="too little memory for 48x40 frames, even in tiles"):
        machine.engine.paint(smooth_frames(1, 40, 48))


def test_other_failures_are_not_taken_for_it(make_style: MakeStyle) -> None:
    machine = Machine(make_style(), (40, 48), pixels=100)
    machine.error = RuntimeError("a kernel is missing")
    with pytest.raises(RuntimeError, match="a kernel is missing"):
        machine.engine.paint(smooth_frames(1, 40, 48))


def test_what_overflows_in_half_precision_is_painted_in_fp32_and_said_once(
    make_style: MakeStyle,
) -> None:
    path, frames = make_style(), smooth_frames(2, 40, 48)
    machine = Machine(path, (40, 48), half=True)
    machine.overflow()
    for _ in range(2):
        painted = machine.engine.paint(frames)
        wanted = reference(path, frames)
        wanted[0, 3, 5, 0] = painted[0, 3, 5, 0]
        assert apart(painted, wanted) <= 1
    (note,) = machine.engine.notes
    assert "overflows here: painting such frames in float32" in note


def test_a_network_that_paints_no_numbers_is_an_error(make_style: MakeStyle) -> None:
    machine = Machine(make_style(), (40, 48), half=True)
    machine.overflow(always=True)
    with pytest.raises(StyleError, match="gives no numbers"):
        machine.engine.paint(smooth_frames(1, 40, 48))


NO_ROOM = RuntimeError("Check 'ptr' failed:\nFailed to allocate 265805056 bytes of memory\n")


@pytest.mark.parametrize("error", [NO_ROOM, MemoryError()])
def test_torch_goes_on_where_openvino_is_short_of_memory(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path, frames = make_style(), smooth_frames(2, 40, 48)
    engine = OpenVinoEngine(StyleRegistry([]).find(str(path), "fast"), 40, 48, threads=1)
    name, whole = engine.name, engine.paint(frames)
    tries: list[int] = []

    def fail(_: object, batch: NDArray[np.uint8], __: object) -> None:
        tries.append(len(batch))
        raise error

    monkeypatch.setattr(OpenVinoEngine, "_begin", fail)
    for _ in range(2):
        assert psnr(engine.paint(frames), whole) > 40
    assert tries == [2]
    assert engine.notes == ("OpenVINO is short of memory: painting with torch, slower",)
    assert engine.name == name  # or a run that goes on in a new process would be another one


def test_what_was_begun_when_memory_ran_short_is_painted_by_torch(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortage shows when a batch is waited for; the next one has begun by then."""
    frames = smooth_frames(2, 40, 48)
    engine = OpenVinoEngine(StyleRegistry([]).find(str(make_style()), "fast"), 40, 48, threads=1)
    whole = [engine.paint(frame[None]) for frame in frames]
    first, second = (engine.begin(frame[None]) for frame in frames)

    def fail(_: object) -> None:
        raise NO_ROOM

    with monkeypatch.context() as patch:
        patch.setattr(openvino.InferRequest, "wait", fail)
        assert psnr(first(), whole[0]) > 40
    assert psnr(second(), whole[1]) > 40
    assert psnr(whole[0], whole[1]) < 40
    assert engine.notes == ("OpenVINO is short of memory: painting with torch, slower",)


def test_more_batches_begin_than_the_processor_has_threads(make_style: MakeStyle) -> None:
    frames = smooth_frames(7, 40, 48)
    engine = OpenVinoEngine(StyleRegistry([]).find(str(make_style()), "fast"), 40, 48, threads=1)
    begun = [engine.begin(frame[None]) for frame in frames]
    painted = np.concatenate([finished() for finished in begun])
    assert np.array_equal(painted, engine.paint(frames))
    assert len({picture.tobytes() for picture in painted}) == 7


def test_the_notes_of_the_engine_that_takes_over_are_passed_on(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OpenVinoEngine(StyleRegistry([]).find(str(make_style()), "fast"), 40, 48, threads=1)

    def fail(*_: object, **__: object) -> NDArray[np.uint8]:
        raise MemoryError

    monkeypatch.setattr(OpenVinoEngine, "_begin", fail)
    engine.paint(smooth_frames(1, 40, 48))
    monkeypatch.setattr(torch_engine.TorchEngine, "_paint", fail)
    with pytest.raises(ResourceError, match="even in tiles"):
        engine.paint(smooth_frames(1, 40, 48))
    assert "much slower" in engine.notes[-1]


def test_openvino_keeps_what_it_writes_to_and_lets_go_of_all_when_torch_takes_over(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OpenVinoEngine(StyleRegistry([]).find(str(make_style()), "fast"), 40, 48, threads=1)
    made: list[weakref.ref[NDArray[np.uint8]]] = []
    empty = np.empty_like

    def noted(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        made.append(weakref.ref(painted := empty(array)))
        return painted

    monkeypatch.setattr(np, "empty_like", noted)
    begun = engine.begin(smooth_frames(1, 40, 48))
    del begun  # as when a run is stopped: the picture is still being written
    assert made[0]() is not None
    begun = engine.begin(smooth_frames(1, 40, 48))
    slots = [weakref.ref(slot) for slot in engine._slots]
    engine._hand_over()
    assert [slot() for slot in slots] == [None, None]
    assert begun().any()


def test_other_failures_of_openvino_are_not_taken_for_it(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OpenVinoEngine(StyleRegistry([]).find(str(make_style()), "fast"), 24, 24, threads=1)

    def fail(*_: object) -> NDArray[np.uint8]:
        raise RuntimeError("a kernel is missing")

    monkeypatch.setattr(OpenVinoEngine, "_begin", fail)
    with pytest.raises(RuntimeError, match="a kernel is missing"):
        engine.paint(smooth_frames(1, 24, 24))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(NO_ROOM, "Failed to allocate 265805056 bytes of memory"), (MemoryError(), "out of memory")],
)
def test_torch_paints_where_openvino_has_no_room_to_begin(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(openvino_engine, "_graph", fail)
    style = StyleRegistry([]).find(str(make_style()), "fast")
    engine = open_engine(style, height=24, width=24, device="cpu")
    assert isinstance(engine, TorchEngine)
    assert engine.notes == (f"OpenVINO failed ({reason}): painting with torch, slower",)


def test_a_graph_is_converted_once(make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch) -> None:
    style = StyleRegistry([]).find(str(make_style()), "fast")
    frames = smooth_frames(1, 24, 32)
    first = OpenVinoEngine(style, 24, 32, threads=1).paint(frames)
    with monkeypatch.context() as patch:
        patch.delattr(openvino_engine, "_convert")
        assert np.array_equal(OpenVinoEngine(style, 24, 32, threads=1).paint(frames), first)
    graph_file(style, 24, 32).write_text("<net")
    assert np.array_equal(OpenVinoEngine(style, 24, 32, threads=1).paint(frames), first)


def test_another_style_or_size_is_another_graph(make_style: MakeStyle) -> None:
    paths = [make_style(f"s{seed}", seed=seed) for seed in (1, 2)]
    styles = [StyleFile(path, read_cards(path)[0], way) for path in paths for way in (False, True)]
    files = {graph_file(style, *size) for style in styles for size in ((24, 32), (32, 24))}
    assert len(files) == 8


def test_few_graphs_are_kept(make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_cache, "MOST_GRAPHS", 2)
    style = StyleRegistry([]).find(str(make_style()), "fast")
    for height in (24, 28, 32):
        OpenVinoEngine(style, height, 24, threads=1)
    assert len(list(graph_cache.cache_folder().iterdir())) == 2
    assert graph_file(style, 32, 24).exists()


def test_a_cache_that_cannot_be_written_only_costs_time(
    make_style: MakeStyle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    style = StyleRegistry([]).find(str(make_style()), "fast")
    assert OpenVinoEngine(style, 24, 32, threads=1).paint(smooth_frames(2, 24, 32)).any()


PAINT_ONCE = """
from vidstyle.jobs.style import load_style
import numpy, sys
print(load_style(sys.argv[1], device="cpu", engine="openvino").paint(numpy.zeros((8, 8, 3), "u1")))
"""


def test_painting_reports_nothing_to_anybody(make_style: MakeStyle, tmp_path: Path) -> None:
    """OpenVINO's reporter would give the user a number, below the home folder, and send that."""
    home, style = tmp_path / "home", make_style()
    home.mkdir()
    reported = {"CI", "TF_BUILD", "JENKINS_URL"}  # where the reporter holds its tongue anyway
    environment = {name: value for name, value in os.environ.items() if name not in reported}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    painting = [sys.executable, "-c", PAINT_ONCE, str(style)]
    assert subprocess.run(painting, env=environment, capture_output=True, check=True).stdout
    assert list((tmp_path / "cache").rglob("graph.xml")), "nothing was converted"
    assert not list(home.iterdir())
