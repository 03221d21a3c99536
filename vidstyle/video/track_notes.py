"""What becomes of an input's tracks in the output, in words."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from vidstyle.video.info import is_cover
from vidstyle.video.lanes import Copy, Lane, Sound, Text

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

# Sound may end this much before its declared end, in seconds and as a share of it.
_SLACK, _SLACK_SHARE = Fraction(1, 2), Fraction(1, 100)


class TrackNotes:
    """What one attempt at an output made of the tracks of `source`."""

    def __init__(self, source: InputContainer, container: str) -> None:
        self._source, self._container = source, container
        self.copied: list[str] = []
        """The tracks taken over as they are: "audio track 1 (aac)" and so on."""
        self.lines: list[str] = []
        """What is to be said of the others, and of the file."""

    def say(self, line: str) -> None:
        """Note something of the file, once however often it is met."""
        if line not in self.lines:
            self.lines.append(line)

    def taken_over(self, stream: Stream) -> None:
        """Note a track that is in the output as it was."""
        self.copied.append(self._name(stream))

    def empty(self, stream: Stream) -> None:
        """Note a track of which nothing came."""
        self.lines.append(f"{self._name(stream)} is empty")

    def damaged(self, stream: Stream) -> None:
        """Note a track that spoilt an attempt before this one."""
        self.lines.append(f"{self._name(stream)} left out: it is empty or damaged")

    def unfit(self, stream: Stream) -> None:
        """Note a track for which there is no lane."""
        known = getattr(stream, "codec_context", None) or stream.type in ("data", "attachment")
        reason = self._cannot_hold_it if known else "its format is unknown"
        self.lines.append(f"{self._name(stream)} left out: {reason}")

    def led(self, stream: Stream, lane: Lane) -> None:
        """Note what its lane made of a track."""
        name = self._name(stream)
        if isinstance(lane, Sound):
            self.lines.append(f"{name} re-encoded to {lane.codec}: {self._cannot_hold_it}")
        elif isinstance(lane, Text):
            self.lines.append(f"{name} rewritten as {lane.codec}: {self._cannot_hold_it}")
        else:
            self.taken_over(stream)
            if isinstance(lane, Copy) and stream.type == "video":
                self.lines.append(f"{name} copied unpainted: one track is painted")

    def ended(self, stream: Stream, end: Fraction) -> None:
        """Note sound that ends, `end` seconds on the input's clock, before its declared end."""
        if stream.type != "audio" or stream.time_base is None:
            return
        length = (stream.duration or 0) * stream.time_base
        missing = (stream.start_time or 0) * stream.time_base + length - end
        if missing > max(_SLACK, _SLACK_SHARE * length):
            self.lines.append(
                f"{self._name(stream)} ends {float(missing):.1f} s early: "
                "the file is cut short or damaged there"
            )

    @property
    def _cannot_hold_it(self) -> str:
        return f"{self._container} cannot hold it"

    def _name(self, stream: Stream) -> str:
        same = [s.index for s in self._source.streams if _kind(s) == _kind(stream)]
        context = getattr(stream, "codec_context", None)
        codec = f" ({context.codec.canonical_name})" if context else ""
        return f"{_kind(stream)} {same.index(stream.index) + 1}{codec}"


def _kind(stream: Stream) -> str:
    return "cover picture" if is_cover(stream) else f"{stream.type} track"
