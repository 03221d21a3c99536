"""The painted track in segments: what is finished stays, whatever happens to the rest.

Where segments end is a function of the clip's size alone, and each is encoded by an encoder of its
own. So a run that was stopped and went on ends in the same file as one that was not.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain, islice

from vidstyle.coherence.blend import Observation, Steadier
from vidstyle.jobs.journal import Journal
from vidstyle.jobs.stages import ENCODING, Image
from vidstyle.jobs.stopwatch import Stopwatch
from vidstyle.types import EncodeOptions, Frame, VideoInfo
from vidstyle.video.opening import writing
from vidstyle.video.write import EncodeSummary, encode_track

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

    def observe(self, frame: Image) -> Observation:
        """As `Steadier.observe`."""
        return self._steadier.observe(frame)

    def hold(self, seen: Observation, painted: Image) -> Image:
        """As `Steadier.hold`."""
        steady: Image = self._steadier.hold(seen, painted)
        self._steps += 1
        if self._steps % self._journal.length == 0:
            path = self._journal.memory_path(self._steps // self._journal.length - 1)
            with writing(path), path.open("wb") as file:
                self._steadier.save(file)
        return steady


class SegmentWriter:
    """Encodes what is left of a clip, a segment at a time."""

    def __init__(self, journal: Journal, info: VideoInfo, options: EncodeOptions) -> None:
        self._journal, self._info, self._options = journal, info, options
        self.frames = journal.frames
        """Frames that are encoded so far, those of earlier tries among them."""

    def write(
        self, frames: Iterator[Frame], watch: Stopwatch
    ) -> Generator[EncodeSummary, None, None]:
        """Yield each segment as it is written; it counts when the journal has been told."""
        number = len(self._journal.segments)
        after = self._journal.segments[-1].last_placed if number else None
        while (first := next(frames, None)) is not None:
            part = chain((first,), islice(frames, self._journal.length - 1))
            with watch.timing(ENCODING):
                segment = encode_track(
                    self._counted(part, watch),
                    self._journal.segment_path(number),
                    self._info,
                    self._options,
                    after=after,
                )
            number, after = number + 1, segment.last_placed
            yield segment

    def _counted(self, frames: Iterator[Frame], watch: Stopwatch) -> Iterator[Frame]:
        while True:
            with watch.waiting(ENCODING):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame
            self.frames += 1
