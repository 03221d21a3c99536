"""The clips that are measured on."""

from __future__ import annotations

from pathlib import Path

from vidstyle.jobs.media import CLIP_SUFFIXES


def clips_in(folder: Path) -> list[Path]:
    """Those that lie in a folder, sorted, told by their suffixes."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in CLIP_SUFFIXES)
