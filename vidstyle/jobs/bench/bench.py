"""The benchmark: every row of a config measured in fresh processes, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from vidstyle.errors import InputError
from vidstyle.jobs.bench.alone import Alone, measure_alone
from vidstyle.jobs.bench.baseline import paint_baseline
from vidstyle.jobs.bench.child import Child
from vidstyle.jobs.bench.config import LEAST_FRAMES, USUAL_SIZE, BenchConfig
from vidstyle.jobs.bench.footage import Footage, found_footage, make_footage
from vidstyle.jobs.bench.report import BenchReport, Row, Spread
from vidstyle.jobs.bench.whole import Painted, paint, peak_gpu_memory, peak_memory
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.machine import busy_cores, machine_card
from vidstyle.jobs.style import load_style
from vidstyle.jobs.text import count
from vidstyle.stylizers.device import available_cores, choose_device
from vidstyle.types import Tier
from vidstyle.video.info import probe

_USUAL_PIXELS = 96 * USUAL_SIZE[0] * USUAL_SIZE[1]
_FEWEST, _MOST, _ON_GPU = 32, 240, 240
"""Frames of a clip whose length is not given; a GPU goes through as many in no time."""
_ROUNDS = 3
_LONG_ENOUGH = 40.0
"""Seconds after which no further round begins, unless their number is given."""
_QUIET = 0.2
"""Cores that other programs may keep busy without a word."""


@dataclass(frozen=True)
class Step:
    """How far a benchmark has come."""

    row: str
    """What is measured: tier, size, and where they tell rows apart engine and device."""
    doing: str
    done: int
    of: int
    """Measurements of this row."""


@dataclass(frozen=True)
class _Case:
    """A row to be."""

    size: tuple[int, int] | None
    device: str
    engine: str
    tier: Tier | None

    @property
    def on_gpu(self) -> bool:
        return choose_device(self.device) != "cpu"

    def __str__(self) -> str:
        size = f"{self.size[0]}x{self.size[1]}" if self.size else ""
        names = (self.tier, size, *(n for n in (self.engine, self.device) if n != "auto"))
        return " ".join(filter(None, names)) or "clip"


def bench(config: BenchConfig, *, on_step: Callable[[Step], None] = lambda _: None) -> BenchReport:
    """Measure every combination of `config`.

    Each takes a process that paints the clip again and again, and one that runs each stage alone;
    with `against` a third, that takes turns with the first.

    Args:
        config: what to measure.
        on_step: called in this thread before each measurement.

    Raises:
        UsageError: an engine or device is unknown, or the two do not go together.
        InputError: the input cannot be read, or is too short.
        StyleError: there is no such style, or its file is broken.
        ResourceError: a device is not there, or memory or disk do not suffice.
    """
    cases = list(_cases(config))
    notes: dict[str, None] = {}
    if (busy := busy_cores()) > _QUIET:
        notes[f"other programs keep {busy:.1f} cores busy: these figures are too low"] = None
    with TemporaryDirectory(prefix="vidstyle-bench-") as name:
        folder = Path(name)
        rows = [_Measurement(config, case, folder, on_step, notes).row() for case in cases]
    return BenchReport(machine_card(), tuple(rows), tuple(notes))


def _cases(config: BenchConfig) -> Iterator[_Case]:
    """All rows; what cannot work is refused before anything is measured."""
    sizes = config.sizes or ((None,) if config.input else (USUAL_SIZE,))
    for size, device, engine, tier in product(
        sizes, config.devices, config.engines, config.tiers or (None,)
    ):
        load_style(config.style, tier=tier, device=device, engine=engine)
        yield _Case(size, device, engine, tier)


@dataclass
class _Measurement:
    """One row being measured."""

    config: BenchConfig
    case: _Case
    folder: Path
    on_step: Callable[[Step], None]
    notes: dict[str, None]
    """What was said so far, once each, in order."""
    done: int = field(default=0, init=False)

    def row(self) -> Row:
        """Measure it."""
        self._say("making the clip")
        footage = self._footage()
        self._say("first start")
        with Child() as once:
            self.notes |= dict.fromkeys(once(paint, self._run(footage, 1)).notes)
        self._say("second start")
        with ExitStack() as stack:
            whole = stack.enter_context(Child())
            libraries = whole(peak_memory)
            first = whole(paint, self._run(footage, 1))
            first_frame = monotonic() - whole.since
            other = stack.enter_context(Child()) if self.config.against else None
            ours, theirs = self._rounds(footage, whole, other)
            memory, gpu_memory = whole(peak_memory), whole(peak_gpu_memory)
        alone = self._alone(footage)
        return Row(
            style=first.style,
            tier=first.tier,
            width=footage.info.width,
            height=footage.info.height,
            engine=first.engine,
            frames=footage.frames,
            rate=float(footage.rate),
            fps=Spread.of(ours),
            stages=alone.stages,
            on_gpu=self.case.on_gpu,
            cores=available_cores(),
            ceiling=alone.ceiling,
            operations=alone.operations,
            load_s=first.load_s,
            first_frame_s=first_frame,
            memory_mib=memory,
            libraries_mib=libraries,
            gpu_memory_mib=gpu_memory,
            baseline_fps=Spread.of(theirs) if theirs else None,
        )

    def _footage(self) -> Footage:
        size, source = self.case.size, self.config.input
        if size is not None:
            path = self.folder / "clip.nut"
            footage = make_footage(path, size, self._length(size), source)
        else:
            assert source is not None
            info = probe(source)
            footage = found_footage(info, self._length((info.width, info.height)))
        if footage.frames < LEAST_FRAMES:
            raise InputError(
                f"{source}: has {count(footage.frames, 'frame')}; "
                f"a benchmark takes {LEAST_FRAMES} or more"
            )
        return footage

    def _length(self, size: tuple[int, int]) -> int:
        if self.config.frames is not None:
            return self.config.frames
        if self.case.on_gpu:
            return _ON_GPU
        return max(_FEWEST, min(_MOST, _USUAL_PIXELS // (size[0] * size[1])))

    def _run(self, footage: Footage, frames: int) -> RunConfig:
        return RunConfig(
            (footage.info.path,),
            self.config.style,
            self.folder / "painted.mp4",
            tier=self.case.tier,
            device=self.case.device,
            engine=self.case.engine,
            duration=footage.seconds(frames),
            overwrite=True,
        )

    def _rounds(
        self, footage: Footage, whole: Child, other: Child | None
    ) -> tuple[list[float], list[float]]:
        """Frames a second of vidstyle and of the baseline, which take turns."""
        ours: list[float] = []
        theirs: list[float] = []
        since = monotonic()
        for number in range(1, self._rounds_wanted + 1):
            if number > 1 and not self.config.rounds and monotonic() - since > _LONG_ENOUGH:
                break
            turn = f"round {number} of {self._rounds_wanted}"
            self._say(turn)
            # What it takes to begin and to end is the same for the quarter, and cancels out.
            part, full = (
                whole(paint, self._run(footage, n)) for n in (footage.frames // 4, footage.frames)
            )
            ours.append(pace(part, full))
            if other is not None:
                self._say(f"{turn}, baseline")
                output = self.folder / "baseline.mp4"
                theirs.append(
                    1 / other(paint_baseline, footage.info.path, output, self.case.device)
                )
        return ours, theirs

    def _alone(self, footage: Footage) -> Alone:
        """On a CPU the stages are measured on one core, so that none hides work in threads."""
        self._say("each stage alone")
        with Child(one_core=not self.case.on_gpu) as alone:
            return alone(measure_alone, self._run(footage, footage.frames), footage)

    @property
    def _rounds_wanted(self) -> int:
        return self.config.rounds or _ROUNDS

    def _say(self, doing: str) -> None:
        turns = 2 if self.config.against else 1
        self.on_step(Step(str(self.case), doing, self.done, 4 + turns * self._rounds_wanted))
        self.done += 1


def pace(part: Painted, full: Painted) -> float:
    """Frames a second between two runs over one clip, `part` over its beginning only.

    Where the machine was disturbed so much that the part took longer, those of the full run.
    """
    if full.seconds <= part.seconds or full.frames <= part.frames:
        return full.frames / full.seconds
    return (full.frames - part.frames) / (full.seconds - part.seconds)
