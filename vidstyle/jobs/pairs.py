"""Frames and flow for training, taken out of clips once: what training itself must not open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.errors import InputError
from vidstyle.jobs.plan import CLIP_SUFFIXES
from vidstyle.motion.cuts import is_cut
from vidstyle.motion.flow import fine_flow
from vidstyle.motion.occlusion import occlusion
from vidstyle.training.clips import PAIR_SUFFIX, FramePair, save_pair
from vidstyle.training.data import scale_short_side
from vidstyle.types import VideoInfo
from vidstyle.video.info import probe
from vidstyle.video.read import expected_frames, read_frames

PAIRS_A_CLIP: Final = 24
"""Spread over the clip; neighbours of neighbours show hardly anything new."""
ROOM: Final = 1.25
"""Short side of the kept frames over the side of the crops that are cut out of them."""
CONTENTS: Final = "contents.json"
"""Written last: what the pairs were made from."""


def cache_pairs(
    clips: Path,
    folder: Path,
    crop: int,
    on_progress: Callable[[int, int], None],
    on_note: Callable[[str], None],
) -> None:
    """Keep pairs of neighbouring frames of a folder's clips, with flow and what is hidden.

    Nothing is done when `folder` holds just that already. A clip that cannot be read is told of.

    Args:
        clips: folder of clips, searched recursively.
        folder: gets a file for each pair.
        crop: side of the squares that training cuts out of them, in pixels.
        on_progress: called with the clips done, and how many there are.
        on_note: called with each sentence that the user should know.

    Raises:
        InputError: there is no such folder, or not a single pair in it.
    """
    files = sorted(path for path in clips.rglob("*") if path.suffix.lower() in CLIP_SUFFIXES)
    if not files:
        raise InputError(f"{clips}: no clips found there; --clips names a folder of videos")
    contents = json.dumps({"crop": crop, "clips": [_identity(path) for path in files]})
    if (folder / CONTENTS).is_file() and (folder / CONTENTS).read_text() == contents:
        return
    _empty(folder)
    count = 0
    for number, path in enumerate(files):
        on_progress(number, len(files))
        try:
            for pair in clip_pairs(probe(path), round(ROOM * crop)):
                save_pair(folder / f"{count:05}{PAIR_SUFFIX}", pair)
                count += 1
        except InputError as error:
            on_note(str(error))
    if not count:
        raise InputError(f"{clips}: no clip there has two frames of one scene")
    (folder / CONTENTS).write_text(contents)


def clip_pairs(info: VideoInfo, short_side: int) -> Iterator[FramePair]:
    """Pairs spread over a clip, scaled so that their short side is `short_side` pixels."""
    frames = (frame.image for frame in read_frames(info))
    stride = max(1, (expected_frames(info) or 0) // PAIRS_A_CLIP)
    for first, second in islice(pairwise(frames), 0, PAIRS_A_CLIP * stride, stride):
        if not is_cut(first, second):
            yield measured(_scaled(first, short_side), _scaled(second, short_side))


def measured(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> FramePair:
    """Two (H, W, 3) uint8 frames with the flow between them and what came into view."""
    back, ahead = fine_flow(second, first), fine_flow(first, second)
    return FramePair(first, second, back, occlusion(back, ahead))


def _scaled(image: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    return np.array(scale_short_side(Image.fromarray(image), short_side))


def _identity(path: Path) -> tuple[str, int, int]:
    status = path.stat()
    return str(path.resolve()), status.st_size, status.st_mtime_ns


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder / CONTENTS, *folder.glob(f"*{PAIR_SUFFIX}")):
        path.unlink(missing_ok=True)
