"""Paint one clip: from its file to the finished file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from vidstyle.coherence.blend import Steadier
from vidstyle.errors import UsageError
from vidstyle.jobs.painting.cores import readers
from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.painting.identity import BATCH, identity
from vidstyle.jobs.painting.job import Job
from vidstyle.jobs.painting.journal import Journal, remembered
from vidstyle.jobs.painting.report import FileReport
from vidstyle.jobs.painting.segments import KeptBlender, SegmentWriter, remaining, segment_length
from vidstyle.jobs.painting.stages import AHEAD, DECODING, JOINING, Pipeline, painted
from vidstyle.jobs.painting.stopwatch import Watchdog, busiest
from vidstyle.jobs.prefetch import Crew
from vidstyle.jobs.publish import part_folder, publish
from vidstyle.jobs.text import count
from vidstyle.motion.ops import Size
from vidstyle.types import VideoInfo
from vidstyle.video.bars import Bars
from vidstyle.video.info import probe
from vidstyle.video.mux import MuxSummary, mux
from vidstyle.video.read import ReadReport, read_frames, treatments


class ClipJob(Job):
    """See `Job`.

    Attributes:
        info: the clip.
        journal: what of it is finished.
        read: what has been read of it so far.
    """

    info: VideoInfo
    journal: Journal
    read: ReadReport

    def _paint(self) -> FileReport:
        assert self.task.info is not None
        self.info, self.read = self.task.info, ReadReport()
        if probe(self.info.path, self.config.limits, rate=self.config.rate) != self.info:
            raise self._changed()  # in the hours since the run began
        self._begin(Bars.of_clip(self.info), self.info.height, self.info.width)
        with self._journalled() as batch:
            resumed = self.journal.frames
            self._write_segments(batch)
            joined = self._join()
        return self._report(
            (self.info.height, self.info.width),
            self.read,
            resumed,
            joined.copied,
            tuple(self._notes(joined)),
        )

    @property
    def _size(self) -> Size:
        """Height and width of what the bars leave of a frame."""
        return self.bars.inside(self.info.height, self.info.width)

    def _notes(self, joined: MuxSummary) -> Iterator[str]:
        if self.bars:
            height, width = self._size
            yield f"has black bars, which stay; {width}x{height} were painted"
        yield from treatments(self.info, self.read)
        yield from _losses(self.read, sum(segment.nudged for segment in self.journal.segments))
        yield from self.journal.segments[-1].notes
        yield from joined.notes

    @contextmanager
    def _journalled(self) -> Iterator[int]:
        """Take up what earlier tries finished, and lend how many frames to paint at a time.

        If this try is stopped, all that is finished stays for the next.
        """
        with part_folder(self.task.output, restart=self.config.restart) as folder:
            self._refuse_taken()
            batch = self._batch(folder)
            self.journal = journal = self._open_journal(folder, batch)
            if journal.frames:
                self._note(f"goes on after {journal.frames:,} frames that an earlier try painted")
            try:
                yield batch
            except BaseException as error:
                was_stopped = not isinstance(error, Exception)  # by Ctrl-C or SIGTERM
                if journal.frames and journal.lasts:
                    self._note(f"{journal.frames:,} frames are kept: the same command goes on")
                elif was_stopped and not journal.frames:
                    self._note(f"nothing is kept before the first {journal.length:,} frames")
                raise
            finally:
                journal.tidy()

    def _batch(self, folder: Path) -> int:
        """Frames to paint at a time: as many as an earlier try, whatever a GPU has free now."""
        earlier = remembered(folder, BATCH) if self.style.tensors_on else None
        return int(earlier) if earlier and earlier.isdecimal() else self.style.batch(*self.canvas)

    def _open_journal(self, folder: Path, batch: int) -> Journal:
        length = segment_length(*self._size, batch)
        name = self.engine.name
        facts = identity(self.info.path, self.config, self.style, name, self.bars, batch, length)
        return Journal(folder, self.task.output, facts, length)

    def _write_segments(self, batch: int) -> None:
        """Decode, paint, steady and encode, in threads; this one looks after them."""
        config, read = self.config, self.read
        steadier = Steadier(*self.canvas, config.consistency, self.style.tensors_on)
        encoding = self.task.encoding(config.encode)
        writer = SegmentWriter(self.journal, self.info, encoding, self.watch)
        watchdog = Watchdog(self.watch)

        def look() -> None:
            watchdog.look((read.passed, self.engine.pulse))
            self._tell(self.engine)
            self._tell(steadier.ops)
            self._show(writer.frames, read.expected_frames)

        with Crew() as crew:
            source = read_frames(
                self.info,
                start=config.start,
                duration=config.duration,
                report=read,
                threads=readers(),
                beside=lambda decoded: crew.ahead(decoded, AHEAD),
            )
            source = remaining(self.watch.pulling(DECODING, source), self.journal)
            frames = painted(source, self._pipeline(steadier, batch), self.watch, crew)
            for segment in crew.watched(crew.ahead(writer.write(frames, crew), 1), look):
                self.journal.add(segment)
        self._tell(self.engine)
        self._show(writer.frames, read.expected_frames)

    def _pipeline(self, steadier: Steadier, batch: int) -> Pipeline:
        info = self.info
        return Pipeline(
            self.engine,
            KeptBlender(steadier, self.journal) if self.config.consistency else None,
            finish=Finish.of(self.config),
            bars=self.bars,
            batch=batch,
            ops=steadier.ops,
            schedule=self.style.schedule,
            canvas=self.canvas if self.style.brush > 1 else None,
            seconds=lambda frame: float((frame.pts - info.start_pts) * info.time_base),
        )

    def _join(self) -> MuxSummary:
        """Put the output together and give it its name; the journal has done its work then."""
        part = self.journal.folder / self.task.output.name
        watchdog = Watchdog(self.watch)
        with Crew() as crew:
            muxed = crew.ahead(self._mux(part, crew.go_on), 1)
            (joined,) = crew.watched(muxed, lambda: watchdog.look(_last_change(part)))
        if self._has_changed():
            self.journal.discard()  # nobody could go on: what was painted is not there any more
            raise self._changed()
        publish(joined.files, self.task.output.parent, overwrite=self.task.overwrite)
        self.journal.discard()
        if older := len(self.task.existing) - len(joined.files):
            self._note(f"{older:,} older pictures of such names lie beside the new ones")
        return joined

    def _mux(self, part: Path, on_packet: Callable[[], None]) -> Generator[MuxSummary, None, None]:
        with self.watch.timing(JOINING):
            joined = mux(
                self.journal.paths,
                self.info,
                part,
                container=self.task.container,
                stamp=self._stamp() | ({"partial": True} if self.read.is_partial else {}),
                start=self.config.start,
                duration=self.config.duration,
                last_duration=self.journal.segments[-1].last_duration,
                on_packet=on_packet,
            )
        yield joined

    def _refuse_taken(self) -> None:
        """Hours after the plan was made, and before more hours go into what could not be kept."""
        if not self.task.overwrite and (taken := next(iter(self.task.existing), None)):
            raise UsageError(f"{taken}: came to be meanwhile, and is left as it is")

    def _show(self, frames: int, expected: int | None) -> None:
        limiting = busiest(self.watch.busy)
        self.on_progress(replace(self.place, frames=frames, expected=expected, limiting=limiting))


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
