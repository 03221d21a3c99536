"""Paint one input of a run: from its file to the finished file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from vidstyle.coherence.blend import Steadier
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.part import part_folder, publish
from vidstyle.jobs.plan import Task
from vidstyle.jobs.report import FileReport, Progress
from vidstyle.jobs.stages import ENCODING, JOINING, PAINTING, Brush, mix, painted
from vidstyle.jobs.stopwatch import Stopwatch, busiest
from vidstyle.jobs.style import Style
from vidstyle.stylizers.engine import Engine
from vidstyle.types import Frame, VideoInfo
from vidstyle.video.images import read_image, write_image
from vidstyle.video.mux import mux
from vidstyle.video.read import ReadReport, read_frames
from vidstyle.video.write import EncodeSummary, encode_track


@dataclass
class Job:
    """One input, how it is painted, and who is told."""

    task: Task
    config: RunConfig
    style: Style
    place: Progress
    """Where the run stands as this input begins."""
    on_progress: Callable[[Progress], None]
    on_note: Callable[[str], None]
    watch: Stopwatch = field(default_factory=Stopwatch)

    def paint(self) -> FileReport:
        """Paint the clip or the picture; its output appears whole, or not at all.

        Raises:
            VidstyleError: of the kind that fits.
        """
        self.on_progress(self.place)
        info = self.task.info
        report = self._picture() if info is None else self._clip(info)
        for note in report.notes:
            self.on_note(f"{self.task.input.name}: {note}")
        self.on_progress(replace(self.place, frames=report.frames, report=report))
        return report

    def _picture(self) -> FileReport:
        image = read_image(self.task.input)
        engine = self._engine(*image.shape[:2])
        since = perf_counter()
        with self.watch.timing(PAINTING):
            painting = mix(image, engine.paint(image[None])[0], self.config.strength)
        with self.watch.timing(ENCODING), part_folder(self.task.output) as folder:
            part = folder / self.task.output.name
            write_image(part, painting, self._stamp(engine))
            publish(part, self.task.output, overwrite=self.config.overwrite)
        read = ReadReport(frames=1, expected_frames=1)
        return self._report(engine, image.shape[:2], read, since)

    def _clip(self, info: VideoInfo) -> FileReport:
        engine = self._engine(info.height, info.width)
        since, read = perf_counter(), ReadReport()
        with part_folder(self.task.output) as folder:
            track, part = folder / "painted.nut", folder / self.task.output.name
            encoded = self._write_track(track, info, engine, read)
            with self.watch.timing(JOINING):
                joined = mux(
                    track,
                    info,
                    part,
                    container=self.task.container,
                    stamp=self._stamp(engine),
                    start=self.config.start,
                    duration=self.config.duration,
                    last_duration=encoded.last_duration,
                )
                publish(part, self.task.output, overwrite=self.config.overwrite)
        size = info.height, info.width
        notes = (*_losses(read, encoded.nudged), *encoded.notes, *joined.notes)
        return self._report(engine, size, read, since, joined.copied, notes)

    def _engine(self, height: int, width: int) -> Engine:
        engine = self.style.engine(height, width)
        for note in engine.notes:  # of the machine, not of this input, and worth knowing at once
            self.on_note(note)
        return engine

    def _write_track(
        self, track: Path, info: VideoInfo, engine: Engine, read: ReadReport
    ) -> EncodeSummary:
        """Decode, paint and encode; the encoder runs in the thread that calls."""
        config, size = self.config, (info.height, info.width)
        steadier = Steadier(*size, config.consistency) if config.consistency else None
        brush = Brush(engine, steadier, config.strength, self.style.batch(*size))

        def counted(frames: Iterator[Frame]) -> Iterator[Frame]:
            for number, frame in enumerate(frames, 1):
                with self.watch.timing(ENCODING):
                    yield frame
                self._show(number, read.expected_frames)

        source = read_frames(info, start=config.start, duration=config.duration, report=read)
        with painted(source, brush, self.watch) as frames:
            return encode_track(counted(frames), track, info, config.encode)

    def _show(self, frames: int, expected: int | None) -> None:
        limiting = busiest(self.watch.busy)
        self.on_progress(replace(self.place, frames=frames, expected=expected, limiting=limiting))

    def _stamp(self, engine: Engine) -> dict[str, Any]:
        """What made the painting, for the output's metadata."""
        return {
            "version": version("vidstyle"),
            "style": self.style.card.name,
            "tier": self.style.card.tier,
            "strength": self.config.strength,
            "consistency": self.config.consistency,
            "engine": engine.name,
        }

    def _report(
        self,
        engine: Engine,
        size: tuple[int, int],
        read: ReadReport,
        since: float,
        tracks: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> FileReport:
        return FileReport(
            input=self.task.input,
            output=self.task.output,
            style=self.style.card.name,
            tier=self.style.card.tier,
            engine=engine.name,
            height=size[0],
            width=size[1],
            frames=read.frames,
            declared=read.expected_frames,
            partial=read.is_partial,
            seconds=perf_counter() - since,
            stages=dict(self.watch.busy),
            tracks=tracks,
            notes=notes,
        )


def _losses(read: ReadReport, nudged: int) -> Iterator[str]:
    """What is not in the output as it was in the input, a sentence each."""
    of = f" of {read.expected_frames:,}" if read.expected_frames else ""
    if read.cut_short or read.gave_up:
        yield f"ends early: painted {read.frames:,}{of} frames; the file is cut off or damaged"
    elif read.skipped:
        yield f"is damaged: {read.skipped:,} packets could not be read and were left out"
    if read.synthesised:
        yield f"has no time stamps on {read.synthesised:,} frames; its frame rate gave them"
    if read.resized:
        yield f"changes its size on the way; {read.resized:,} frames were scaled to the first one's"
    if nudged:
        yield f"repeats a time stamp; {nudged:,} frames were moved behind the one before"
