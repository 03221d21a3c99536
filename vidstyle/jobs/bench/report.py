"""What a benchmark found. Plain data, ready for JSON; the figures' definitions are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from vidstyle.jobs.machine import MachineCard
from vidstyle.jobs.text import plain

DECODE, TO_RGB, STYLIZE, FLOW = "decode", "to_rgb", "stylize", "flow"
BLEND, TO_YUV, ENCODE = "blend", "to_yuv", "encode"
STAGES = (DECODE, TO_RGB, STYLIZE, FLOW, BLEND, TO_YUV, ENCODE)
"""The stages of a frame's way, in order."""

_LEAST_BYTES = {TO_RGB: 4.5, FLOW: 6.0, BLEND: 12.0, TO_YUV: 4.5}
"""Bytes a pixel that a stage cannot but read or write once.

A picture in RGB has 3, in 4:2:0 1.5, at half the width and height 0.75; a half-size flow has 2.
"""


@dataclass(frozen=True)
class Spread:
    """Some measurements of one thing."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The middle and the ends of `values`."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Ceiling:
    """What the machine can do at best: on a CPU one thread of it, on a GPU all of it."""

    fp32_gflops: float
    """Billion operations a second in a large matrix product."""
    half_gflops: float | None
    """The same in bfloat16; None where that is not computed in hardware."""
    copy_gbs: float
    """Billion bytes a second that copying reads and writes in memory, by one thread of the CPU."""

    def least_ms(self, pixels: int, operations: float) -> dict[str, float]:
        """Milliseconds that a frame costs at least, by stage.

        Codecs are their own measure: `decode` and `encode` have no such bound.

        Args:
            pixels: of a frame.
            operations: that the network needs for a frame.
        """
        painting = operations / max(self.fp32_gflops, self.half_gflops or 0.0) / 1e6
        moving = {
            stage: least * pixels / self.copy_gbs / 1e6 for stage, least in _LEAST_BYTES.items()
        }
        return {STYLIZE: painting} | moving


@dataclass(frozen=True)
class Row:
    """One style in one tier at one size, on one engine and device."""

    style: str
    tier: str
    width: int
    height: int
    engine: str
    """Engine, device and precision."""
    frames: int
    """Length of the clip."""
    rate: float
    """Frames a second at which the clip plays."""
    fps: Spread
    """Frames a second from file to file, start and end of the run left out."""
    stages: Mapping[str, Spread]
    """Milliseconds a frame, each stage measured alone.

    On a CPU processor time with a single thread, on a GPU wall time with the whole machine.
    """
    on_gpu: bool
    cores: int
    """Cores that the run could use."""
    ceiling: Ceiling
    operations: float
    """That the network needs for a frame; a multiplication and an addition are two."""
    load_s: float
    """Seconds to load the style and make its engine ready, in a fresh process."""
    first_frame_s: float
    """Seconds from the start of that process to a finished clip of one frame.

    Both on a second start: what the first one keeps on the disk is there.
    """
    memory_mib: float
    """Peak resident memory of the process that painted."""
    libraries_mib: float
    """Of that, the interpreter and its libraries before a style or a clip is opened."""
    gpu_memory_mib: float | None
    """Peak memory that the run reserved on a CUDA device."""
    baseline_fps: Spread | None = None
    """What the baseline reached in turn with these runs."""

    @property
    def limit(self) -> str:
        """The stage that costs most."""
        return max(self.stages, key=lambda stage: self.stages[stage].median)

    @property
    def realtime(self) -> float:
        """How many times faster than it plays a clip is painted."""
        return self.fps.median / self.rate

    @property
    def efficiency(self) -> float:
        """How well the stages work side by side, about 1 at best.

        On a GPU speed end to end over that of the slowest stage alone. On a CPU, whose cores all
        stages share, the stages' processor time a frame over cores times wall time a frame: 1 means
        that no core ever waits.
        """
        costs = [stage.median for stage in self.stages.values()]
        wall = 1000 / self.fps.median
        return max(costs) / wall if self.on_gpu else sum(costs) / (self.cores * wall)

    @property
    def least_ms(self) -> dict[str, float]:
        """Milliseconds a frame that a stage costs at least on this machine, where that is known."""
        return self.ceiling.least_ms(self.width * self.height, self.operations)

    @property
    def ratio(self) -> float | None:
        """Speed over the baseline's; None when that was not measured."""
        return self.fps.median / self.baseline_fps.median if self.baseline_fps else None

    def to_json(self) -> dict[str, Any]:
        """The row with its derived figures; `fps` is the median, `fps_spread` its ends."""
        least = self.least_ms
        stages = {
            name: {
                "ms": stage.median,
                "low": stage.low,
                "high": stage.high,
                "least_ms": least.get(name),
            }
            for name, stage in self.stages.items()
        }
        derived = {
            "fps": self.fps.median,
            "fps_spread": [self.fps.low, self.fps.high],
            "stages": stages,
            "limit": self.limit,
            "efficiency": self.efficiency,
            "realtime": self.realtime,
            "ratio": self.ratio,
        }
        return asdict(self) | derived


@dataclass(frozen=True)
class BenchReport:
    """Every row, and the machine they were measured on."""

    machine: MachineCard
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the figures should know."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: the fields of the first row, then `rows` with all, and `machine`."""
        rows = [row.to_json() for row in self.rows]
        whole = rows[0] | {"rows": rows, "machine": asdict(self.machine), "notes": self.notes}
        converted: dict[str, Any] = plain(whole, lambda number: float(f"{number:.5g}"))
        return converted
