"""Whether something finished may wait for what follows at once, so that both are written together."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

__all__ = ["QUICK", "STREAK", "Pace"]

QUICK = 0.000_1
"""Seconds that a step (a call, or the way to the next chunk) takes at most to be quick."""
STREAK = 32
"""Quick steps in a row after which another one is expected."""
_LONGEST = 0.000_1  # longer saves little, and a peer on another core waits for something to do
_SMALL = 4096


class Pace(Struct, eq=False):
    """What the main thread may hold back, agreed with the watcher, which writes it if a step turns out to be slow.

    Only what the main thread says is ever held back, and only while the watcher looks: see decision 0009.
    """

    wake: Callable[[], None]
    """Makes a watcher that waits for input look again."""
    led: bool = False
    """Whether the watcher waits for input, and looks only while `streaming` is true."""
    over: bool = False
    """Whether nobody reads, or looks, any more."""
    streaming: bool = False
    """Whether chunks come fast enough to be held back."""
    _written: float = 0.0
    _before: float = 0.0
    _streak: int = 0

    def holds(self, now: float, size: int) -> bool:
        """Return whether so many bytes may wait for the next step, which is expected to be quick; else write all."""
        if size < _SMALL and now - self._written < _LONGEST and not self.over:
            return True
        self._written = now
        return False

    def begin(self, now: float) -> None:
        """Begin a stream."""
        self._before, self._streak = now, 0

    def step(self, now: float) -> bool:
        """Note that there is a chunk and return whether the next one is expected to be quick."""
        self._streak = self._streak + 1 if now - self._before < QUICK else 0
        self._before = now
        fast = self._streak >= STREAK
        if fast is not self.streaming:
            self.streaming = fast
            if fast and self.led:
                self.wake()
        return fast

    def end(self) -> None:
        """End the stream."""
        self.streaming = False
