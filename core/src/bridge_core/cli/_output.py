"""What a person sees: tables and progress, with rich on a terminal and as plain text everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import click

__all__ = ["table", "working"]


def _fancy(stream: object) -> bool:
    return find_spec("rich") is not None and bool(getattr(stream, "isatty", lambda: False)())


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Show rows under headings; the last column is never cut."""
    if _fancy(sys.stdout):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        grid = Table(*columns, title=title or None, title_justify="left")
        for row in rows:
            grid.add_row(*map(Text, row))  # Text: what a model says is never markup
        Console().print(grid)
        return
    if title:
        click.echo(title)
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(columns))]
    for row in [columns, ["-" * width for width in widths], *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def working(text: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show on stderr, unless quiet, that something is being done; yields a function that says what is done now."""
    if quiet:
        yield lambda text: None
        return
    if _fancy(sys.stderr):
        from rich.console import Console

        with Console(stderr=True).status(text) as status:
            yield status.update
        return
    click.echo(f"{text} …", err=True)
    yield lambda text: click.echo(f"  {text}", err=True)
