"""Frames and flow for training, taken out of clips once: what training itself must not open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.jobs.media import CLIP_SUFFIXES
from vidstyle.motion.cuts import is_cut
from vidstyle.motion.flow import fine_flow
from vidstyle.motion.occlusion import occlusion
from vidstyle.training.clips import HELD_OUT, PAIR_SUFFIX, FramePair, save_held_out, save_pair
from vidstyle.training.data import scale_short_side
from vidstyle.training.loop import PREVIEWS
from vidstyle.types import Picture, VideoInfo
from vidstyle.video.info import probe
from vidstyle.video.read import expected_frames, read_frames

PAIRS_A_CLIP: Final = 24
"""Spread over the clip; neighbours of neighbours show hardly anything new."""
ROOM: Final = 1.25
"""Short side of the frames in pairs over that of the pictures: room for crops to differ."""
CONTENTS: Final = "contents.json"
"""Written last: what the pairs were made from."""


def cache_pairs(
    clips: Path,
    folder: Path,
    short_side: int,
    on_progress: Callable[[int, int], None],
    on_note: Callable[[str], None],
) -> None:
    """Keep pairs of neighbouring frames of a folder's clips, with flow and what is hidden.

    Where there are pairs without it, the last clip is not learnt from, and the preview shows some
    frames of it. Nothing is done when `folder` holds just that already. A clip that is too small or
    cannot be read is told of.

    Args:
        clips: folder of clips, searched recursively.
        folder: gets a file for each pair.
        short_side: of the pictures that training cuts crops out of, in pixels.
        on_progress: called with the clips done, and how many there are.
        on_note: called with each sentence that the user should know.

    Raises:
        InputError: there is no such folder, or not a single pair in it.
    """
    named = (path for path in clips.rglob("*") if path.suffix.lower() in CLIP_SUFFIXES)
    files = sorted(path for path in named if path.is_file())
    if not files:
        raise InputError(f"{clips}: no clips found there; --clips names a folder of videos")
    contents = json.dumps({"short_side": short_side, "clips": [_identity(path) for path in files]})
    if (folder / CONTENTS).is_file() and (folder / CONTENTS).read_bytes() == contents.encode():
        return
    _empty(folder)
    count = 0
    for number, path in enumerate(files):
        on_progress(number, len(files))
        try:
            info = _usable(path, short_side)
            if count and path == files[-1]:
                frames = [_scaled(f, short_side) for f in successive_frames(info, PREVIEWS)]
                save_held_out(folder, np.stack(frames))
                on_note(f"{path}: is not learnt from, but shown in the preview")
                continue
            for pair in clip_pairs(info, round(ROOM * short_side)):
                save_pair(folder / f"{count:05}{PAIR_SUFFIX}", pair)
                count += 1
        except InputError as error:
            on_note(str(error))
    if not count:
        raise InputError(f"{clips}: no clip there has two frames of one scene")
    (folder / CONTENTS).write_text(contents)


def _usable(path: Path, short_side: int) -> VideoInfo:
    info = probe(path)
    if min(info.width, info.height) < short_side // 2:  # enlarged more, it would teach blur
        raise InputError(f"{path}: {info.width}x{info.height} is too small to learn from")
    return info


def successive_frames(info: VideoInfo, count: int) -> list[Picture]:
    """Frames from the middle of a clip on; of a clip that ends before, the last again and again."""

    def frames_from(start: Fraction) -> list[Picture]:
        return [frame.image for frame in islice(read_frames(info, start=start), count)]

    try:
        frames = frames_from((info.duration or Fraction(0)) / 2)
    except InputError:  # a last frame may last for longer than all others
        frames = frames_from(Fraction(0))
    return frames + frames[-1:] * (count - len(frames))


def clip_pairs(info: VideoInfo, short_side: int) -> Iterator[FramePair]:
    """Pairs spread over a clip, scaled so that their short side is `short_side` pixels."""
    frames = (frame.image for frame in read_frames(info))
    stride = max(1, (expected_frames(info) or 0) // PAIRS_A_CLIP)
    for first, second in islice(pairwise(frames), 0, PAIRS_A_CLIP * stride, stride):
        if not is_cut(first, second):
            yield measured(_scaled(first, short_side), _scaled(second, short_side))


def measured(first: Picture, second: Picture) -> FramePair:
    """Two (H, W, 3) uint8 frames with the flow between them and what came into view."""
    back, ahead = fine_flow(second, first), fine_flow(first, second)
    return FramePair(first, second, back, occlusion(back, ahead))


def _scaled(image: Picture, short_side: int) -> Picture:
    return np.array(scale_short_side(Image.fromarray(image), short_side))


def _identity(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path.resolve()), status.st_size, status.st_mtime_ns


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder / CONTENTS, folder / HELD_OUT, *folder.glob(f"*{PAIR_SUFFIX}")):
        path.unlink(missing_ok=True)
