"""Where what was measured ends up."""

from __future__ import annotations

from pathlib import Path


def write_page(path: Path, text: str) -> None:
    """Keep a page of results in a file, whose folder need not exist, and print it."""
    keep_page(path, text)
    print(text)


def keep_page(path: Path, text: str) -> None:
    """Keep a page, or as much of it as there is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
