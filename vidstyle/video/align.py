"""Clips that any tool made from one source, laid beside it: in time, and in its frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np

from vidstyle.errors import InputError
from vidstyle.types import USUAL_RATE, Picture, VideoInfo
from vidstyle.video.fitting import Fit, Thumbs, fit, framings, middle, thumb
from vidstyle.video.matching import UNEVEN, interval, shown_at, slack, stride
from vidstyle.video.read import STANDING, ReadReport, read_frames
from vidstyle.video.stamp import begun_at, fingerprint, read_stamp

Part = tuple[Fraction, Fraction]

# Of 19 real clips the fine structure of two frames of different shots correlates 0.32 at most, that
# of a frame and its painting at best 0.58 and more.
_ALIKE = 0.4
_SAME_RATE = Fraction(1, 200)
# Files of one shot may end this many frames apart: headers round.
_SLACK_FRAMES = 2


@dataclass(frozen=True)
class Match:
    """How one clip was laid on the source."""

    info: VideoInfo
    offset: Fraction
    """Seconds of the source at which the clip's first frame is shown."""
    likeness: float
    """How strongly its fine structure correlates with the source's at best, 0 to 1."""
    part: Part
    """The middle part of its width and height that is compared."""
    frames: tuple[int, ...]
    """The clip's frame that is shown with each frame of `Alignment.frames`."""
    lags: tuple[Fraction, ...]
    """Seconds by which each of them has begun earlier than the source's frame."""
    notes: tuple[str, ...]
    """What was done to it, a sentence each."""


class Shown(NamedTuple):
    """What is shown at one time."""

    time: Fraction
    """Seconds since the source's first frame."""
    source: Picture
    """(H, W, 3) RGB, as large as the file has it."""
    clips: tuple[Picture, ...]
    """The same of every other clip, each in its own size."""


@dataclass(frozen=True)
class Alignment:
    """A source, and clips of the same shot beside it."""

    source: VideoInfo
    frames: tuple[int, ...]
    """Numbers of the source's frames in the range that all clips share; every `stride`-th one."""
    times: tuple[Fraction, ...]
    """When they are shown, in seconds since the source's first frame."""
    part: Part
    """The middle part of the source's width and height that all clips show."""
    matches: tuple[Match, ...]
    notes: tuple[str, ...] = ()

    @property
    def tolerance(self) -> Fraction:
        """Seconds by which a clip's lag may change while it keeps step with the source.

        At another frame rate some steps are longer or shorter: what moves would count as flicker.
        """
        return UNEVEN * interval(self.times)

    def read(self) -> Iterator[Shown]:
        """All clips' frames side by side, decoded as they are asked for."""
        source = _picked(self.source, self.frames)
        clips = [_picked(match.info, match.frames) for match in self.matches]
        for time, image, *images in zip(self.times, source, *clips, strict=True):
            yield Shown(time, image, tuple(images))


def align(
    source: VideoInfo,
    clips: Sequence[VideoInfo],
    *,
    start: Fraction = Fraction(0),
    duration: Fraction | None = None,
    frames: int | None = None,
) -> Alignment:
    """Find out when and how each clip shows what the source shows.

    All clips are decoded once, in thumbnails. Frames are matched by time; where a clip begins in
    the source, and how it fits its frame where the shapes differ, is seen from the pictures.

    Args:
        source: the clip that the others were made from.
        clips: any number, also none.
        start: seconds of the source to leave out.
        duration: seconds from `start` on that are wanted. What comes later is looked at only to
            find out where clips begin that are no whole paintings of the source.
        frames: how many are wanted at most.

    Raises:
        InputError: a clip is unreadable, of another shot, or has no time in common with the rest.
    """
    end = None if duration is None else start + duration
    stamps = [read_stamp(clip.path) for clip in clips]
    mark = fingerprint(source.path) if any(stamps) else None
    own = [stamp is not None and stamp.get("source") == mark for stamp in stamps]
    begins = [begun_at(stamp) for stamp in stamps]
    whole = all(map(_ends_with, repeat(source), clips, begins))
    seen = end if all(own) and whole else None
    base = _look(source, seen)
    looks = [_look(clip, seen) for clip in clips]
    fits = list(map(_fit, repeat(base), looks, begins, own))
    every = stride(interval(base.times), [interval(look.times) for look in looks])
    shared = _shared(base, looks, fits, start, end)[::every][:frames]
    if len(shared) < 2:
        raise InputError(_too_short(base, looks, fits, len(shared), start, end))
    times = tuple(base.times[number] for number in shared)
    part = _smallest(found.framing.source for found in fits)
    matches = tuple(
        _match(base, look, found, times, part) for look, found in zip(looks, fits, strict=True)
    )
    notes = _notes(times, every, part)
    return Alignment(source, tuple(shared), times, part, matches, tuple(notes))


def crop(image: Picture, part: Part) -> Picture:
    """The middle `part` of an (H, W, 3) picture, to whole pixels."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(edge) for edge in middle((width, height), part))
    return image[top:bottom, left:right]


@dataclass(frozen=True)
class _Look:
    """A clip, seen through once."""

    info: VideoInfo
    times: tuple[Fraction, ...]
    """Seconds of each frame since the first."""
    end: Fraction
    thumbs: Thumbs
    partial: bool

    @property
    def name(self) -> str:
        return self.info.path.name

    @property
    def aspect(self) -> Fraction:
        """Width over height as it is shown."""
        return self.info.width * self.info.sample_aspect_ratio / self.info.height


def _look(info: VideoInfo, until: Fraction | None) -> _Look:
    report = ReadReport()
    seen = [
        (frame.pts, frame.duration, thumb(frame.image))
        for frame in read_frames(info, duration=until, report=report)
    ]
    if len(seen) < 2:
        where = "" if until is None else " in the part that is asked for"
        raise InputError(f"{info.path}: has a single frame{where}; comparing takes two")
    first = seen[0][0]
    times = tuple((pts - first) * info.time_base for pts, _, _ in seen)
    length = seen[-1][1] * info.time_base or interval(times)
    thumbs = np.stack([small for _, _, small in seen])
    return _Look(info, times, times[-1] + length, thumbs, report.is_partial)


def _fit(source: _Look, clip: _Look, expected: Fraction, own: bool) -> Fit:
    """Find where a clip begins; of the source's `own` paintings it is where their stamp says."""
    choices = list(framings(source.aspect, clip.aspect))
    begin = next((time for time in source.times if time >= expected), Fraction(0))
    if begin - expected > STANDING:  # a part that begins with a picture that stands
        begin = expected
    found = fit(
        *(source.thumbs, source.times, clip.thumbs, clip.times, choices, begin),
        certain=own and _ends_with(source.info, clip.info, begin),
    )
    if found.likeness < _ALIKE and own:
        return Fit(found.likeness, begin, choices[0])  # strong styles leave little of a dark shot
    if found.likeness < _ALIKE:
        raise InputError(
            f"{clip.info.path}: does not show what {source.info.path} shows at any time (structure "
            f"correlates {found.likeness:.2f}, a painting's {_ALIKE} or more); is it of this shot?"
        )
    return found


def _ends_with(source: VideoInfo, clip: VideoInfo, begin: Fraction) -> bool:
    """Whether the files end together if one begins so late: then nobody has cut the clip since."""
    if source.duration is None or clip.duration is None:
        return False
    frame = 1 / (source.average_rate or USUAL_RATE)
    return abs(begin + clip.duration - source.duration) <= _SLACK_FRAMES * frame


def _tick(a: _Look, b: _Look) -> Fraction:
    """Seconds by which time stamps of two clips may be off against each other by rounding."""
    return a.info.time_base + b.info.time_base


def _shared(
    source: _Look,
    clips: Sequence[_Look],
    fits: Sequence[Fit],
    start: Fraction,
    until: Fraction | None,
) -> list[int]:
    """The source's frames from `start` on, by number, at whose time every clip shows something."""
    begin = max([start, *(found.offset for found in fits)])
    ends = [
        found.offset + clip.end - slack(clip.times, _tick(source, clip))
        for clip, found in zip(clips, fits, strict=True)
    ]
    end = min([source.end, *ends] if until is None else [source.end, until, *ends])
    return [number for number, time in enumerate(source.times) if begin <= time < end]


def _too_short(
    source: _Look,
    clips: Sequence[_Look],
    fits: Sequence[Fit],
    frames: int,
    start: Fraction,
    until: Fraction | None,
) -> str:
    ranges = ", ".join(
        f"{clip.name} {_span(found.offset, found.offset + clip.end)}"
        for clip, found in zip(clips, fits, strict=True)
    )
    said = "it lasts" if until is None and not start else "what is asked for lasts"
    own = _span(start, source.end if until is None else min(until, source.end))
    return (
        f"{source.info.path}: shares {'only one frame' if frames else 'no time range'} with "
        f"what was made from it: {said} {own}{', ' if ranges else ''}{ranges}; name clips that "
        "overlap, or more of them"
    )


def _match(source: _Look, clip: _Look, found: Fit, times: Sequence[Fraction], part: Part) -> Match:
    moments = [time - found.offset for time in times]
    frames = tuple(shown_at(clip.times, moments, _tick(source, clip)))
    lags = tuple(moment - clip.times[frame] for moment, frame in zip(moments, frames, strict=True))
    shown = tuple(
        own * common / seen
        for own, common, seen in zip(found.framing.clip, part, found.framing.source, strict=True)
    )
    notes = tuple(_clip_notes(source, clip, found, frames))
    return Match(clip.info, found.offset, found.likeness, (shown[0], shown[1]), frames, lags, notes)


def _clip_notes(source: _Look, clip: _Look, found: Fit, frames: Sequence[int]) -> Iterator[str]:
    yield from _rate_note(source, clip, frames)
    own, its = ((look.info.width, look.info.height) for look in (source, clip))
    if own != its:
        yield f"{its[0]}x{its[1]} pixels against the source's {own[0]}x{own[1]}"
    if found.framing.words:
        yield found.framing.words
    if found.offset > 0:
        yield f"begins {float(found.offset):.2f} s into the source"
    if found.offset < 0:
        yield f"begins {float(-found.offset):.2f} s before the source"
    if clip.partial:
        yield "is damaged or cut short; what could be read was compared"


def _rate_note(source: _Look, clip: _Look, frames: Sequence[int]) -> Iterator[str]:
    own, its = interval(source.times), interval(clip.times)
    if abs(own - its) <= _SAME_RATE * own:
        return
    steps = [later - earlier for earlier, later in pairwise(frames)]
    held, missed = steps.count(0), sum(max(step - 1, 0) for step in steps)
    yield (
        f"{_rate(its)} frames a second against the source's {_rate(own)}: matched by time, with "
        f"{held} of its {len(set(frames)) + missed} frames shown twice and {missed} passed over"
    )


def _notes(times: Sequence[Fraction], every: int, part: Part) -> Iterator[str]:
    yield f"compared over {_span(times[0], times[-1])} of the source, in {len(times)} frames"
    if every > 1:
        yield f"of the source one frame in {every} was taken: the slowest clip has no more"
    if min(part) < 1:
        wide, high = (round(100 * share) for share in part)
        yield f"only the middle was compared: {wide} % of the width, {high} % of the height"


def _picked(info: VideoInfo, numbers: Iterable[int]) -> Iterator[Picture]:
    """The frames with these numbers, which never fall; some may come more than once."""
    frames = enumerate(read_frames(info))
    place, frame = next(frames)
    for number in numbers:
        while place < number:
            place, frame = next(frames)
        yield frame.image


def _smallest(parts: Iterable[Part]) -> Part:
    whole = (Fraction(1), Fraction(1))
    widths, heights = zip(whole, *parts, strict=True)
    return min(widths), min(heights)


def _rate(interval: Fraction) -> str:
    return f"{round(float(1 / interval), 2):g}" if interval else "?"


def _span(begin: Fraction, end: Fraction) -> str:
    return f"{float(begin):.2f}-{float(end):.2f} s"
