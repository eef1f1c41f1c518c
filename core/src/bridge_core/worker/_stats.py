"""What a worker has done so far: counts and latencies per operation."""

from __future__ import annotations

import threading
import time
from typing import Any

from msgspec import Struct

from ._pace import QUICK, STREAK

__all__ = ["Stats"]


class _Tally(Struct, eq=False):
    count: int = 0
    errors: int = 0
    total: float = 0.0
    longest: float = 0.0
    streak: int = 0
    """Quick ones since the last slow one."""


class Stats:
    """Counts requests, errors and seconds; each request frame is counted once, bad ones too."""

    def __init__(self) -> None:
        self.started = time.time()
        self._started = time.monotonic()
        self._operations: dict[str, _Tally] = {}
        self._lock = threading.Lock()
        self.requests = 0
        self.errors = 0

    @property
    def uptime(self) -> float:
        """Seconds since the worker started."""
        return time.monotonic() - self._started

    def received(self) -> None:
        """Count a request; only the reader calls this."""
        self.requests += 1

    def answered(self, operation: str | None, *, failed: bool, seconds: float = 0.0) -> None:
        """Count an answer; None is for a request that never got as far as an operation."""
        with self._lock:
            self.errors += failed
            if operation is None:
                return
            tally = self._operations.get(operation)
            if tally is None:
                tally = self._operations[operation] = _Tally()
            tally.count += 1
            tally.errors += failed
            tally.total += seconds
            tally.streak = tally.streak + 1 if seconds < QUICK else 0
            if seconds > tally.longest:
                tally.longest = seconds

    def expects_quick(self, operation: str) -> bool:
        """Return whether the operation's latest calls, and not too few of them, were all quick."""
        tally = self._operations.get(operation)
        return tally is not None and tally.streak >= STREAK

    def by_operation(self) -> dict[str, Any]:
        """Return per operation: count, errors, mean and longest duration in milliseconds."""
        with self._lock:
            return {
                name: {
                    "count": tally.count,
                    "errors": tally.errors,
                    "mean_ms": round(tally.total / tally.count * 1000, 3),
                    "max_ms": round(tally.longest * 1000, 3),
                }
                for name, tally in sorted(self._operations.items())
            }
