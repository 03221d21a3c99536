"""Paint one input of a run: what clips and pictures have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, replace
from importlib.metadata import version
from time import perf_counter
from typing import Any

from vidstyle.errors import InputError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.identity import content_of, request
from vidstyle.jobs.painting.plan import Task
from vidstyle.jobs.painting.report import FileReport, Progress
from vidstyle.jobs.painting.stopwatch import Stopwatch, by_stage
from vidstyle.jobs.style import Style
from vidstyle.motion.ops import Ops, Size
from vidstyle.stylizers.engine import Engine
from vidstyle.video.bars import Bars
from vidstyle.video.read import ReadReport

_FEW = 120
"""Lines in which a painter can show little."""


@dataclass
class Job(ABC):
    """One input, how it is painted, and who is told."""

    task: Task
    config: RunConfig
    style: Style
    place: Progress
    """Where the run stands as this input begins."""
    on_progress: Callable[[Progress], None]
    on_note: Callable[[str], None]
    watch: Stopwatch = field(default_factory=Stopwatch, init=False)
    content: str = field(init=False)
    """Checksum of the input when it was begun."""
    since: float = field(init=False)
    """When that was, with the engine open."""
    bars: Bars = field(init=False)
    canvas: Size = field(init=False)
    """Height and width in which it is painted."""
    engine: Engine = field(init=False)

    def paint(self) -> FileReport:
        """Paint the clip or the picture; its output appears whole, or not at all.

        Raises:
            VidstyleError: of the kind that fits.
        """
        self.on_progress(self.place)
        self.content = content_of(self.task.input)
        report = self._paint()
        for note in report.notes:
            self._note(note)
        self.on_progress(replace(self.place, frames=report.frames, report=report))
        return report

    @abstractmethod
    def _paint(self) -> FileReport:
        """Paint it, with `content` known."""

    def _begin(self, bars: Bars, height: int, width: int) -> None:
        """Open the engine for what the bars leave of pictures of a size."""
        self.bars = bars
        rows, columns = bars.inside(height, width)
        self.canvas = self.style.canvas(rows, columns)
        if self.style.brush > 1 and min(self.canvas) < _FEW:
            self._note(f"a brush of {self.style.brush:g} shows little of {columns}x{rows} pixels")
        self.engine = self.style.engine(*self.canvas)
        self._tell(self.engine)
        self.since = perf_counter()

    def _tell(self, computing: Engine | Ops) -> None:
        """What is to be known of the machine, not of this input, and at once; each is said once."""
        for note in computing.notes:
            self.on_note(note)

    def _note(self, text: str) -> None:
        self.on_note(f"{self.task.input}: {text}")

    def _has_changed(self) -> bool:
        """A recording or a copy that goes on would bear the stamp of what nobody painted."""
        return content_of(self.task.input) != self.content

    def _changed(self) -> InputError:
        return InputError(
            f"{self.task.input}: has changed while it was painted; paint it when it is whole"
        )

    def _stamp(self) -> dict[str, Any]:
        """What made the painting, for the output's metadata."""
        return {
            "version": version("vidstyle"),
            "style": self.style.spec,
            "style_file": self.style.sha256,
            "tier": self.style.card.tier,
            "strength": self.config.strength,
            "consistency": self.config.consistency,
            "engine": self.engine.name,
            "source": self.content,
            "request": request(self.content, self.config, self.style),
            **({"bars": astuple(self.bars)} if self.bars else {}),
            **({"keep_colours": True} if self.config.keep_colours else {}),
            **({"brush": self.config.brush} if self.config.brush != 1 else {}),
            **({"reverse": True} if self.config.reverse else {}),
            **({"start": str(self.config.start)} if self.config.start else {}),
            **({"rate": str(self.config.rate)} if self.config.rate else {}),
        }

    def _report(
        self,
        size: tuple[int, int],
        read: ReadReport,
        resumed: int = 0,
        tracks: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> FileReport:
        return FileReport(
            input=self.task.input,
            output=self.task.output,
            style=self.style.card.name,
            tier=self.style.card.tier,
            engine=self.engine.name,
            height=size[0],
            width=size[1],
            frames=read.frames,
            resumed=resumed,
            declared=read.expected_frames,
            partial=read.is_partial,
            seconds=perf_counter() - self.since,
            stages=by_stage(self.watch.busy),
            tracks=tracks,
            notes=notes,
        )
