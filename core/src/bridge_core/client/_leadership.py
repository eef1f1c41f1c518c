"""Who reads a connection that many threads share: at most one at a time, and preferably one that waits for something.

The arrangement is known as leader/followers (Schmidt et al., Pattern-Oriented Software Architecture 2): the thread that
waits for an answer reads the connection itself, and delivers what belongs to others, so that the usual call needs no
second thread. While answers are awaited by something that is no thread (a function that a future calls), or nobody has
read for a moment, one background thread leads.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Protocol

__all__ = ["Conversation", "Leadership", "Waiter"]

_log = logging.getLogger(__name__)
# How long the background thread lets others begin to read: threads that submit and then ask for results do so at once.
_TICK = 0.003
# It goes on looking for so many ticks when nothing is awaited: to be woken costs whoever submits next more than that.
_LINGER = 20
# While somebody else leads it looks ever more seldom; from the second on it has to be woken.
_SELDOM, _AWAKE = 0.05, 0.008
# No sleep is longer: whatever was missed, as by Ctrl-C at the worst moment, is noticed then.
_NAP = 1.0
# Seconds that the system waits at most when asked to.
_LONGEST = 86400.0


def _left(until: float | None, most: float = threading.TIMEOUT_MAX) -> float:
    """Return how long a lock may be waited for."""
    return most if until is None else min(max(0.0, until - time.monotonic()), most)


class Conversation(Protocol):
    """What is read."""

    def pump(self, timeout: float | None) -> None:
        """Read what comes within so many seconds (None: for ever) and call `arrived` for each waiter that is ready."""

    def tick(self) -> None:
        """Do what must be done now and then while something is awaited."""

    def awaits(self) -> bool:
        """Whether something may still come."""

    @property
    def news(self) -> object:
        """Whether there is something to `tell`."""

    def tell(self) -> None:
        """Call what is to be told of what has come; no thread that leads does, because it may wait for anything."""


class Waiter:
    """Something that a thread can wait for."""

    __slots__ = ("ready", "urgent", "wake")

    def __init__(self) -> None:
        self.ready = False
        self.wake: threading.Lock | None = None
        """Held while a thread sleeps until it is released."""
        self.urgent = False
        """Whether no thread waits, but something that has to be called at once."""


class Leadership:
    """Lets the threads that wait take turns in reading.

    Args:
        conversation: What they read.
        always: Whether the background thread leads all the time, for users whose own threads must not wait.
    """

    def __init__(self, conversation: Conversation, *, always: bool = False) -> None:
        self._conversation = conversation
        self._token = threading.Lock()  # held by the leader
        self._leader = 0  # its identity; nobody's is 0
        self._mutex = threading.Lock()
        self._bell = threading.Condition(self._mutex)
        self._terms = 0
        self._sleepers: dict[Waiter, None] = {}
        self._always = always
        self._urgent = 0
        self._dozing = True
        self._patience = _TICK
        self._quiet = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def led(self) -> bool:
        """Whether somebody reads."""
        return self._token.locked()

    @property
    def leading(self) -> bool:
        """Whether this thread reads."""
        return self._leader == threading.get_ident()

    def wait(self, waiter: Waiter, until: float | None = None) -> bool:
        """Return once the waiter is ready, reading meanwhile unless somebody else does; False if `until` came first."""
        if self.leading:  # something that was called by `pump` waits
            return self._read_until(waiter, until)
        conversation = self._conversation
        try:
            while not waiter.ready:
                if not self._take():
                    if not self._follow(waiter, until):
                        return waiter.ready
                    continue
                in_time = self._read_until(waiter, until, news=True)
                self._resign()
                if conversation.news:
                    conversation.tell()
                if not in_time:
                    return waiter.ready
            return True
        finally:
            if self._leader == threading.get_ident():  # interrupted, as by Ctrl-C
                self._resign()

    def acquire(self, lock: Any, until: float | None) -> bool:
        """Take a lock whose holder may wait for something that this thread has to read; False if `until` came first."""
        while self.leading:  # something that was called by `pump` wants it
            if lock.acquire(blocking=False):
                return True
            if not _left(until):
                return False
            self._conversation.pump(_SELDOM)
        return bool(lock.acquire(timeout=_left(until)))

    def arrived(self, waiter: Waiter) -> None:
        """Wake the thread that sleeps until the waiter is ready, which has just been set."""
        if waiter.wake is not None or waiter.urgent:
            with self._mutex:
                self._release(waiter)
                self._urgent -= waiter.urgent
                waiter.urgent = False

    def expect(self) -> None:
        """Take care that what is awaited comes although no thread may wait for it."""
        if self._dozing:  # it looks whether something is awaited after it has set this
            with self._mutex:
                self._ring()

    def hurry(self, waiter: Waiter) -> None:
        """Take care that it comes at once although no thread waits for it."""
        with self._mutex:
            if not waiter.ready and not waiter.urgent:
                waiter.urgent = True
                self._urgent += 1
                self._ring()

    def stop(self) -> None:
        """Let the background thread end; nothing comes any more."""
        with self._mutex:
            self._closed = True
            self._bell.notify()

    def join(self) -> None:
        """Return when the background thread has ended, unless this is it."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _ring(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._stand_by, name="bridge-reader", daemon=True)
            thread.start()
            self._thread = thread
        self._patience = _TICK
        self._dozing = False
        self._bell.notify()

    def _read_until(self, waiter: Waiter, until: float | None, *, news: bool = False) -> bool:
        """Read until the waiter is ready or, with `news`, there is something to tell; False if `until` came first."""
        conversation = self._conversation
        while not waiter.ready:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return False
            conversation.pump(left if left is None else min(left, _LONGEST))
            if news and conversation.news:
                return True
        return True

    def _take(self) -> bool:
        """Become the leader, if there is none."""
        if not self._token.acquire(blocking=False):
            return False
        self._leader = threading.get_ident()
        self._terms += 1
        return True

    def _follow(self, waiter: Waiter, until: float | None) -> bool:
        """Return when there is something to look at; False when the time is over."""
        with self._mutex:
            wake = waiter.wake
            if wake is None:  # or else another thread sleeps until the same is ready
                wake = threading.Lock()
                wake.acquire()
                waiter.wake = wake
                self._sleepers[waiter] = None
        # Only now: who fills a waiter looks for sleepers after that, and a leader does after it has resigned.
        woken = waiter.ready or not self._token.locked()
        terms = self._terms
        try:
            if not woken and (woken := wake.acquire(timeout=_left(until, _NAP))):
                wake.release()  # for others that sleep until the same is ready
        finally:  # also when Ctrl-C woke it
            with self._mutex:
                if waiter.wake is wake:
                    self._release(waiter)
                if not self._token.locked() and (waiter.ready or not woken):
                    self._promote()  # it may have been this thread's turn to lead, but it leaves
        if not woken and not self._leader and self._terms == terms and self._token.locked():
            self._token.release()  # who held it was interrupted between two steps, and has never led
        return woken or _left(until) != 0

    def _release(self, waiter: Waiter) -> None:
        self._sleepers.pop(waiter, None)
        wake, waiter.wake = waiter.wake, None  # first: Ctrl-C may come, and nobody may release it twice
        if wake is not None:
            wake.release()

    def _resign(self) -> None:
        self._leader = 0
        self._token.release()
        if self._sleepers or (self._thread is not None and (self._urgent or self._dozing)):
            with self._mutex:
                self._promote()

    def _promote(self) -> None:
        """Let somebody who waits lead, or else the background thread if it is needed; the caller holds the mutex."""
        for sleeper in self._sleepers:
            self._release(sleeper)
            return
        if self._thread is not None and (self._urgent or self._dozing) and self._conversation.awaits():
            self._ring()

    def _stand_by(self) -> None:
        """Be the background thread."""
        while True:
            with self._mutex:
                while not self._closed and not self._turn():
                    continue
                if self._closed:
                    return
            try:
                self._lead()
            except BaseException:  # boundary: thread top — of all that nobody waits for
                _log.exception("reading failed; please report this")
            self._resign()
            self._tell()

    def _tell(self) -> None:
        try:
            if self._conversation.news:
                self._conversation.tell()
        except BaseException:  # boundary: thread top — even a callback that exits must not end the reading
            _log.exception("a callback failed")

    def _turn(self) -> bool:
        """Wait for a moment, and return whether this thread leads now; the caller holds the mutex."""
        if (self._always or self._urgent) and self._take():
            return True
        self._dozing = True
        if not self._conversation.awaits() and self._quiet > _LINGER:
            self._patience = _TICK
            self._bell.wait()
            self._quiet = 0
            return False
        self._dozing = self._token.locked() and self._patience > _AWAKE
        self._quiet = 0 if self._conversation.awaits() else self._quiet + 1
        terms = self._terms
        self._bell.wait(self._patience)
        self._patience = min(2 * self._patience, _SELDOM) if self._token.locked() else _TICK
        self._mutex.release()
        try:
            self._conversation.tick()
            self._tell()
        finally:
            self._mutex.acquire()
        return self._terms == terms and self._conversation.awaits() and self._take()

    def _lead(self) -> None:
        """Read until nothing is awaited any more, or a thread waits that can read itself."""
        conversation = self._conversation
        while not self._closed and not conversation.news:
            if self._always:
                conversation.pump(None)
            elif conversation.awaits() and not self._sleepers:
                conversation.pump(_SELDOM)
                conversation.tick()
            else:
                return
