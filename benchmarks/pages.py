"""Where what was measured ends up."""

from __future__ import annotations

from pathlib import Path


def write_page(path: Path, text: str) -> None:
    """Keep a page of results in a file, whose folder need not exist, and print it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)
