"""What a run will read and write, settled and checked before anything heavy is loaded."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vidstyle.errors import InputError, ResourceError, UsageError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.media import CLIP_SUFFIXES, files_in, media_in
from vidstyle.jobs.painting.report import FileFailure
from vidstyle.jobs.publish import is_half_published
from vidstyle.jobs.text import count
from vidstyle.types import EncodeOptions, VideoInfo
from vidstyle.video.images import IMAGE_FORMATS, check_size, image_suffix, is_image
from vidstyle.video.info import output_suffix, probe
from vidstyle.video.opening import (
    MUXERS,
    check_rate,
    files_of,
    is_numbered,
    is_sequence,
    sequence_files,
    unnumbered,
)
from vidstyle.video.read import expected_frames
from vidstyle.video.stamp import read_stamp
from vidstyle.video.write import WITHOUT_LOSS, check_encoding

MOST_NAMED = 3
"""Files of a folder that are left out and named."""

BYTES_A_PIXEL = 0.1
"""Of a painted clip at the usual quality: 0.08 (monet) to 0.11 (composition-vii) on a real clip."""
BYTES_A_PIXEL_WITHOUT_LOSS = 2
"""Of numbered pictures, and of the track that they are made of."""

A_CLIP = 24
"""So many pictures, numbered without a gap, may well be a clip."""
_NUMBERED = re.compile(r"(.*?)(\d+)(\.[^.]+)")

CLIP_OUTPUTS = tuple(f".{name}" for name in MUXERS)


@dataclass(frozen=True)
class Task:
    """One input and where its painting goes."""

    input: Path
    output: Path
    info: VideoInfo | None
    """None for a picture."""
    numbered: bool = False
    """Whether the clip becomes numbered pictures; `output` is their name with %d in it then."""
    overwrite: bool = False

    @property
    def container(self) -> str:
        """The kind of file that is written: "mp4", "mov", "mkv", "png", "jpg"."""
        return self.output.suffix.lower().removeprefix(".")

    @property
    def existing(self) -> list[Path]:
        """What there is already of the output."""
        named = sequence_files(self.output).values() if self.numbered else [self.output]
        return [path for path in named if os.path.exists(path)]  # too long a name does not

    def encoding(self, wanted: EncodeOptions) -> EncodeOptions:
        """How the painted track is written, before pictures are made of it if they are wanted."""
        return WITHOUT_LOSS if self.numbered else wanted


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what cannot be."""

    tasks: tuple[Task, ...]
    failures: tuple[FileFailure, ...] = ()
    notes: tuple[str, ...] = ()
    done: tuple[Path, ...] = ()
    """Outputs that are there already, just as this run would leave them."""


def make_plan(
    config: RunConfig, style: str, is_done: Callable[[Task], bool] = lambda _: False
) -> Plan:
    """Find the inputs, name the outputs, and refuse what would go wrong later.

    An unreadable file among several inputs becomes a failure of the plan; the others are painted.

    Args:
        config: the run.
        style: name of the style, a part of the outputs' names.
        is_done: whether a task's output is there already, just as the run would leave it.

    Raises:
        InputError: the only input cannot be read, or a folder holds nothing to paint.
        UsageError: an output exists that is not this run's, equals an input, or would be written
            twice; or an option speaks of inputs that there are none of.
        ResourceError: an output's folder cannot be written to.
    """
    notes: list[str] = []
    paths = list({os.path.realpath(path): path for path in _expand(config, notes)}.values())
    readable: list[tuple[Path, VideoInfo | None]] = []
    failures: list[FileFailure] = []
    for path in paths:
        try:
            readable.append((path, _open(path, config)))
        except InputError as error:
            if len(paths) == 1:
                raise
            failures.append(FileFailure.of(path, error))
    if len(paths) > 1 and config.output is not None and _names_a_file(config.output):
        raise UsageError(f"{config.output}: is one file, but the inputs are several; name a folder")
    tasks = [_task(path, info, style, config) for path, info in readable]
    tasks = _apart(tasks, style, is_done)
    _refuse_clashes(tasks)
    check_rate(config.rate, paths)
    done = [] if config.overwrite else [task for task in tasks if is_done(task)]
    kept = tuple(task.output for task in done)
    tasks = [task for task in tasks if task.output not in kept]
    notes += _of_done(kept)
    _refuse_bad_outputs(tasks, paths, is_done)
    for task in tasks:
        if task.info is not None:
            container = None if task.numbered else task.container
            check_encoding(task.info, task.encoding(config.encode), container)
    _refuse_bad_folders(tasks, config.output)
    notes += _short_of_room(tasks, config)
    return Plan(tuple(tasks), tuple(failures), tuple(notes), kept)


def _expand(config: RunConfig, notes: list[str]) -> Iterator[Path]:
    for path in config.inputs:
        if os.path.isdir(path):
            yield from _in_folder(path, config.output, notes)
        else:
            yield path


def _in_folder(folder: Path, output: Path | None, notes: list[str]) -> list[Path]:
    media = media_in(folder)
    inside = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    place = output and os.path.realpath(output)
    if inner := [path for path in inside if os.path.realpath(path) != place]:
        left_out = count(len(inner), "folder")
        notes.append(f"{folder}: left out {left_out} inside; name what is to be painted as well")
    if others := sorted({path.name for path in files_in(folder)} - {path.name for path in media}):
        named = ", ".join(others[:MOST_NAMED]) + ", ..." * (len(others) > MOST_NAMED)
        notes.append(f"{folder}: left out what looks like no clip or picture: {named}")
    fresh = [path for path in media if not _is_painted(path)]
    if painted := len(media) - len(fresh):
        notes.append(f"{folder}: left out {painted} that vidstyle painted itself")
    if painted and not fresh:
        raise InputError(
            f"{folder}: holds only what vidstyle painted itself; name a file to paint it again"
        )
    if not fresh:
        raise InputError(f"{folder}: there is no clip or picture to paint in this folder")
    notes += _of_numbered(folder, fresh)
    return fresh


def _of_numbered(folder: Path, media: list[Path]) -> Iterator[str]:
    """A hint for who names the folder of a clip's frames, which would be painted one by one."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for path in media:
        if path.suffix.lower() not in CLIP_SUFFIXES and (match := _NUMBERED.fullmatch(path.name)):
            before, digits, after = match.groups()
            width = f"0{len(digits)}" if digits.startswith("0") else ""
            numbers[f"{before}%{width}d{after}"].append(int(digits))
    for name, its in numbers.items():
        if len(its) >= A_CLIP and max(its) - min(its) == len(its) - 1:
            yield (
                f"{folder}: {len(its):,} numbered pictures are painted each for itself; "
                f"as one clip: {folder / name}"
            )


def _is_painted(path: Path) -> bool:
    try:
        return read_stamp(path) is not None
    except InputError:  # broken: it is told of when its turn comes
        return False


def _open(path: Path, config: RunConfig) -> VideoInfo | None:
    """A clip's info, None for a picture; of a picture named as a clip, `probe` complains."""
    if path.suffix.lower() not in CLIP_SUFFIXES and is_image(path):
        check_size(path, config.limits)
        return None
    info = probe(path, config.limits, rate=config.rate)
    if config.hdr == "refuse" and info.colour.hdr:
        raise InputError(f"{path}: is HDR ({info.colour.hdr}); --hdr map paints it in SDR")
    return info


def _names_a_file(output: Path) -> bool:
    """What -o means: a name with a suffix is a file, unless there is a folder of that name."""
    return bool(output.suffix or is_numbered(output.name)) and not output.is_dir()


def _task(path: Path, info: VideoInfo | None, style: str, config: RunConfig) -> Task:
    output = _name(path, info, style, config.output)
    if output != config.output or not _is_for_pictures(output):
        return Task(path, output, info, overwrite=config.overwrite)
    if info is None:
        raise UsageError(f"{output}: numbers pictures, but {path} is a single one; name one file")
    if config.encode != EncodeOptions():
        raise UsageError(f"{output}: no video is encoded; leave out --codec, --crf and their like")
    overwrite = config.overwrite or is_half_published(output)
    return Task(path, output, info, numbered=True, overwrite=overwrite)


def _is_for_pictures(output: Path) -> bool:
    return is_numbered(output.name) and output.suffix.lower() in IMAGE_FORMATS


def _name(path: Path, info: VideoInfo | None, style: str, output: Path | None) -> Path:
    if output is not None and _names_a_file(output):
        return _with_known_suffix(output, info)
    folder = path.parent if output is None else output
    suffix = image_suffix(path) if info is None else output_suffix(info)
    return folder / f"{_stem(path)}.{style}{suffix}"


def _stem(path: Path) -> str:
    """What an input is called: a sequence without its number, or else as its folder."""
    if not is_sequence(path):
        return path.stem
    return unnumbered(path.stem).strip(" ._-") or path.resolve().parent.name


def _with_known_suffix(output: Path, info: VideoInfo | None) -> Path:
    what, known = ("picture", tuple(IMAGE_FORMATS)) if info is None else ("clip", CLIP_OUTPUTS)
    if is_numbered(output.name):
        known = (*known, *IMAGE_FORMATS)
    if output.suffix.lower() not in known:
        raise UsageError(f"{output}: a {what} is written as {', '.join(known)}; change the suffix")
    return output


def _apart(tasks: list[Task], style: str, is_done: Callable[[Task], bool]) -> list[Task]:
    """Give those that would share an output the whole name of their input: clip.avi, clip.mp4.

    One whose painting bears that name already keeps it.
    """
    counts = Counter(task.output for task in tasks)
    return [
        task
        if counts[task.output] == 1 or is_sequence(task.input) or is_done(task)
        else replace(
            task,
            output=task.output.with_name(f"{task.input.name}.{style}{task.output.suffix}"),
        )
        for task in tasks
    ]


def _refuse_clashes(tasks: list[Task]) -> None:
    outputs: dict[str, Path] = {}
    for task in tasks:
        first = outputs.setdefault(os.path.realpath(task.output), task.input)
        if first is not task.input:
            raise UsageError(
                f"{first} and {task.input}: both would become {task.output}; "
                "paint one of them with an -o of its own"
            )


def _of_done(outputs: Sequence[Path]) -> Iterator[str]:
    if len(outputs) == 1:
        yield f"{outputs[0]}: is painted already, with these settings; -y paints it anew"
    elif outputs:
        done = f"{len(outputs):,} inputs are painted already, with these settings"
        yield f"{done}; -y paints them anew"


def _refuse_bad_outputs(
    tasks: list[Task], paths: list[Path], is_done: Callable[[Task], bool]
) -> None:
    inputs = {_identity(file) for path in paths for file in files_of(path) if file.exists()}
    for task in tasks:
        for output in task.existing:
            if _identity(output) in inputs:
                raise UsageError(f"{output}: is an input of this run and must not be overwritten")
            if not output.is_file():
                raise UsageError(f"{output}: is no plain file and cannot be overwritten")
            # What another run has finished since it was looked for is left as it is, in its turn.
            if not task.overwrite and not is_done(task):
                raise UsageError(f"{output}: exists already; overwrite it with -y, or name another")


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _refuse_bad_folders(tasks: list[Task], output: Path | None) -> None:
    own = {output, *(task.output.parent for task in tasks if task.numbered)}
    for folder in {task.output.parent for task in tasks}:
        try:
            if folder in own and folder.parent.is_dir() and not folder.exists():
                folder.mkdir(exist_ok=True)  # another run may make it at the same moment
            if folder.is_dir():
                with tempfile.TemporaryFile(dir=folder):
                    continue
        except OSError as error:
            raise ResourceError(f"{folder}: cannot write there ({error.strerror})") from error
        if folder.exists():
            raise UsageError(f"{folder}: is a file; -o names a folder, or a file with a suffix")
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        raise UsageError(f"{missing[-1]}: there is no such folder; make it first")


def _short_of_room(tasks: list[Task], config: RunConfig) -> Iterator[str]:
    """Say which folders may fill; what is finished by then is kept, so nothing is refused."""
    sizes: dict[Path, list[float]] = defaultdict(list)
    for task in tasks:
        sizes[task.output.parent].append(_painted_size(task, config))
    for folder, its in sizes.items():
        needed = sum(its) + max(its)  # a clip's segments lie beside it while they are joined
        free = shutil.disk_usage(folder).free
        if free < needed:
            yield f"{folder}: about {_megabytes(needed)} may be needed, {_megabytes(free)} are free"


def _painted_size(task: Task, config: RunConfig) -> float:
    """Bytes that a clip will have when it is painted, roughly."""
    if (info := task.info) is None:
        return 0
    frames = expected_frames(info, config.start or Fraction(0), config.duration) or 0
    each = BYTES_A_PIXEL_WITHOUT_LOSS if task.numbered else BYTES_A_PIXEL
    return frames * info.height * info.width * each


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
