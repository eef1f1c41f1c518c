"""The sweeper: lets go of what has expired, also when no request comes."""

from __future__ import annotations

import threading
import time
from math import inf

from bridge_core.sessions import SessionStore

__all__ = ["Sweeper"]

# Seconds from one look to the next, at least: each of them looks at all sessions.
_PAUSE = 1.0
# Seconds that a sweeper that is to end is waited for; what it frees may be foreign code, which may take its time.
_PATIENCE = 5.0


class Sweeper:
    """Sweeps a peer's sessions in a thread of its own, which exists once something may expire and sleeps until it does.

    What expires is freed in this thread: the code that frees it is the framework's, and may take long. Nobody waits
    for it here.
    """

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions
        self._thread: threading.Thread | None = None
        self._due = inf
        self._stopped = False
        self._changed = threading.Condition()

    def begin(self) -> None:
        """Sweep from now on."""
        self._sessions.expect = self.expect
        seconds = self._sessions.sweep()
        if seconds is not None:
            self.expect(seconds)

    def expect(self, seconds: float) -> None:
        """Look for what has expired in so many seconds, if not sooner."""
        due = time.monotonic() + seconds
        with self._changed:
            if due >= self._due or self._stopped:
                return
            self._due = due
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bridge-sweeper", daemon=True)
                self._thread.start()
            else:
                self._changed.notify()

    def stop(self) -> None:
        """Sweep nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        earliest = 0.0
        while self._is_due(earliest):
            seconds = self._sessions.sweep()
            earliest = time.monotonic() + _PAUSE
            if seconds is not None:
                self.expect(seconds)

    def _is_due(self, earliest: float) -> bool:
        """Wait until something may have expired; return False when there is nothing more to do."""
        with self._changed:
            while not self._stopped:
                left = max(self._due, earliest) - time.monotonic()
                if left <= 0:
                    self._due = inf
                    return True
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            return False
