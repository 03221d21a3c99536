"""All that a painting depends on: two tries with one identity paint the same frames."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vidstyle.errors import InputError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.style import Style
from vidstyle.stylizers.device import available_cores
from vidstyle.video.bars import Bars
from vidstyle.video.opening import files_of
from vidstyle.video.stamp import fingerprint

_PACKAGES = ("vidstyle", "av", "numpy", "opencv-python", "openvino", "torch")
BATCH = "frames painted at a time"
# What they say is held fast otherwise, or makes no difference to the frames.
_IMMATERIAL = {
    "inputs",
    "output",
    "style",
    "tier",
    "device",
    "engine",
    "overwrite",
    "restart",
    "limits",
}


def identity(
    path: Path, config: RunConfig, style: Style, engine: str, bars: Bars, batch: int, segment: int
) -> dict[str, str]:
    """What a clip's painting depends on, by names that a user knows.

    Args:
        path: the clip. Its size, its time and its `fingerprint` stand for its content.
        config: every option counts, but those that say where to, or choose among engines.
        style: counts by the checksum of its file.
        engine: its name, with device and precision.
        bars: what of the frames is not painted.
        batch: frames that it paints at a time.
        segment: frames of a segment.

    Raises:
        InputError: the clip cannot be read any more.
    """
    facts = {
        **_input(path),
        **_style(style),
        **_options(config),
        "the engine": engine,
        "the black bars": astuple(bars),
        "the number of processor cores": available_cores(),
        BATCH: batch,
        "frames a segment": segment,
        **{f"{name}'s version": _version(name) for name in _PACKAGES},
    }
    return {name: str(value) for name, value in facts.items()}


def request(content: str, config: RunConfig, style: Style) -> str:
    """Checksum of what is asked for, whatever machine and version paint it.

    What is as it is by default is left out, so that paintings of before an option came stay done.
    They also do when a default changes.

    A finished painting that bears it need not be painted again.

    Args:
        content: the clip's or picture's `fingerprint`.
        config: as for `identity`.
        style: as for `identity`.
    """
    usual = _options(type(config)(config.inputs, config.style))
    asked = {name: value for name, value in _options(config).items() if value != usual[name]}
    facts = {"content": content, **_style(style), **asked}
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _style(style: Style) -> dict[str, object]:
    return {"the style": style.spec, "the style file": style.sha256}


def _options(config: RunConfig) -> dict[str, object]:
    """All that changes what is painted, by names that a user knows."""
    options = {field.name: getattr(config, field.name) for field in fields(config)}
    chosen = {name: value for name, value in options.items() if name not in _IMMATERIAL}
    chosen |= asdict(chosen.pop("encode"))
    return {name.replace("_", " "): value for name, value in chosen.items()}


def content_of(path: Path) -> str:
    """The `fingerprint` of an input.

    Raises:
        InputError: it cannot be read any more.
    """
    try:
        return fingerprint(path)
    except OSError as error:
        raise _gone(path, error) from error


def _input(path: Path) -> dict[str, object]:
    try:
        status = [file.stat() for file in files_of(path)]
    except OSError as error:
        raise _gone(path, error) from error
    return {
        "the input's size": sum(found.st_size for found in status),
        "the input's time of change": max((found.st_mtime_ns for found in status), default=0),
        "the input's content": content_of(path),
    }


def _gone(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be read any more ({error.strerror})")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
