"""vidstyle turns a video into a painting that holds still.

    import vidstyle

    style = vidstyle.load_style("monet")
    painting = style.paint(picture)  # (H, W, 3) uint8 RGB in, the same out

    config = vidstyle.RunConfig((Path("clip.mp4"),), style="monet")
    report = vidstyle.run(config)

What needs torch, PyAV or OpenCV is loaded when it is first used: importing the package is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidstyle.errors import InputError, ResourceError, StyleError, UsageError, VidstyleError
from vidstyle.jobs.config import RunConfig
from vidstyle.jobs.measuring.evaluation import EvaluateConfig, EvaluationReport
from vidstyle.jobs.measuring.set_report import SetsReport
from vidstyle.jobs.painting.report import FileFailure, FileReport, Progress, RunReport
from vidstyle.types import EncodeOptions

if TYPE_CHECKING:
    from vidstyle.jobs.evaluate import evaluate
    from vidstyle.jobs.run import run
    from vidstyle.jobs.style import Style, load_style

__all__ = [
    "EncodeOptions",
    "EvaluateConfig",
    "EvaluationReport",
    "FileFailure",
    "FileReport",
    "InputError",
    "Progress",
    "ResourceError",
    "RunConfig",
    "RunReport",
    "SetsReport",
    "Style",
    "StyleError",
    "UsageError",
    "VidstyleError",
    "evaluate",
    "load_style",
    "run",
]

_HEAVY = {
    "evaluate": "vidstyle.jobs.evaluate",
    "run": "vidstyle.jobs.run",
    "Style": "vidstyle.jobs.style",
    "load_style": "vidstyle.jobs.style",
}


def __getattr__(name: str) -> object:
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HEAVY[name]), name)
