"""Paint one input of a run: from its file to the finished file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from vidstyle.coherence.blend import Steadier
from vidstyle.errors import InputError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.painting.cores import readers
from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.painting.identity import BATCH, content_of, identity, request
from vidstyle.jobs.painting.journal import Journal, remembered
from vidstyle.jobs.painting.plan import Task
from vidstyle.jobs.painting.report import FileReport, Progress
from vidstyle.jobs.painting.segments import KeptBlender, SegmentWriter, remaining, segment_length
from vidstyle.jobs.painting.stages import (
    AHEAD,
    DECODING,
    ENCODING,
    JOINING,
    PAINTING,
    Pipeline,
    painted,
)
from vidstyle.jobs.painting.stopwatch import Stopwatch, Watchdog, busiest, by_stage
from vidstyle.jobs.prefetch import Crew
from vidstyle.jobs.publish import part_folder, publish, published
from vidstyle.jobs.style import Style
from vidstyle.jobs.text import count
from vidstyle.motion.ops import Ops
from vidstyle.stylizers.engine import Engine
from vidstyle.types import VideoInfo
from vidstyle.video.bars import Bars
from vidstyle.video.images import is_see_through, read_image, write_image
from vidstyle.video.info import probe
from vidstyle.video.mux import MuxSummary, mux
from vidstyle.video.read import ReadReport, read_frames, treatments


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
    content: str = field(init=False)
    """Checksum of the input when it was begun."""

    def paint(self) -> FileReport:
        """Paint the clip or the picture; its output appears whole, or not at all.

        Raises:
            VidstyleError: of the kind that fits.
        """
        self.on_progress(self.place)
        self.content = content_of(self.task.input)
        info = self.task.info
        if info is not None and probe(info.path, self.config.limits, rate=self.config.rate) != info:
            raise self._changed()  # in the hours since the run began
        report = self._picture() if info is None else self._clip(info)
        for note in report.notes:
            self._note(note)
        self.on_progress(replace(self.place, frames=report.frames, report=report))
        return report

    def _picture(self) -> FileReport:
        image = read_image(self.task.input)
        bars = Bars.of_pictures([image])
        part = bars.cut(image)
        engine = self._engine(*part.shape[:2])
        since = perf_counter()
        with self.watch.timing(PAINTING):
            finished = Finish.of(self.config)(part, engine.paint(part[None])[0])
            painting = bars.filled(image, finished)
        self._tell(engine)
        if is_see_through(self.task.input):
            self._note("is see-through in places; what lies behind is painted white")
        output, overwrite = self.task.output, self.task.overwrite
        with self.watch.timing(ENCODING), published(output, overwrite=overwrite) as file:
            write_image(file, painting, self._stamp(engine, bars))
            if self._has_changed():
                raise self._changed()
        read = ReadReport(frames=1, expected_frames=1)
        return self._report(engine, image.shape[:2], read, since)

    def _clip(self, info: VideoInfo) -> FileReport:
        bars = Bars.of_clip(info)
        size = bars.inside(info.height, info.width)
        engine = self._engine(*size)
        since, read = perf_counter(), ReadReport()
        with self._journal(size, engine, bars) as (journal, batch):
            resumed = journal.frames
            self._write_segments(journal, info, bars, engine, batch, read)
            joined = self._join(journal, info, engine, bars, read)
        nudged = sum(segment.nudged for segment in journal.segments)
        notes = (
            *treatments(info, read),
            *_losses(read, nudged),
            *journal.segments[-1].notes,
            *joined.notes,
        )
        if bars:
            notes = (f"has black bars, which stay; {size[1]}x{size[0]} were painted", *notes)
        size = info.height, info.width
        return self._report(engine, size, read, since, resumed, joined.copied, notes)

    def _engine(self, height: int, width: int) -> Engine:
        engine = self.style.engine(height, width)
        self._tell(engine)
        return engine

    def _tell(self, computing: Engine | Ops) -> None:
        """What is to be known of the machine, not of this input, and at once; each is said once."""
        for note in computing.notes:
            self.on_note(note)

    @contextmanager
    def _journal(
        self, size: tuple[int, int], engine: Engine, bars: Bars
    ) -> Iterator[tuple[Journal, int]]:
        """What earlier tries finished, and frames to paint at a time.

        If this try is stopped, all that is finished stays for the next.
        """
        with part_folder(self.task.output, restart=self.config.restart) as folder:
            self._refuse_taken()
            batch = self._batch(size, folder)
            length = segment_length(*size, batch)
            facts = identity(
                self.task.input, self.config, self.style, engine.name, bars, batch, length
            )
            journal = Journal(folder, self.task.output, facts, length)
            if journal.frames:
                self._note(f"goes on after {journal.frames:,} frames that an earlier try painted")
            try:
                yield journal, batch
            except BaseException:
                if journal.frames and journal.lasts:
                    self._note(f"{journal.frames:,} frames are kept: the same command goes on")
                raise
            finally:
                journal.tidy()

    def _batch(self, size: tuple[int, int], folder: Path) -> int:
        """Frames to paint at a time: as many as an earlier try, whatever a GPU has free now."""
        earlier = remembered(folder, BATCH) if self.style.tensors_on else None
        return int(earlier) if earlier and earlier.isdecimal() else self.style.batch(*size)

    def _write_segments(
        self,
        journal: Journal,
        info: VideoInfo,
        bars: Bars,
        engine: Engine,
        batch: int,
        read: ReadReport,
    ) -> None:
        """Decode, paint, steady and encode, in threads; this one looks after them."""
        config, size = self.config, bars.inside(info.height, info.width)
        steadier = Steadier(*size, config.consistency, self.style.tensors_on)
        pipeline = Pipeline(
            engine,
            KeptBlender(steadier, journal) if config.consistency else None,
            Finish.of(config),
            bars,
            batch,
            steadier.ops,
            self.style.schedule,
            lambda frame: float((frame.pts - info.start_pts) * info.time_base),
        )
        writer = SegmentWriter(journal, info, self.task.encoding(config.encode), self.watch)
        watchdog = Watchdog(self.watch)

        def look() -> None:
            watchdog.look((read.passed, engine.pulse))
            self._tell(engine)
            self._tell(steadier.ops)
            self._show(writer.frames, read.expected_frames)

        with Crew() as crew:
            source = read_frames(
                info,
                start=config.start,
                duration=config.duration,
                report=read,
                threads=readers(),
                beside=lambda decoded: crew.ahead(decoded, AHEAD),
            )
            source = remaining(self.watch.pulling(DECODING, source), journal)
            frames = painted(source, pipeline, self.watch, crew)
            for segment in crew.watched(crew.ahead(writer.write(frames, crew), 1), look):
                journal.add(segment)
        self._tell(engine)
        self._show(writer.frames, read.expected_frames)

    def _join(
        self, journal: Journal, info: VideoInfo, engine: Engine, bars: Bars, read: ReadReport
    ) -> MuxSummary:
        """Put the output together and give it its name; the journal has done its work then."""
        part = journal.folder / self.task.output.name
        stamp = self._stamp(engine, bars) | ({"partial": True} if read.is_partial else {})
        watchdog = Watchdog(self.watch)
        with Crew() as crew:
            muxed = crew.ahead(self._mux(journal, info, part, stamp, crew.go_on), 1)
            (joined,) = crew.watched(muxed, lambda: watchdog.look(_last_change(part)))
        if self._has_changed():
            journal.discard()  # nobody could go on: what was painted is not there any more
            raise self._changed()
        publish(joined.files, self.task.output.parent, overwrite=self.task.overwrite)
        journal.discard()
        if older := len(self.task.existing) - len(joined.files):
            self._note(f"{older:,} older pictures of such names lie beside the new ones")
        return joined

    def _mux(
        self,
        journal: Journal,
        info: VideoInfo,
        part: Path,
        stamp: dict[str, Any],
        on_packet: Callable[[], None],
    ) -> Generator[MuxSummary, None, None]:
        with self.watch.timing(JOINING):
            joined = mux(
                journal.paths,
                info,
                part,
                container=self.task.container,
                stamp=stamp,
                start=self.config.start,
                duration=self.config.duration,
                last_duration=journal.segments[-1].last_duration,
                on_packet=on_packet,
            )
        yield joined

    def _refuse_taken(self) -> None:
        """Hours after the plan was made, and before more hours go into what could not be kept."""
        if not self.task.overwrite and (taken := next(iter(self.task.existing), None)):
            raise UsageError(f"{taken}: came to be meanwhile, and is left as it is")

    def _has_changed(self) -> bool:
        """A recording or a copy that goes on would bear the stamp of what nobody painted."""
        return content_of(self.task.input) != self.content

    def _changed(self) -> InputError:
        return InputError(
            f"{self.task.input}: has changed while it was painted; paint it when it is whole"
        )

    def _note(self, text: str) -> None:
        self.on_note(f"{self.task.input}: {text}")

    def _show(self, frames: int, expected: int | None) -> None:
        limiting = busiest(self.watch.busy)
        self.on_progress(replace(self.place, frames=frames, expected=expected, limiting=limiting))

    def _stamp(self, engine: Engine, bars: Bars) -> dict[str, Any]:
        """What made the painting, for the output's metadata."""
        return {
            "version": version("vidstyle"),
            "style": self.style.spec,
            "style_file": self.style.sha256,
            "tier": self.style.card.tier,
            "strength": self.config.strength,
            "consistency": self.config.consistency,
            "engine": engine.name,
            "source": self.content,
            "request": request(self.content, self.config, self.style),
            **({"bars": astuple(bars)} if bars else {}),
            **({"keep_colours": True} if self.config.keep_colours else {}),
            **({"brush": self.config.brush} if self.config.brush != 1 else {}),
            **({"reverse": True} if self.config.reverse else {}),
            **({"start": str(self.config.start)} if self.config.start else {}),
            **({"rate": str(self.config.rate)} if self.config.rate else {}),
        }

    def _report(
        self,
        engine: Engine,
        size: tuple[int, int],
        read: ReadReport,
        since: float,
        resumed: int = 0,
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
            resumed=resumed,
            declared=read.expected_frames,
            partial=read.is_partial,
            seconds=perf_counter() - since,
            stages=by_stage(self.watch.busy),
            tracks=tracks,
            notes=notes,
        )


def _last_change(path: Path) -> int:
    """Of a file, or of the folder that it, or numbered pictures, will lie in."""
    return (path if path.exists() else path.parent).stat().st_mtime_ns


def _losses(read: ReadReport, nudged: int) -> Iterator[str]:
    """What is not in the output as it was in the input, a sentence each."""
    of = f" of {read.expected_frames:,}" if read.expected_frames else ""
    if read.cut_short or read.gave_up:
        yield f"ends early: painted {read.frames:,}{of} frames; the file is cut off or damaged"
    elif read.skipped:
        yield f"is damaged: {count(read.skipped, 'unreadable packet')} left out"
    elif read.has_holes:
        yield f"is damaged: painted {read.frames:,}{of} frames, the others cannot be read"
    if read.synthesised:
        frames = count(read.synthesised, "frame")
        yield f"has no time stamps on {frames}; its frame rate gave them"
    if read.resized:
        frames = count(read.resized, "frame")
        yield f"changes its size on the way; {frames} scaled to the first one's"
    if nudged:
        yield f"repeats a time stamp; {count(nudged, 'frame')} moved behind the one before"
