"""What every peer offers its client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

__all__ = ["Echo", "chunks", "identity", "pid"]


def identity(value: Any) -> Any:
    """Return the value."""
    return value


def pid() -> int:
    """Return the id of the process that does the work."""
    return os.getpid()


def chunks(count: int) -> Iterator[dict[str, int]]:
    """Yield as many small chunks."""
    for number in range(count):
        yield {"i": number}


class Echo:
    """The same as an object, for peers that serve objects."""

    def pid(self) -> int:
        return os.getpid()

    def echo(self, value: Any) -> Any:
        return value

    def stream(self, count: int) -> Iterator[dict[str, int]]:
        yield from chunks(count)
