"""A clip's frames, upright and in RGB, with the time stamps of its file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING

import av
import numpy as np

from vidstyle.errors import InputError
from vidstyle.types import Frame, Picture, VideoInfo
from vidstyle.video.colour import RgbReader
from vidstyle.video.decode import DamageMet, Losses, decoded
from vidstyle.video.deinterlace import deinterlaced
from vidstyle.video.matroska import is_intact
from vidstyle.video.opening import UNDECODABLE, open_input

if TYPE_CHECKING:
    from av.container import InputContainer

    Timed = tuple[av.VideoFrame, int]

STANDING = Fraction(1, 10)
"""Seconds that a picture stands before it is part of what begins, and ends, meanwhile."""
# A clip may end this much before its declared time: headers round, and last frames may be hidden.
_SLACK_FRAMES = 2
_SLACK_SHARE = Fraction(1, 100)
# Transport streams land anywhere near; a key frame lies within this many seconds before most spots.
_SEEK_MARGIN = 3


@dataclass
class ReadReport(Losses):
    """What was read, against what the file declares; hand one in and look at it afterwards."""

    frames: int = 0
    passed: int = 0
    """Frames that were decoded only on the way to those that are given; it grows meanwhile."""
    expected_frames: int | None = None
    """How many frames the file declares for the wanted part: counted or, where the file counts
    none, by its frame rate. None where it declares nothing."""
    synthesised: int = 0
    """Frames without a time stamp of their own, timed by the frame rate."""
    resized: int = 0
    """Frames that had another size than the first and were scaled to it."""
    deinterlaced: int = 0
    """Frames that were interlaced and were made whole."""
    flattened: int = 0
    """Frames that were see-through in places and were laid on black."""
    has_holes: bool = False
    """Frames are missing, and the file itself is broken somewhere (of Matroska this is known)."""
    cut_short: bool = False
    """The pictures end well before the declared end: the file is truncated or damaged."""

    def forget(self) -> None:
        """Leave out what was met on the way to the wanted part: it is no loss."""
        self.skipped = self.in_a_row = self.synthesised = self.deinterlaced = 0
        self.gave_up = False

    @property
    def is_partial(self) -> bool:
        """Whether something that the file declares could not be read."""
        return self.cut_short or self.gave_up or self.has_holes or self.skipped > 0


def read_frames(
    info: VideoInfo,
    *,
    start: Fraction | None = None,
    duration: Fraction | None = None,
    report: ReadReport | None = None,
    threads: int = 1,
    beside: Callable[[Iterator[Timed]], Iterator[Timed]] = iter,
) -> Iterator[Frame]:
    """The frames of the painted track, decoded as they are asked for.

    Damaged packets are skipped and counted. Where nothing else follows, or the file ends before its
    time, the frames end too; `report` tells.

    Args:
        info: from `probe`.
        start: seconds after the clip's first frame; what comes before is left out, but for a
            picture that stands for a while: it begins with the part then.
        duration: seconds from `start` on; frames that begin later are left out, and the last one
            is shown no longer.
        report: filled in while the frames are taken, complete when all have been.
        threads: that decode, and as many that convert colours; the frames are the same.
        beside: what lets the decoder run beside the conversion, in a thread of its own.

    Yields:
        Frames of one size, (info.height, info.width, 3) uint8 RGB, upright, with the file's own
        pts in ticks of `info.time_base`.

    Raises:
        InputError: not a single frame of the wanted part can be decoded.
    """
    report = report if report is not None else ReadReport()
    report.expected_frames = expected_frames(info, start or Fraction(0), duration)
    first = info.start_pts + _ticks(start, info) if start else None
    last = None
    if duration is not None:
        last = info.start_pts + _ticks((start or 0) + duration, info)
    yield from upright(
        beside(wanted_frames(info, first, last, report, threads)), info, report, threads
    )
    if not report.frames:
        raise InputError(f"{info.path}: {_why_nothing(info, first)}")


def treatments(info: VideoInfo, report: ReadReport) -> Iterator[str]:
    """What reading changed in the pictures, a sentence each; complete when all are read."""
    if info.colour.hdr:
        yield f"is HDR ({info.colour.hdr}) and was tone-mapped to SDR; --hdr refuse leaves it alone"
    elif info.depth > 8:
        yield f"has {info.depth} bits a colour, and was painted in 8"
    if report.deinterlaced:
        yield f"is interlaced; {report.deinterlaced:,} frames were deinterlaced (bwdif)"
    if report.flattened:
        yield "is see-through in places; what lies behind is painted black"


def upright(
    frames: Iterator[Timed], info: VideoInfo, report: ReadReport, threads: int
) -> Iterator[Frame]:
    """Decoded frames as (H, W, 3) RGB of the clip's one size, as they are meant to be seen."""
    stored = (info.width, info.height)
    if info.rotation in (90, 270):
        stored = (info.height, info.width)
    rgb = RgbReader(*stored, info.colour, threads)
    for frame, pts in frames:
        report.resized += (frame.width, frame.height) != stored
        image = _turn(rgb.read(frame), info)
        report.flattened = rgb.see_through
        yield Frame(image, pts, frame.duration)


def _turn(image: Picture, info: VideoInfo) -> Picture:
    if not info.rotation and not info.mirrored:
        return np.ascontiguousarray(image)
    # One 3-byte item a pixel: to turn those is half the work of turning bytes.
    pixels = np.ascontiguousarray(image).view("V3")[..., 0]
    if info.mirrored:
        pixels = pixels[:, ::-1]
    turned = np.ascontiguousarray(np.rot90(pixels, info.rotation // 90))
    return turned.view(np.uint8).reshape(*turned.shape, 3)


def wanted_frames(
    info: VideoInfo, first: int | None, last: int | None, report: ReadReport, threads: int
) -> Iterator[Timed]:
    """The frames with first <= pts < last, and their pts, each counted.

    Where several threads meet damage, or at the clip's end have lost some of the frames that there
    should be, one thread starts over and goes on behind the frames that they gave.
    """
    if threads > 1:
        with suppress(DamageMet):
            yield from _counted(_window(info, first, last, report, threads), report)
            # Headers promise frames that edit lists hide, or that were never recorded.
            fewer = report.frames < (report.expected_frames or 0)
            if not report.is_partial and not (fewer and report.without_frame):
                return
        report.forget()
    again = _window(info, first, last, report, threads=1)
    for _ in islice(again, report.frames):
        report.passed += 1
    yield from _counted(again, report)


def _counted(frames: Iterator[Timed], report: ReadReport) -> Iterator[Timed]:
    for timed in frames:
        report.frames += 1
        yield timed


def _window(
    info: VideoInfo, first: int | None, last: int | None, report: ReadReport, threads: int
) -> Iterator[Timed]:
    """The frames with first <= pts < last, and their pts."""
    # Only files that know their length are known to have time stamps to look for.
    if first is not None and info.duration is not None:
        with open_input(info.path, info.average_rate) as container:
            _seek(container, info, first)
            frames = _whole(_timed(container, info, report, threads), report)
            head = next(frames, None)
            if head is not None and head[1] <= first:
                yield from _cut(chain([head], frames), container, info, (first, last), report)
                return
    # From the start: nothing to look for, or it was found too late in the file.
    report.forget()
    with open_input(info.path, info.average_rate) as container:
        frames = _whole(_timed(container, info, report, threads), report)
        yield from _cut(frames, container, info, (first, last), report)


def _cut(
    frames: Iterator[Timed],
    container: InputContainer,
    info: VideoInfo,
    window: tuple[int | None, int | None],
    report: ReadReport,
) -> Iterator[Timed]:
    first, last = window
    end = info.start_pts
    begun = first is None
    held: Timed | None = None
    for frame, pts in frames:
        if not begun and first is not None and pts >= first:
            report.forget()
            begun, held = True, _standing(held, first, pts, info)
        report.passed += not begun
        if begun and last is not None and pts >= last:
            if held:
                yield _ending(held, last, info, stands=True)
            return
        if begun and held:
            yield held
        held, end = (frame, pts), pts + _length(frame, info)
    if not begun and first is not None:
        held = _standing(held, first, end, info)
    if held:
        yield held if last is None else _ending(held, last, info, stands=False)
    report.cut_short = _ends_early(container, info, end, report)
    report.has_holes = _has_holes(info, report)


def _standing(held: Timed | None, first: int, until: int, info: VideoInfo) -> Timed | None:
    """The frame that is shown as the window begins, if the next one is long in coming."""
    if held is None or (until - first) * info.time_base <= STANDING:
        return None
    frame, _ = held
    frame.duration = until - first
    return frame, first


def _ending(held: Timed, last: int, info: VideoInfo, *, stands: bool) -> Timed:
    """A frame that is shown no longer than the window, and as long as that if it stands."""
    frame, pts = held
    left = last - pts
    if stands and left * info.time_base > STANDING:
        frame.duration = left
    elif frame.duration:
        frame.duration = min(frame.duration, left)
    return held


def _seek(container: InputContainer, info: VideoInfo, pts: int) -> None:
    early = max(info.start_pts, pts - _ticks(_SEEK_MARGIN, info))
    with suppress(av.FFmpegError):
        container.seek(early, stream=container.streams[info.track])


def _timed(
    container: InputContainer, info: VideoInfo, report: ReadReport, threads: int
) -> Iterator[Timed]:
    """Frames with a pts each: their own or, without one, where the frame before ends."""
    stream = container.streams.video[_video_index(container, info)]
    following = info.start_pts
    frames = decoded(
        container,
        stream,
        report,
        most_pixels=info.limits.pixels,
        watch_all=info.duration is None,
        threads=threads,
    )
    for frame in frames:
        report.synthesised += frame.pts is None
        pts = following if frame.pts is None else frame.pts
        following = pts + _length(frame, info)
        yield frame, pts


def _whole(frames: Iterator[Timed], report: ReadReport) -> Iterator[Timed]:
    for frame, pts, was_interlaced in deinterlaced(frames):
        report.deinterlaced += was_interlaced
        yield frame, pts


def _video_index(container: InputContainer, info: VideoInfo) -> int:
    indices = [stream.index for stream in container.streams.video]
    if info.track not in indices:
        raise InputError(f"{info.path}: has changed since it was looked at; start again")
    return indices.index(info.track)


def _ends_early(container: InputContainer, info: VideoInfo, end: int, report: ReadReport) -> bool:
    """Whether the frames stopped before the time that the file declares.

    A file that gives a length to itself but not to its tracks is held against the end of whichever
    track is longest: its sound may well outlast its pictures.
    """
    if info.duration is not None:
        declared = info.start_pts * info.time_base + info.duration
        reached, length = end * info.time_base, info.duration
    elif container.duration:
        length = Fraction(container.duration, av.time_base)
        declared = Fraction(container.start_time or 0, av.time_base) + length
        reached = report.seen_until
    else:
        return False
    frame_length = 1 / info.average_rate if info.average_rate else 0
    return reached < declared - max(_SLACK_FRAMES * frame_length, _SLACK_SHARE * length)


def _has_holes(info: VideoInfo, report: ReadReport) -> bool:
    fewer = report.expected_frames is None or report.frames < report.expected_frames
    return fewer and info.container in ("mkv", "webm") and not is_intact(info.path)


def expected_frames(
    info: VideoInfo, start: Fraction = Fraction(0), duration: Fraction | None = None
) -> int | None:
    """Frames that `read_frames` will give, as far as the clip's header tells, or else None."""
    if not start and duration is None and info.frame_count:
        return info.frame_count
    if info.duration is None or info.average_rate is None:
        return None
    left = max(round((info.duration - start) * info.average_rate), 0)
    if duration is None:
        return left
    return min(left, math.ceil(duration * info.average_rate))


def _why_nothing(info: VideoInfo, first: int | None) -> str:
    if first is None:
        return UNDECODABLE
    length = f"; it lasts {float(info.duration):.2f} s" if info.duration is not None else ""
    at = float((first - info.start_pts) * info.time_base)
    return f"has no frame from {at:.2f} s on{length}"


def _length(frame: av.VideoFrame, info: VideoInfo) -> int:
    """Ticks that a frame lasts: as its packet says, else by the frame rate, else one tick."""
    if frame.duration or not info.average_rate:
        return frame.duration or 1
    return max(1, _ticks(1 / info.average_rate, info))


def _ticks(seconds: Fraction | int, info: VideoInfo) -> int:
    return round(seconds / info.time_base)
