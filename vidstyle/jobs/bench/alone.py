"""Every stage of a frame's way by itself; this runs in a process of its own, on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from time import perf_counter, process_time
from typing import TYPE_CHECKING, TypeVar

from vidstyle.coherence.blend import Steadier
from vidstyle.jobs.bench.ceiling import ceiling, operations
from vidstyle.jobs.bench.footage import Footage, to_and_fro
from vidstyle.jobs.bench.report import (
    BLEND,
    DECODE,
    ENCODE,
    FLOW,
    STYLIZE,
    TO_RGB,
    TO_YUV,
    Ceiling,
    Spread,
)
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.cores import readers
from vidstyle.jobs.style import Style, load_style
from vidstyle.motion.ops import Array, Ops
from vidstyle.stylizers.device import choose_device
from vidstyle.stylizers.registry import StyleRegistry
from vidstyle.video.bars import Bars
from vidstyle.video.steps import decode, encode, to_rgb, to_yuv
from vidstyle.video.write import encode_track

if TYPE_CHECKING:
    from av import VideoFrame

T = TypeVar("T")

_REPEATS = 3
"""How often the codecs go over the clip: a single frame of theirs has no time of its own."""
_HELD_PIXELS = 50_000_000
_FEWEST, _MOST = 6, 24
"""Frames that are held in memory, at every step of their way."""
_ENCODED_ON_GPU = 120
"""Frames that the encoder gets where it may use many cores: those take a while to fill."""


@dataclass(frozen=True)
class Alone:
    """What the stages cost, and what the machine could do."""

    stages: dict[str, Spread]
    """Milliseconds a frame."""
    ceiling: Ceiling
    operations: float


def measure_alone(config: RunConfig, footage: Footage) -> Alone:
    """Time each stage on its own: processor time where a CPU paints, else wall time.

    Raises:
        VidstyleError: as a run of `config` does.
    """
    device = choose_device(config.device)
    style = load_style(config.style, tier=config.tier, device=config.device, engine=config.engine)
    bench = _Bench(config, footage, style, on_cpu=device == "cpu")
    stages = {stage: Spread.of(ms) for stage, ms in bench.stages()}
    file = StyleRegistry().find(config.style, style.card.tier)
    height, width = bench.size
    return Alone(stages, ceiling(device, bench.clock), operations(file, height * width))


class _Bench:
    """A clip on its way, stage after stage."""

    def __init__(self, config: RunConfig, footage: Footage, style: Style, *, on_cpu: bool) -> None:
        assert config.output is not None
        self._config, self._footage, self._style = config, footage, style
        self._info = footage.info
        self._track = config.output.with_suffix(".nut")
        self._bars = Bars.of_clip(self._info)
        self.size = self._bars.inside(self._info.height, self._info.width)
        self.clock: Callable[[], float] = process_time if on_cpu else perf_counter
        self._settle: Callable[[], None] = _nothing if on_cpu else _wait_for_device
        held = max(_FEWEST, min(_MOST, _HELD_PIXELS // (self.size[0] * self.size[1])))
        self._held = min(footage.frames, held)
        self._encoded = self._held if on_cpu else _ENCODED_ON_GPU

    def stages(self) -> Iterator[tuple[str, list[float]]]:
        """Each stage with its milliseconds a frame, one figure a frame or a repeat."""
        yield DECODE, [self._decoding() for _ in range(_REPEATS)]
        decoded = list(islice(decode(self._info, readers()), self._held))
        frames, ms = self._each(to_rgb(decoded, self._info, readers()))
        yield TO_RGB, ms
        images = [frame.image for frame in frames]
        steadier = Steadier(*self.size, self._config.consistency, self._style.tensors_on)
        pictures = [steadier.ops.array(self._bars.cut(image)) for image in images]
        paintings, ms = self._stylizing(pictures, steadier.ops)
        yield STYLIZE, ms
        seen, ms = self._each(map(steadier.observe, pictures))
        yield FLOW, ms[1:]  # the first frame has nothing to follow
        held, ms = self._each(map(steadier.hold, seen, paintings))
        yield BLEND, ms[1:]
        steady = [
            self._bars.filled(image, steadier.ops.host(part))
            for image, part in zip(images, held, strict=True)
        ]
        first = encode_track(islice(frames, 1), self._track, self._info, self._config.encode)
        written, ms = self._each(to_yuv(steady, self._info, first.pixel_format))
        yield TO_YUV, ms
        yield ENCODE, [self._encoding(written) for _ in range(_REPEATS)]

    def _decoding(self) -> float:
        since = self.clock()
        count = sum(1 for _ in islice(decode(self._info, readers()), self._footage.frames))
        return 1000 * (self.clock() - since) / count

    def _stylizing(self, images: Sequence[Array], ops: Ops) -> tuple[list[Array], list[float]]:
        engine, batch = self._style.engine(*self.size), self._style.batch(*self.size)
        twice = [*images, *images]
        groups = [ops.stacked(twice[n : n + batch]) for n in range(0, len(images), batch)]
        for _ in range(2):  # the first calls still set things up, on a GPU the second, too
            engine.paint(groups[0])
        painted, ms = self._each(map(engine.paint, groups))
        paintings = [painting for group in painted for painting in group]
        return paintings[: len(images)], [time / batch for time in ms]

    def _encoding(self, pictures: Sequence[VideoFrame]) -> float:
        since = self.clock()
        frames = islice(to_and_fro(pictures), self._encoded)
        encode(frames, self._track, self._info, self._config.encode)
        return 1000 * (self.clock() - since) / self._encoded

    def _each(self, items: Iterable[T]) -> tuple[list[T], list[float]]:
        """All items, and the milliseconds that each took to make."""
        times, made = [self.clock()], []
        for item in items:
            made.append(item)
            self._settle()
            times.append(self.clock())
        return made, [1000 * (end - begin) for begin, end in pairwise(times)]


def _nothing() -> None:
    """What is computed on a CPU is there when it is given."""


def _wait_for_device() -> None:
    import torch

    torch.accelerator.synchronize()
