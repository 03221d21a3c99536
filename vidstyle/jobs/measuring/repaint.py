"""The painting that a stamp speaks of, once more and without anything done against flicker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vidstyle.errors import ResourceError, StyleError, UsageError
from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.style import Style, load_style
from vidstyle.stylizers.mixture import is_schedule
from vidstyle.stylizers.registry import is_path
from vidstyle.types import TIERS, Picture, VideoInfo
from vidstyle.video.bars import Bars


def repainter(
    stamp: dict[str, Any], source: VideoInfo, device: str, notes: list[str]
) -> Callable[[Picture], Picture]:
    """What paints a source's frames as `stamp` says they were, with consistency 0.

    Args:
        stamp: from `video.stamp.read_stamp`.
        source: the clip.
        device: as for `load_style`; "auto" takes the stamp's own device and engine if they are
            here, since engines differ in rounding.
        notes: gets a sentence where another engine has to do.

    Raises:
        StyleError: the style is not there any more.
    """
    bars = Bars.of_stamp(stamp)
    size = bars.inside(source.height, source.width)
    if min(size) < 1:
        raise StyleError("the painting tells of black bars that this source has no room for")
    style, engine = _opened(stamp, *size, device)
    if engine != (own := stamp.get("engine", engine)):
        notes.append(f"the unblended painting is painted on {engine}, the output was on {own}")
    finish = Finish.of_stamp(stamp)

    def paint(image: Picture) -> Picture:
        part = bars.cut(image)
        return bars.filled(image, finish(part, style.paint(part)))

    return paint


def _opened(stamp: dict[str, Any], height: int, width: int, device: str) -> tuple[Style, str]:
    """The style, and the name of the engine that paints frames of this size."""
    if device == "auto":
        engine, where, *_ = f"{stamp.get('engine', '')} auto auto".split()
        try:
            return _open(stamp, height, width, where, engine)
        except (ResourceError, UsageError):
            pass  # that device or engine is not here
    return _open(stamp, height, width, device, "auto")


def _open(
    stamp: dict[str, Any], height: int, width: int, device: str, engine: str
) -> tuple[Style, str]:
    tier, name = stamp.get("tier"), stamp.get("style")
    if not isinstance(name, str):
        raise StyleError("the painting does not say in which style it is")
    if tier not in (None, *TIERS):
        raise StyleError("the painting names a tier that there is not")
    if is_path(name):  # the painting may be anybody's: only names are looked up
        raise StyleError("the painting names a file in place of a style")
    if is_schedule(name):
        raise StyleError("painted on a schedule, which is not painted again to compare with")
    style = load_style(
        name,
        tier=tier,
        reverse=bool(stamp.get("reverse")),
        brush=float(stamp.get("brush", 1)),
        device=device,
        engine=engine,
    )
    if tier not in (None, style.card.tier):
        raise StyleError(f"{style.card.name} has no {tier} tier here")
    if stamp.get("style_file") not in (None, style.sha256):
        raise StyleError(f"the style {name} that is here is not the one that it was painted in")
    return style, style.engine(*style.canvas(height, width)).name
