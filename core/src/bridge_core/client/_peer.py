"""Whoever is at the other end of a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge_core.transports import DescriptorTransport

__all__ = ["Peer"]


class Peer(Protocol):
    """Whoever answers: a worker process, or something that behaves like one."""

    @property
    def transport(self) -> DescriptorTransport:
        """The wire to it."""

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that it belongs to."""

    def escalate(self, ended: Callable[[float], bool]) -> None:
        """Make it end; `ended` waits that many seconds at most and says whether it has."""

    def close(self) -> int:
        """Close the wire, end what has not ended and return the exit code; again does nothing."""

    def last_lines(self) -> list[str]:
        """Return the last lines of its stderr, once it has ended."""
