"""Rows of Markdown tables, as the reference pages write them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["rows"]


def rows(page: Path) -> list[list[str]]:
    """Return the cells of all table rows of a page, without backticks; headings and rulers are rows too."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            found.append([cell.strip().strip("`") for cell in line.strip().strip("|").split("|")])
    return found
