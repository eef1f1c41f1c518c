"""A result that comes later, as the standard library's futures are."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any

from ._link import Link
from ._replies import Reply

__all__ = ["CallFuture"]


class CallFuture(Future[Any]):
    """The future of one call: works with `wait`, `as_completed` and `asyncio.wrap_future`.

    A thread that asks for the result reads the connection itself. To cancel is to forget: the worker still does what
    it was asked for.

    What the base class keeps, a condition above all, is made when somebody first asks for it: it takes longer than all
    else, and who only asks for the result needs none of it.
    """

    def __init__(self, link: Link, reply: Reply, outcome: Callable[[Reply], Any], owner: object) -> None:
        self._owner = owner  # a Bridge ends its workers when nothing refers to it any more
        self._calls = False  # whether something is called when it is done
        self._complete = False  # whether it has what the base class keeps
        self._link = link
        self._reply = reply
        self._outcome = outcome
        link.expect(reply)

    def __getattr__(self, name: str) -> Any:
        """Make what the base class keeps; it looks at its condition before all else."""
        if name != "_condition":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        self._complete = True
        self._reply.notify = self._finish
        # No lock: a signal's handler, or something that is freed meanwhile, may look at this very future. Each step is
        # atomic, and of two threads the first one's value stays; the condition comes last, who finds it needs the rest.
        kept = vars(Future())
        condition = kept.pop("_condition")
        for key, value in kept.items():
            vars(self).setdefault(key, value)
        vars(self).setdefault("_condition", condition)
        if self._reply.done:
            self._conclude()
        return self._condition

    def result(self, timeout: float | None = None) -> Any:
        """Return the result, reading until it comes or `timeout` seconds have passed.

        Raises:
            BridgeError: What went wrong instead.
            concurrent.futures.TimeoutError: It did not come in time; the call goes on.
            concurrent.futures.CancelledError: The future was cancelled.
        """
        left = self._read(timeout)
        if not self._complete:
            return self._outcome(self._reply)
        self._settle()
        return super().result(left)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what went wrong, None if nothing did; waits and raises as `result` does."""
        left = self._read(timeout)
        self._settle()
        return super().exception(left)

    def add_done_callback(self, fn: Callable[[Future[Any]], object]) -> None:
        """Have a function called when the future is done, in the thread that has read its result."""
        self._calls = True
        super().add_done_callback(fn)
        self._link.expect(self._reply, urgent=True)

    def cancel(self) -> bool:
        """Forget the call; False if its outcome is here already."""
        if self.cancelled():
            return True
        if not super().cancel():
            return False
        self.set_running_or_notify_cancel()  # tells those who wait for it together with others
        self._link.abandon(self._reply)
        self._link.rouse()  # another thread may be waiting for this
        return True

    def _read(self, timeout: float | None) -> float | None:
        """Read until the reply is there, and return how many seconds are left for this to be told of it."""
        if self._complete and self.done():
            return 0
        until = None if timeout is None else time.monotonic() + timeout
        if not self._reply.done:
            try:
                self._link.wait(self._reply, until)
            except TimeoutError:
                raise FutureTimeoutError(f"{self._reply.operation} was not answered in time") from None
        if not self._calls:
            return 0
        self._link.tell()  # perhaps just of this
        return None if until is None else max(0.0, until - time.monotonic())

    def _settle(self) -> None:
        """Conclude what another thread may be about to."""
        if self._reply.done and not self.done():
            self._conclude()

    def _finish(self, reply: Reply) -> None:
        """Take the outcome over; what is called then must not be called by a thread that leads."""
        with self._condition:  # so that nothing to be called is added meanwhile
            if reply.done and self._calls:
                self._link.later(self._conclude)
            elif reply.done:
                self._conclude()

    def _conclude(self) -> None:
        reply = self._reply
        try:
            result = self._outcome(reply)
        except BaseException as exc:  # boundary: thread top — the outcome is an exception
            with suppress(InvalidStateError):
                self.set_exception(exc)
            return
        try:
            self.set_result(result)
        except InvalidStateError:
            return  # cancelled, or just finished by the thread that made it
