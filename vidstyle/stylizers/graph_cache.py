"""Converted graphs on disk: turning a network into one takes longer than painting a few frames."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import openvino
import torch

from vidstyle.stylizers.registry import StyleFile

MOST_GRAPHS: Final = 64
"""Graphs that are kept, a megabyte or a few each; the oldest go."""
_SOURCES: Final = ("networks.py", "painter.py", "style_file.py", "openvino_engine.py")


def graph_file(style: StyleFile, height: int, width: int) -> Path:
    """Where the graph of a style for frames of one size lies, if it is kept.

    The name changes with everything that the graph is made from.
    """
    chosen = f"{style.reverse} {'any' if style.schedule else style.shares}"
    made_from = hashlib.sha256(
        f"{openvino.__version__} {torch.__version__} {height}x{width} {chosen}".encode()
    )
    for path in (*(Path(__file__).with_name(name) for name in _SOURCES), style.path):
        made_from.update(path.read_bytes())
    return cache_folder() / made_from.hexdigest()[:32] / "graph.xml"


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/vidstyle/graphs, by default below ~/.cache; without a home, nowhere."""
    if home := os.environ.get("XDG_CACHE_HOME"):
        return Path(home) / "vidstyle" / "graphs"
    try:
        return Path.home() / ".cache/vidstyle/graphs"
    except RuntimeError:  # there is no home; below a device nothing can be kept
        return Path(os.devnull) / "graphs"


def keep(model: openvino.Model, file: Path) -> None:
    """Keep a graph as `file`; where nothing can be written, nothing is kept."""
    folder = file.parent
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    except OSError:
        return
    try:
        openvino.save_model(model, part / file.name, compress_to_fp16=False)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        part.rename(folder)
        _forget_oldest(folder.parent)
    except (OSError, RuntimeError):
        shutil.rmtree(part, ignore_errors=True)


def _forget_oldest(cache: Path) -> None:
    graphs = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for graph in graphs[MOST_GRAPHS:]:
        shutil.rmtree(graph, ignore_errors=True)
