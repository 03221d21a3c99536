"""What a run is asked to do. Plain data: this module imports nothing heavy."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vidstyle.coherence import DEFAULT_CONSISTENCY
from vidstyle.errors import UsageError
from vidstyle.types import LEAST_RATE, MOST_BRUSH, MOST_RATE, TIERS, EncodeOptions, Limits, Tier

HDR_CHOICES = ("map", "refuse")


@dataclass(frozen=True)
class RunConfig:
    """Which clips and pictures to paint, and how.

    Raises:
        UsageError: a value is out of its range, or there is no input.
    """

    inputs: tuple[Path, ...]
    """Clips, pictures and folders of them; strings will do, and one need not be in a tuple."""
    style: str
    """Name of a style, path of its file, or a mixture or schedule: see `StyleRegistry.find`."""
    output: Path | None = None
    """File or folder to write to; None writes beside each input."""
    strength: float = 1.0
    """Share of the painting in the output, 0 (the input itself) to 1."""
    keep_colours: bool = False
    """Take only light and dark from the painting, and the colours from the input."""
    reverse: bool = False
    """Take the style's way back: paintings become photographs."""
    brush: float = 1.0
    """How many times as large as learnt the strokes are, 1 to 4."""
    consistency: float = DEFAULT_CONSISTENCY
    """How hard the painting is held still, 0 (not at all) to 1."""
    tier: Tier | None = None
    """None takes `fast` on a CPU and `best` on a GPU."""
    device: str = "auto"
    engine: str = "auto"
    start: Fraction | None = None
    """Seconds to leave out at the beginning of each clip."""
    duration: Fraction | None = None
    """Seconds to paint of each clip; None paints to its end."""
    rate: Fraction | None = None
    """Frames a second of picture sequences; None is 25."""
    overwrite: bool = False
    restart: bool = False
    """Begin anew where an earlier try stopped, instead of going on."""
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    hdr: str = "map"
    """What becomes of HDR clips: "map" paints them tone-mapped to SDR, "refuse" does not."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Refuse values out of range; spell alike what asks for the same."""
        inputs: object = self.inputs
        several = (inputs,) if isinstance(inputs, str | os.PathLike) else self.inputs
        object.__setattr__(self, "inputs", tuple(map(Path, several)))
        if self.output is not None:
            object.__setattr__(self, "output", Path(self.output))
        object.__setattr__(self, "start", self.start or None)
        if not self.inputs:
            raise UsageError("there is no input: name a clip, a picture or a folder")
        for name in ("strength", "consistency", "brush"):  # 1 asks for what 1.0 does
            object.__setattr__(self, name, float(getattr(self, name)))
        for name in ("strength", "consistency"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise UsageError(f"{name} must be between 0 and 1, not {value}")
        if not 1 <= self.brush <= MOST_BRUSH:
            raise UsageError(f"brush must be between 1 and {MOST_BRUSH}, not {self.brush}")
        if self.tier is not None and self.tier not in TIERS:
            raise UsageError(f"tier must be one of {', '.join(TIERS)}, not {self.tier!r}")
        if self.hdr not in HDR_CHOICES:
            raise UsageError(f"hdr must be one of {', '.join(HDR_CHOICES)}, not {self.hdr!r}")
        check_part(self.start, self.duration, self.rate)


def check_part(start: Fraction | None, duration: Fraction | None, rate: Fraction | None) -> None:
    """Refuse a part of a clip (seconds) or a rate (frames a second) that there cannot be.

    Raises:
        UsageError: a value is out of its range.
    """
    if start is not None and start < 0:
        raise UsageError(f"start must not be negative, but is {float(start):g} s")
    if duration is not None and duration <= 0:
        raise UsageError(f"duration must be positive, but is {float(duration):g} s")
    if rate is not None and not LEAST_RATE <= rate <= MOST_RATE:
        raise UsageError(f"rate must be {float(LEAST_RATE):g} to {MOST_RATE} frames a second")
