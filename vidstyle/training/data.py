"""Pictures for training: random crops of photographs, the same ones for one seed and step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from vidstyle.errors import InputError
from vidstyle.pictures import BROKEN, as_seen, open_picture
from vidstyle.training.config import CHECKPOINT, LEAST_PHOTOS, RUN_SUFFIX

PICTURE_SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))
MOST_NAMED: Final = 10
"""Pictures of no use that a note names."""
_TOO_LARGE: Final = "too large to be safe; scale it down"


def find_photos(folder: Path) -> list[Path]:
    """List the pictures below a folder, sorted.

    Raises:
        InputError: the folder is missing or holds fewer than `LEAST_PHOTOS` pictures.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what} of pictures")
    photos = find_pictures(folder)
    if len(photos) < LEAST_PHOTOS:
        raise InputError(
            f"{folder}: {len(photos)} pictures found, at least {LEAST_PHOTOS} are needed to train "
            "(fewer would be learnt by heart; some hundred are better)"
        )
    return photos


class Pictures(NamedTuple):
    """The usable pictures of a folder."""

    size: int
    """Short side that they are scaled to, in pixels, before crops are cut out of them."""
    learnt: list[Path]
    held_out: list[Path]
    """Not learnt from."""

    @property
    def shown(self) -> list[Path]:
        """What a preview should show: none that was learnt by heart, if there is such."""
        return self.held_out or self.learnt


def hold_out(pictures: list[Path], share: float, size: int) -> Pictures:
    """Hold out a share of the pictures, spread over all of them; of any share at least one.

    They will be scaled to the size.
    """
    count = min(max(1, round(share * len(pictures))), len(pictures) // 2) if share else 0
    chosen = {k * len(pictures) // count for k in range(count)}
    return Pictures(
        size,
        [path for k, path in enumerate(pictures) if k not in chosen],
        [pictures[k] for k in sorted(chosen)],
    )


def usable_pictures(folder: Path, least_side: int, on_note: Callable[[str], None]) -> list[Path]:
    """List the pictures below a folder that can be trained on, sorted; a note names the others.

    Raises:
        InputError: the folder is missing, or fewer than `LEAST_PHOTOS` pictures are usable.
    """
    found = find_photos(folder)
    faults = {path: fault for path in found if (fault := _fault(path, least_side))}
    if not faults:
        return found
    named = [f"{path.relative_to(folder)} ({fault})" for path, fault in faults.items()]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    left_out = f"{', '.join(named[:MOST_NAMED])}{more}"
    usable = [path for path in found if path not in faults]
    if len(usable) < LEAST_PHOTOS:
        raise InputError(
            f"{folder}: {len(usable)} usable pictures, at least {LEAST_PHOTOS} are needed to "
            f"train; of no use: {left_out}"
        )
    on_note(f"{folder}: left out {left_out}")
    return usable


def _fault(path: Path, least_side: int) -> str:
    """What is wrong with a picture, in words; nothing when it is whole and large enough."""
    try:
        with open_picture(path) as picture:
            size = picture.size
            picture.draft("RGB", (1, 1))  # a JPEG is read to its end, but at an eighth of its size
            as_seen(picture)
    except Image.DecompressionBombError:
        return _TOO_LARGE
    except BROKEN:
        return "not readable"
    return f"{size[0]}x{size[1]} is too small" if min(size) < least_side else ""


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures below a folder, sorted; none when it does not exist.

    What trainings have left there, their previews, is not among them.
    """
    found = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
    return sorted(path for path in found if not _is_left_over(path, folder))


def _is_left_over(path: Path, folder: Path) -> bool:
    """Whether it lies in a training's run folder; `folder` itself may be one."""
    between = (folder / parent for parent in path.relative_to(folder).parents[:-1])
    return any(f.suffix == RUN_SUFFIX and (f / CHECKPOINT).exists() for f in between)


def load_picture(path: Path, short_side: int | None = None) -> Image.Image:
    """Read a picture as it is meant to be seen, scaled so that its short side is `short_side`.

    Raises:
        InputError: the file is missing or no picture.
    """
    try:
        with open_picture(path) as picture:
            if short_side is not None:  # a JPEG is decoded no larger than it need be
                picture.draft(None, (short_side, short_side))
            seen = as_seen(picture)
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: {_TOO_LARGE}") from error
    except BROKEN as error:
        raise InputError(f"{path}: not a readable picture") from error
    return seen if short_side is None else scale_short_side(seen, short_side)


def scale_short_side(picture: Image.Image, short_side: int) -> Image.Image:
    """Scale a picture so that its short side is `short_side` pixels."""
    scale = short_side / min(picture.size)
    width, height = (max(short_side, round(n * scale)) for n in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def middle(picture: Image.Image, side: int) -> Image.Image:
    """Cut a square out of the middle of a picture that is at least as large."""
    left, top = ((n - side) // 2 for n in picture.size)
    return picture.crop((left, top, left + side, top + side))


def to_tensor(picture: Image.Image) -> Tensor:
    """(3, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255.0


class PhotoBatches(Dataset[Tensor]):
    """Item k is the batch (N, 3, H, W) in [0, 1] of training step k, and depends on the seed alone.

    So a resumed training sees what an uninterrupted one would have seen, however many workers load.
    """

    def __init__(
        self,
        photos: list[Path],
        batch: int,
        side: int,
        seed: int,
        picture_side: int = 0,
        border: int = 0,
    ) -> None:
        """Cut `side` pixels out of pictures whose short side is scaled to `picture_side`.

        It is varied by a quarter upwards, and is `side` at least. Around what is cut out come
        `border` pixels of its mirror image.
        """
        self.photos = photos
        self.batch = batch
        self.side = side
        self.seed = seed
        self.picture_side = max(side, picture_side)
        self.border = border

    def __getitem__(self, step: int) -> Tensor:
        rng = np.random.default_rng((self.seed, step))
        crops = torch.stack([self._crop(rng) for _ in range(self.batch)])
        return F.pad(crops, [self.border] * 4, mode="reflect")

    def _crop(self, rng: np.random.Generator) -> Tensor:
        picture = self._draw(round(self.picture_side * rng.uniform(1.0, 1.25)), rng)
        left = int(rng.integers(picture.width - self.side + 1))
        top = int(rng.integers(picture.height - self.side + 1))
        crop = picture.crop((left, top, left + self.side, top + self.side))
        return to_tensor(ImageOps.mirror(crop) if rng.random() < 0.5 else crop)

    def _draw(self, short_side: int, rng: np.random.Generator) -> Image.Image:
        """Load a random photograph at a size, passing over broken ones."""
        for _ in range(100):
            try:
                return load_picture(self.photos[rng.integers(len(self.photos))], short_side)
            except InputError:
                continue
        raise InputError(f"{self.photos[0].parent}: 100 pictures in a row could not be read")


Photos = TypeVar("Photos")


class UnpairedBatches(Dataset[tuple[Photos, Tensor]]):
    """Item k is the photographs and the paintings of step k, drawn without regard to each other."""

    def __init__(self, photos: Dataset[Photos], paintings: PhotoBatches) -> None:
        self.photos = photos
        self.paintings = paintings

    def __getitem__(self, step: int) -> tuple[Photos, Tensor]:
        return self.photos[step], self.paintings[step]
