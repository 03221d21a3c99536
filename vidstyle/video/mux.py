"""The painted track and everything else of the input into one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av

from vidstyle.errors import InputError, UsageError
from vidstyle.files import writing
from vidstyle.types import VideoInfo
from vidstyle.video.gif import write_gif
from vidstyle.video.images import IMAGE_FORMATS
from vidstyle.video.joining import Joining
from vidstyle.video.numbered import write_pictures
from vidstyle.video.opening import MUXERS, is_sequence, open_input, sequence_files
from vidstyle.video.painted_track import PaintedTrack
from vidstyle.video.part import Part
from vidstyle.video.stamp import stamp_tag
from vidstyle.video.write import nut_offset


@dataclass(frozen=True)
class MuxSummary:
    """What `mux` put beside the painted track."""

    copied: tuple[str, ...]
    """The tracks taken over as they are: "audio track 1 (aac)" and so on."""
    notes: tuple[str, ...]
    """What was re-encoded, left out or left unpainted, a line each."""
    files: tuple[Path, ...]
    """The output, or the numbered pictures."""


def mux(
    segments: Sequence[Path],
    info: VideoInfo,
    output: Path,
    *,
    container: str,
    stamp: dict[str, Any],
    start: Fraction | None = None,
    duration: Fraction | None = None,
    last_duration: int = 0,
    on_packet: Callable[[], None] = lambda: None,
) -> MuxSummary:
    """Join the painted track with the sound, subtitles, chapters and tags of its clip.

    Every time stamp stays what it was, with two exceptions. A clip that starts before zero, or
    whose container counts from an arbitrary time, is moved to zero as a whole; and a part of a clip
    starts at zero with its first picture. Sound and picture are always moved alike.

    Args:
        segments: the painted track as `encode_track` wrote it, in order; one file or more.
        info: the clip that it was painted from.
        output: overwritten; its name need not end in the container's suffix. Numbered pictures have
            %d or %04d in theirs, for the number.
        container: "mp4", "mov", "mkv", "webm" or "gif"; of numbered pictures "png", "jpg", "jpeg".
        stamp: how the clip was painted, as JSON can hold it; `stamp.read_stamp` gives it back.
        start: the part that was read, as given to `read_frames`.
        duration: likewise.
        last_duration: `EncodeSummary.last_duration` of the last segment; 0 for as long as the frame
            before.
        on_packet: called again and again while it works; what it raises ends the work.

    Raises:
        InputError: the clip cannot be read any more, or its tracks do not fit together.
        UsageError: the container is unknown or cannot hold the painted track.
        ResourceError: the disk is full, or the place cannot be written.
    """
    if f".{container}" in IMAGE_FORMATS:
        return _as_pictures(segments, info, output, stamp, on_packet)
    if container not in MUXERS:
        raise UsageError(f"unknown container {container!r}; there are {', '.join(MUXERS)}")
    if container == "gif":
        return _as_gif(segments, info, output, last_duration * info.time_base, stamp, on_packet)
    picture = PaintedTrack(segments, info, last_duration)
    left_out: Set[int] = frozenset()
    while True:
        with open_input(info.path) as source, writing(output):
            part = Part.of(source, info, picture.first, start, duration)
            joining = Joining(source, info, container, part, left_out)
            if joining.write(output, picture, stamp, on_packet):
                notes = joining.notes
                return MuxSummary(tuple(notes.copied), tuple(notes.lines), (output,))
        # Hours of painting must not be lost to a broken track of sound: once more without it.
        suspects = joining.suspects()
        if not suspects:
            raise InputError(
                f"{info.path}: its tracks do not fit into one {container}; "
                "try another container with -o"
            )
        left_out = left_out | suspects


def _as_gif(
    segments: Sequence[Path],
    info: VideoInfo,
    output: Path,
    last: Fraction,
    stamp: dict[str, Any],
    on_packet: Callable[[], None],
) -> MuxSummary:
    shape = info.sample_aspect_ratio
    changes = write_gif(segments, output, last, stamp_tag(stamp), shape, on_packet)
    notes = ["a gif has 256 colours a frame; a .mp4 is smaller and shows them all"]
    if changes.moved:
        notes.append(
            f"{changes.moved:,} frames moved to whole hundredths of a second: gif has no finer ones"
        )
    if changes.left_out:
        notes.append(f"{changes.left_out:,} frames left out: a gif shows at most 50 a second")
    return MuxSummary((), (*notes, *_others_left_out(info, "gif has none")), (output,))


def _as_pictures(
    segments: Sequence[Path],
    info: VideoInfo,
    output: Path,
    stamp: dict[str, Any],
    on_packet: Callable[[], None],
) -> MuxSummary:
    # Pictures stay as large as they were; those of a clip have square pixels.
    shape = Fraction(1) if is_sequence(info.path) else info.sample_aspect_ratio
    pictures = write_pictures(segments, output, _numbers(info), stamp, shape, on_packet)
    note = f"pictures {pictures[0].name} to {pictures[-1].name}"
    if info.average_rate:
        note += f", {float(info.average_rate):.6g} of them a second"
    return MuxSummary((), (note, *_others_left_out(info, "pictures have none")), pictures)


def _others_left_out(info: VideoInfo, why: str) -> Iterator[str]:
    if others := info.other_tracks:
        yield f"{others} track{'s' * (others > 1)} of sound and the like left out: {why}"


def _numbers(info: VideoInfo) -> Callable[[av.VideoFrame], int]:
    """Pictures that were painted from numbered ones keep their numbers; others begin with 1."""
    if not is_sequence(info.path) or info.average_rate is None:
        counter = count(1)
        return lambda _: next(counter)
    first, rate = next(iter(sequence_files(info.path))), info.average_rate
    start = (info.start_pts + nut_offset(info)) * info.time_base
    return lambda frame: (
        first + round(((frame.pts or 0) * Fraction(frame.time_base or 1) - start) * rate)
    )
