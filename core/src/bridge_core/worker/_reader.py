"""The reader: whoever reads the wire routes what comes, and answers what needs no plugin code."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from bridge_core.protocol import BadMessage, Message, Request

from ._calls import Call
from ._dispatcher import Dispatcher
from ._places import MainPlace

__all__ = ["Reader"]

_log = logging.getLogger(__name__)
# Seconds after which a main thread that runs calls is taken to be held up by them, once it has been so for one whole
# look of the watcher: peers may wait twice as long for a pong.
_LOOK = 0.001
# Looks without any call after which the watcher sleeps until the next one.
_QUIET = 20
# Seconds that a watcher that is to end is waited for; it reads nothing, so it takes one look, or one answer to a peer.
_PATIENCE = 5.0
# How a wait for the peer ends when something else has changed. Caught there only: the same from a signal handler of a
# framework, between two steps of ours, would lose a request.
_CHANGED = (InterruptedError, TimeoutError)
# Calls that the main thread takes at a time, before it runs them: those behind would only grow old.
_BATCH = 64


class Reader:
    """Reads until the input ends: in the main thread while that is idle, in the watcher's while a call holds it.

    Reading where calls run saves handing each of them to another thread, which takes longer than all else.
    Whoever holds the baton reads, so requests are routed in the order in which they came.

    Args:
        dispatcher: Turns requests into calls.
        main: The main thread's calls.
        places: Who takes a call, by where its operation runs.
        end: Called once with the reason when nothing more will be read.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        main: MainPlace,
        places: Mapping[str, Callable[[Call], None]],
        end: Callable[[str], None],
    ) -> None:
        self._dispatcher = dispatcher
        self._main = main
        self._places = {**places, "main": main.submit, "reader": dispatcher.run}
        self._end = end
        self._baton = threading.Lock()
        self._unread = False  # whether the connection may hold messages that nobody has taken
        self._ended = False  # whether the input has ended
        self._over = False  # whether nothing more will be read
        # What the main thread says of itself, and the watcher of itself. Each side writes its own before it reads the
        # other's, so never do both miss what the other one said.
        self._batches = 0
        self._busy = False
        self._asleep = False
        self._alarm: SimpleQueue[None] = SimpleQueue()
        self._watcher = threading.Thread(target=self._watch, name="bridge-reader", daemon=True)

    def start(self) -> None:
        """Start the thread that reads while a call holds the main thread."""
        self._dispatcher.transport.be_wakeable()
        self._watcher.start()

    def read(self) -> bool:
        """Read until there may be a call for the main thread, which runs this; return False at the end of input."""
        self._busy = False
        if not self._baton.acquire(blocking=False):
            self._dispatcher.transport.wake()  # the watcher waits for input; it sees that it need not any more
            self._baton.acquire()
        try:
            if self._main.waiting:  # the watcher has read it
                return True
            if self._over:
                return False
            self._take(spin=True)
        finally:
            self._baton.release()
            if self._main.waiting:
                self.leave()
        return True

    def leave(self) -> None:
        """Say that the main thread is about to do something that may hold it."""
        self._batches += 1
        self._busy = True
        if self._asleep:
            self._asleep = False
            self._alarm.put(None)

    def stop(self) -> None:
        """Read nothing more, and wait for the watcher's end: who called this may close the transport."""
        self._over = True
        self._dispatcher.transport.wake()
        self._alarm.put(None)
        self._watcher.join(_PATIENCE)

    def _watch(self) -> None:
        transport = self._dispatcher.transport
        seen = quiet = 0
        while not self._over:
            time.sleep(_LOOK)
            transport.flush()  # what the main thread holds back
            if self._batches != seen:
                quiet = 0
            elif self._busy:
                self._lead()
            elif quiet < _QUIET:
                quiet += 1
            else:
                quiet = 0
                self._asleep = True
                if self._batches == seen and not self._over:
                    self._alarm.get()
                self._asleep = False
            seen = self._batches

    def _lead(self) -> None:
        """Read as long as a call holds the main thread."""
        pace = self._dispatcher.pace
        with self._baton:
            pace.led = True
            self._dispatcher.transport.flush()  # held back before the main thread could know
            while self._busy and not self._over:
                self._take(_LOOK if pace.streaming else None)
            pace.led = False

    def _take(self, timeout: float | None = None, *, spin: bool = False) -> None:
        """Take what arrives, and see to the end when nothing more will."""
        lost = False
        try:
            if self._read(timeout, spin):
                return
        except _FramingLostError:
            lost = True
        except Exception:  # boundary: thread top — a worker that cannot read must end, not hang
            _log.exception("the reader failed; please report this")
            lost = True
        pace = self._dispatcher.pace
        self._over = pace.over = True
        self._dispatcher.transport.flush()  # kept while somebody would look
        self._alarm.put(None)
        self._end("framing lost" if lost else "end of input")

    def _read(self, timeout: float | None, spin: bool) -> bool:
        """Route what arrives; return whether there may be more."""
        dispatcher, connection, waiting = self._dispatcher, self._dispatcher.connection, self._main.waiting
        transport = dispatcher.transport
        if not self._unread:
            try:
                data = transport.receive(timeout, spin=spin)
            except _CHANGED:
                transport.flush()
                return True
            connection.receive_data(data)
            self._ended, self._unread = not data, True
        while (message := connection.next_message()) is not None:
            if answer := connection.data_to_send():
                transport.offer(answer)
            before = len(waiting)
            self._take_up(message)
            # An idle main thread does what it has to do first, be it with a few more calls of its own.
            crowded = transport.crowded
            if waiting and not self._busy and (crowded or not before < len(waiting) < _BATCH):
                return True
            if crowded:
                try:
                    if not transport.wait_for_room():
                        return False
                except _CHANGED:
                    return True
            if connection.idle:
                break
        self._unread = False
        if answer := connection.data_to_send():
            transport.offer(answer)
        return not self._ended

    def _take_up(self, message: Message | BadMessage) -> None:
        """Hand a message to whom it concerns; here, so that who goes on to read keeps no call, nor what it holds."""
        dispatcher = self._dispatcher
        if isinstance(message, Request):
            call = dispatcher.route(message)
            if call is not None:
                self._places[call.operation.runs if call.introduced else "main"](call)
        elif isinstance(message, BadMessage):
            dispatcher.refuse(message)
            if message.fatal:
                raise _FramingLostError


class _FramingLostError(Exception):
    """What came cannot be cut into messages any more."""
