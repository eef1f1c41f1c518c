"""The calls of a worker: one entry from the moment a request is routed until its terminal response is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import attrs

from bridge_core._context import CallContext, RequestId
from bridge_core._handlers import Operation
from bridge_core.protocol import Request

__all__ = ["Call", "CallTable"]


@attrs.define(eq=False)
class Call:
    """One request on its way through the worker."""

    request: Request
    operation: Operation
    context: CallContext
    chunks: int = 0
    """Chunks sent so far."""
    claimed: bool = False
    """Whether somebody gives, or has given, the terminal response."""


class CallTable:
    """The open calls, by request id; safe from any thread."""

    def __init__(self) -> None:
        self._calls: dict[RequestId, Call] = {}
        self._changed = threading.Condition()

    def add(self, call: Call) -> None:
        """Open a call."""
        with self._changed:
            self._calls[call.request.id] = call

    def claim(self, call: Call) -> bool:
        """Return True to one caller only: the one that gives the call its terminal response."""
        with self._changed:
            first, call.claimed = not call.claimed, True
            return first

    def remove(self, call: Call) -> None:
        """Close a call whose terminal response has been written."""
        with self._changed:
            del self._calls[call.request.id]
            self._changed.notify_all()

    def wait_empty(self, timeout: float) -> bool:
        """Wait until no call is open; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._calls, timeout)

    def __iter__(self) -> Iterator[Call]:
        with self._changed:
            return iter(list(self._calls.values()))

    def __len__(self) -> int:
        return len(self._calls)
