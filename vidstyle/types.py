"""The words that every layer shares. Plain data: this module imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Picture: TypeAlias = "NDArray[np.uint8]"
"""uint8 pixels (H, W, 3), RGB, 0-255."""

Tier = Literal["fast", "best"]
TIERS: tuple[Tier, ...] = ("fast", "best")

USUAL_RATE = Fraction(25)
"""Frames a second where nothing tells them."""
LEAST_RATE, MOST_RATE = Fraction(1, 1000), Fraction(1000)
"""Frames a second that numbered pictures may have."""

MOST_BRUSH = 4
"""Strokes as many times as large as learnt; larger ones tell little of a clip of usual size."""

STYLE_NAME = re.compile(
    r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$))"  # these are devices on Windows
    r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?"  # which drops a dot at the end, too
)
"""What a style may be called: it becomes a part of file names."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip, upright as it is displayed."""

    image: Picture
    """Contiguous."""
    pts: int
    """Presentation time in ticks of the clip's `VideoInfo.time_base`."""
    duration: int = 0
    """Ticks until the next frame as the file declares it; 0 when it does not."""


@dataclass(frozen=True)
class Colour:
    """How YUV samples stand for RGB; ITU-T H.273 names as FFmpeg spells them."""

    matrix: str
    """"bt709", "smpte170m" (BT.601), "bt2020nc" or "rgb"."""
    full_range: bool
    primaries: str = "unknown"
    transfer: str = "unknown"

    @property
    def hdr(self) -> str:
        """ "PQ" or "HLG" where the transfer function is one of HDR's, else nothing."""
        return {"smpte2084": "PQ", "arib-std-b67": "HLG"}.get(self.transfer, "")


@dataclass(frozen=True)
class Limits:
    """What an input may ask for before it is refused: a hostile header costs memory and hours."""

    pixels: int = 8192 * 8192
    """Width times height."""
    tracks: int = 64
    hours: int = 24
    """Of the painted track, as the file declares it."""
    attachments: int = 64
    """Megabytes of fonts, covers and the like, together."""


@dataclass(frozen=True)
class VideoInfo:
    """What there is to know about a clip before it is decoded."""

    path: Path
    container: str
    track: int
    """Index of the painted track: the first video stream that is no cover picture."""
    codec: str
    width: int
    height: int
    """Pixels of the upright picture: rotation is already accounted for."""
    sample_aspect_ratio: Fraction
    """Width over height of one upright pixel."""
    time_base: Fraction
    """Seconds a tick."""
    average_rate: Fraction | None
    """Frames a second where the file declares it; never used to make time stamps."""
    start_pts: int
    duration: Fraction | None
    """Seconds of the painted track, None when the file does not declare it."""
    frame_count: int | None
    colour: Colour
    depth: int = 8
    """Bits a colour sample."""
    rotation: int = 0
    """Degrees counter-clockwise (0, 90, 180, 270) that make the stored picture upright."""
    mirrored: bool = False
    """The stored picture is flipped left to right before it is rotated."""
    other_tracks: int = 0
    """How many there are beside the painted one: sound, subtitles, covers, fonts and the like."""
    limits: Limits = field(default_factory=Limits)
    """What it was held against when it was probed, and is while it is read."""


@dataclass(frozen=True)
class EncodeOptions:
    """How the painted track is written; the words are FFmpeg's."""

    codec: str = "libx264"
    crf: int = 18
    preset: str = "veryfast"
    pixel_format: str = "yuv420p"


@dataclass(frozen=True)
class StyleCard:
    """What a style file says of itself; JSON in the safetensors header."""

    name: str
    title: str
    painter: str
    year: str
    tier: Tier
    network: str
    """Name of the network class in `vidstyle.stylizers.networks`."""
    parameters: dict[str, int] = field(default_factory=dict)
    """Keyword arguments of that class."""
    recipe: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    licence: str = ""
    weak: str = ""
    """What this style does badly, in a sentence."""
    e_warp: float | None = None
    """Warp error (Lai et al. 2018) of the first two seconds of the sample, each frame painted for
    itself; None where nobody measured it."""
    reversible: bool = False
    """The file also holds the way back, from paintings to photographs."""
