"""The calls of a worker: one entry from the moment a request is routed until its terminal response is written."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from bridge_core._context import CallContext
from bridge_core._handlers import Operation
from bridge_core.calls import Keeper
from bridge_core.protocol import Request
from bridge_core.sessions import PeerSession

__all__ = ["Call", "CallTable"]


class Call(Struct, eq=False):
    """One request on its way through the worker."""

    request: Request
    operation: Operation
    context: CallContext
    session: PeerSession
    chunks: int = 0
    """Chunks sent so far."""
    claimed: bool = False
    """Whether somebody gives, or has given, the terminal response."""
    introduced: bool = True
    """False if the main thread has to configure the session before the call goes where it runs."""
    keeper: Keeper | None = None
    """What keeps the objects that its result refers to."""

    def release(self) -> None:
        """Let go of what was kept for a result that the peer does not get."""
        if self.keeper is not None:
            self.keeper.release()


class CallTable:
    """The open calls; safe from any thread."""

    def __init__(self) -> None:
        # By identity: an id may come again as soon as its answer is on the wire, which is before `remove`.
        self._calls: set[Call] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = False  # a notification nobody waits for costs more than all the rest

    def add(self, call: Call) -> bool:
        """Open a call; return False, and do nothing, after `close`."""
        with self._lock:
            if not self._closed:
                self._calls.add(call)
            return not self._closed

    def claim(self, call: Call) -> bool:
        """Return True to one caller only: the one that gives the call its terminal response."""
        with self._lock:
            first, call.claimed = not call.claimed, True
            return first

    def unless_claimed(self, call: Call, do: Callable[..., None], *arguments: Any) -> bool:
        """Do something short that must come before the terminal response; return False, and do nothing, after it."""
        with self._lock:
            if not call.claimed:
                do(*arguments)
            return not call.claimed

    def remove(self, call: Call) -> None:
        """Close a call whose terminal response has been written."""
        self._calls.discard(call)
        if self._waiting:  # who waits says so before it looks
            self.wake()

    def wait_empty(self, timeout: float, *, unless: Callable[[], bool] = bool) -> None:
        """Wait until no call is open, the time is over or, looked at after `wake`, `unless` is true."""
        with self._changed:
            self._waiting = True
            self._changed.wait_for(lambda: not self._calls or unless(), timeout)

    def wake(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> list[Call]:
        """Take no more calls and return those that are still open."""
        with self._lock:
            self._closed = True
            return list(self._calls)

    def sessions(self) -> Counter[str]:
        """Count the open calls of each session, those aside that the reader answers by itself."""
        return Counter(call.session.id for call in self if call.operation.runs != "reader")

    def __iter__(self) -> Iterator[Call]:
        with self._lock:
            return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)
