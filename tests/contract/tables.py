"""Rows of Markdown tables, as the reference pages write them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["cells_of", "rows"]


def rows(page: Path) -> list[list[str]]:
    """Return the cells of all table rows of a page, without backticks; headings and rulers are rows too."""
    return cells_of(page.read_text(encoding="utf-8"))


def cells_of(text: str, *, raw: bool = False) -> list[list[str]]:
    """Return the same of a text; `raw` leaves backticks where they are."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            found.append(cells if raw else [cell.strip("`") for cell in cells])
    return found
