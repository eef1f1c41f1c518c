"""How a worker ends: end of input, signals, `shutdown` and lost framing take one ordered path."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from bridge_core.errors import ShuttingDownError, TransportClosedError

from . import _grace
from ._calls import Call
from ._dispatcher import Dispatcher
from ._places import LoopPlace, MainPlace, ThreadPlace

__all__ = ["EXIT_FRAMING_LOST", "Ending"]

EXIT_FRAMING_LOST = 3
_PEER_GONE = frozenset(["end of input", "framing lost"])
_log = logging.getLogger(__name__)


class Ending:
    """Carries out the ending, once, whoever asks for it first.

    Args:
        orders: Where the reason for the ending is put; a signal may have been there first.
        grace: Seconds in which accepted work may finish.
        grace_alone: The same when the peer is gone: it must be over, hard exit included, within a second.
        owns_process: Whether the process is ended when the ending is late.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        main: MainPlace,
        threads: ThreadPlace,
        loop: LoopPlace,
        grace: float = _grace.GRACE,
        grace_alone: float = _grace.ALONE,
        orders: SimpleQueue[str] | None = None,
        owns_process: bool = True,
    ) -> None:
        self.dispatcher = dispatcher
        self.main = main
        self.threads = threads
        self.loop = loop
        self.grace = grace
        self.grace_alone = grace_alone
        self.orders: SimpleQueue[str] = SimpleQueue() if orders is None else orders
        self.owns_process = owns_process
        self.exit_code = 0
        self._alone = threading.Event()
        self._drained = threading.Event()
        self._abandoned: list[Call] = []

    def begin(self, reason: str) -> None:
        """Order the ending: "end of input", "framing lost", "shutdown" or a signal's name.

        Safe in any thread and in a signal handler; an order after the first changes nothing, except that the grace
        gets shorter when the peer goes.
        """
        self.dispatcher.accepting = False  # here, so that what is right behind a `shutdown` is refused for certain
        self.orders.put(reason)
        if reason in _PEER_GONE:  # the reader says so, never a signal handler, which must take no lock
            self._alone.set()
            self.dispatcher.calls.wake()

    def watch(self) -> None:
        """Start the thread that waits for the order; nothing else may be done in a signal handler."""
        threading.Thread(target=self._carry_out, name="bridge-stop", daemon=True).start()

    def finish(self, shutdown_plugins: Callable[[], None]) -> int:
        """Do the main thread's part after its last call and return the exit code."""
        self._drained.wait()
        if not self._abandoned:
            shutdown_plugins()
        with suppress(TransportClosedError):
            self.dispatcher.transport.drain()
        _log.info("ended")
        return self.exit_code

    def _carry_out(self) -> None:
        reason = self.orders.get()
        self.dispatcher.accepting = False
        self.exit_code = EXIT_FRAMING_LOST if reason == "framing lost" else 0
        if self.owns_process:
            threading.Thread(target=self._exit_hard, name="bridge-exit", daemon=True).start()
        _log.info("ending: %s", reason)
        self.dispatcher.replies.event("goodbye", wait=False, reason=reason)
        self._let_finish()
        self._abandoned = self.dispatcher.calls.close()
        for call in self._abandoned:
            error = ShuttingDownError(f"the worker ended ({reason}) before {call.operation.full_name} did")
            self.dispatcher.replies.abandon(call, error)
            _log.warning("%s was still running and is abandoned", call.operation.full_name)
        self.main.stop()
        self.threads.stop()
        self.loop.stop()
        self._drained.set()

    def _let_finish(self) -> None:
        calls = self.dispatcher.calls
        calls.wait_empty(self.grace, unless=self._alone.is_set)
        if self._alone.is_set():
            calls.wait_empty(self.grace_alone)
        if calls:
            for call in calls:
                call.context.cancelled = True
            self.loop.cancel()
            calls.wait_empty(_grace.LAST_WORDS)

    def _exit_hard(self) -> None:
        """End the process if a handler, a plugin, a thread left behind or a peer that does not read hold it up.

        In a thread of its own that waits for nothing but the time, and writes nothing: any write may block.
        """
        rest = _grace.LAST_WORDS + _grace.HARD
        if self._alone.wait(self.grace + rest):
            threading.Event().wait(self.grace_alone + rest)  # nobody sets it
        # The process still exists, so it is late.
        os._exit(self.exit_code)
