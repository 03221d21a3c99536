"""The painted track in segments: what is finished stays, whatever happens to the rest.

Where segments end is a function of size and batch alone, and each is encoded by an encoder of its
own. So a run that was stopped and went on ends in the same file as one that was not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from itertools import chain, count, islice
from threading import Event

from vidstyle.coherence.blend import Observation, Steadier
from vidstyle.files import writing
from vidstyle.jobs.painting.cores import encoders
from vidstyle.jobs.painting.journal import Journal
from vidstyle.jobs.painting.stages import ENCODING
from vidstyle.jobs.painting.stopwatch import Stopwatch, worker
from vidstyle.jobs.prefetch import Crew
from vidstyle.motion.ops import Array
from vidstyle.types import EncodeOptions, Frame, VideoInfo
from vidstyle.video.write import EncodeSummary, Placement, encode_track

# A segment is what a fault can cost, so large frames, which take longer, make shorter ones. Each
# begins with a key frame: the shortest cost a twelfth of the file's size, the longest nothing.
_PIXELS = 60_000_000
_LEAST, _MOST = 64, 240


def segment_length(height: int, width: int, batch: int) -> int:
    """Frames of a segment; always whole batches, so that a new try makes the same ones."""
    frames = max(_LEAST, min(_MOST, _PIXELS // (height * width)))
    return max(1, frames // batch) * batch


def remaining(frames: Iterator[Frame], journal: Journal) -> Generator[Frame, None, None]:
    """Leave out the frames of finished segments.

    They are decoded all the same: that is cheap beside painting, and leads to the very next frame
    whatever the file is like, where a seek would have to be trusted.

    Raises:
        UsageError: the clip no longer has these frames.
    """
    pts = None
    for frame in islice(frames, journal.frames):
        pts = frame.pts
    if journal.segments and pts != journal.segments[-1].last_pts:
        raise journal.damaged("the clip is read otherwise than it was")
    yield from frames


class KeptBlender:
    """Holds a painting still, and writes its memory down at the end of each segment."""

    def __init__(self, steadier: Steadier, journal: Journal) -> None:
        """Go on with the memory at the end of the last finished segment, if there is one.

        Raises UsageError when that is damaged.
        """
        self._steadier, self._journal = steadier, journal
        self._steps = journal.frames
        if journal.segments and not journal.is_complete:
            try:
                with journal.memory_path(len(journal.segments) - 1).open("rb") as file:
                    steadier.load(file)
            except (OSError, ValueError) as error:
                raise journal.damaged("the blend's memory is damaged") from error

    def observe(self, frame: Array) -> Observation:
        """As `Steadier.observe`."""
        return self._steadier.observe(frame)

    def hold(self, seen: Observation, painted: Array, changed: float | None) -> Array:
        """As `Steadier.hold`."""
        steady = self._steadier.hold(seen, painted, changed)
        self._steps += 1
        if self._steps % self._journal.length == 0:
            path = self._journal.memory_path(self._steps // self._journal.length - 1)
            with writing(path), path.open("wb") as file:
                self._steadier.save(file)
        return steady


class SegmentWriter:
    """Encodes what is left of a clip: a segment at a time, or several side by side."""

    def __init__(
        self, journal: Journal, info: VideoInfo, options: EncodeOptions, watch: Stopwatch
    ) -> None:
        self._journal, self._info, self._options, self._watch = journal, info, options, watch
        self._encoders = encoders(info.height, info.width, journal.length)
        self.frames = journal.frames
        """Frames that went to an encoder so far, those of earlier tries among them."""

    def write(self, frames: Iterator[Frame], crew: Crew) -> Generator[EncodeSummary, None, None]:
        """Yield each segment as it is written, in order; it counts when the journal has been told.

        Each encoder has a thread, and so has what hands it its frames: where encoders are side by
        side, all of its segment may wait for it while the next one gets frames already.
        """
        done = self._journal.segments
        placement = Placement(self._info, done[-1].last_placed if done else None)
        at_work: deque[Iterator[EncodeSummary]] = deque()
        for number in count(len(done)):
            if len(at_work) == self._encoders:
                yield next(at_work.popleft())
            if (first := next(frames, None)) is None:
                break
            after, all_handed = placement.placed, Event()
            part = chain((first,), islice(frames, self._journal.length - 1))
            handed: Iterator[Frame] = self._handed(part, placement, all_handed)
            if self._encoders == 1:  # threads that come and go leave memory behind
                yield next(self._encoded(handed, number, after))
                continue
            handed = crew.started(handed, self._journal.length)
            at_work.append(crew.started(self._encoded(handed, number, after), 1))
            all_handed.wait()
        for segment in at_work:
            yield next(segment)

    def _handed(
        self, part: Iterator[Frame], placement: Placement, all_handed: Event
    ) -> Generator[Frame, None, None]:
        try:
            for frame in part:
                placement.place(frame.pts)
                self.frames += 1
                yield frame
        finally:
            all_handed.set()

    def _encoded(
        self, part: Iterator[Frame], number: int, after: int | None
    ) -> Generator[EncodeSummary, None, None]:
        stage = worker(ENCODING, number % self._encoders)
        path = self._journal.segment_path(number)
        with self._watch.timing(stage):
            frames = self._awaited(part, stage)
            segment = encode_track(frames, path, self._info, self._options, after=after)
        yield segment

    def _awaited(self, part: Iterator[Frame], stage: str) -> Iterator[Frame]:
        while True:
            with self._watch.waiting(stage):
                frame = next(part, None)
            if frame is None:
                return
            yield frame
