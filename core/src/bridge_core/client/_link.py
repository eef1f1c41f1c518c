"""The conversation with one worker, shared by any number of threads."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bridge_core.errors import (
    BridgeError,
    CallCancelledError,
    CallTimeoutError,
    InvalidArgumentsError,
    SerializeFailedError,
    TooManyInFlightError,
    TransportClosedError,
    TruncatedFrameError,
)
from bridge_core.protocol import BadMessage, Chunk, Connection, Event, Failure, Limits, Request, Response
from bridge_core.secrets._redactor import Redactor

from ._arguments import plain_arguments
from ._exceptions import exception_of, forked, without_secrets, worker_ended
from ._leadership import Leadership, Waiter
from ._peer import Peer
from ._replies import Reply

__all__ = ["Link"]

_log = logging.getLogger(__name__)
_NEVER = float("inf")
# So many requests without an answer keep a worker busy: the next ones may wait for each other, and share a system call.
_BUSY, _TOGETHER = 8, 8
# As many as a worker takes: also of one that has stopped reading, for which everything sent is kept here.
_MOST = Limits().max_in_flight


class Link:
    """Sends requests and fills their replies, for any thread.

    Args:
        peer: The worker, which the link ends.
        codec: What the worker was told to speak.
        watch: Called with "→" and each frame as it is sent, and with "←" and bytes as they arrive.
        on_event: Called with the name and data of each event the worker sends.
        always: Whether a thread of its own reads, for users whose threads must not wait.
        redactor: Takes secrets out of errors and events.
    """

    def __init__(
        self,
        peer: Peer,
        *,
        codec: str = "json",
        watch: Callable[[str, bytes], None] | None = None,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        always: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self.peer = peer
        self._redactor = redactor
        self._connection = Connection("peer", codec=codec)
        self._native = codec == "msgpack"
        self._watch = watch
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._open: dict[Any, Reply] = {}
        self._sending = threading.Lock()
        self._gone = False
        self._closing = False
        self._next_due = _NEVER
        self._kept = 0
        self._delivering = False
        self.news: deque[Callable[[], object]] = deque()
        """What has to be called when nobody leads: see Conversation."""
        self.last_words: BridgeError | None = None
        """What the worker said about no request in particular before it ended."""
        self._ended = Waiter()
        self.exit_code: int | None = None
        """Of the worker, once it has ended and that was noticed; negative for a signal."""
        peer.transport.be_wakeable()
        self._readers = Leadership(self, always=always)
        self._spin = not always  # else its thread would keep the event loop's from running
        if always:
            self._readers.expect()

    def send(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        session_id: str = "anonymous",
        framework: str | None = None,
        until: float | None = None,
        stream: bool = False,
        on_success: Callable[[Any], None] | None = None,
        together: bool = False,
        bury: bool = True,
    ) -> Reply:
        """Send a request and return its reply, which some thread has to `wait` for or the link to `expect`.

        With `together` it may wait a moment for others; with `bury`, if the worker proves to have ended, the end is
        waited for, so that the reply's error can say how.

        Raises:
            InvalidArgumentsError: An argument has no form on the wire.
            FrameTooLargeError: The arguments are longer than a frame may be; nothing was sent.
            CallTimeoutError: It is too late; nothing was sent.
            TooManyInFlightError: As many as may be are without an answer; nothing was sent.
            ForkedProcessError: This process was forked from the one that the worker belongs to.
        """
        if self.peer.forked:
            raise forked()
        timeout_ms = None if until is None else (until - time.monotonic()) * 1000
        if timeout_ms is not None and timeout_ms <= 0:
            raise CallTimeoutError(f"there was no time left to send {operation}")
        if len(self._open) >= _MOST:
            raise TooManyInFlightError(f"{_MOST} requests have no answer yet; wait for some first", limit=_MOST)
        reply = Reply(next(self._ids), operation, session_id, until, on_success)
        request = Request(
            id=reply.id,
            operation=operation,
            arguments=plain_arguments(operation, arguments, native=self._native),
            session_id=session_id,
            framework=framework,
            timeout_ms=timeout_ms,
            stream=stream,
        )
        frame = self._framed(request)
        with self._sending:
            reply.sent = not self._gone and self._write(reply, frame, together)
        if not reply.sent:
            if bury:
                self.bury()
            self._settle(reply, error=self._why(reply))
        return reply

    def call(self, operation: str, arguments: Mapping[str, Any], **options: Any) -> Any:
        """Send a request and return its result; options as for `send`.

        Raises:
            BridgeError: The worker answered with an error, died, or did not answer in time.
        """
        reply = self.send(operation, arguments, **options)
        try:
            self.wait(reply)
        finally:
            self.abandon(reply)  # if Ctrl-C came first
        return reply.take()

    def wait(self, reply: Reply, until: float | None = None) -> None:
        """Return once the reply has something to take; then, or by `until`, its deadline ends it.

        Raises:
            TimeoutError: `until` came first; the reply is still on its way.
        """
        if self.peer.forked:
            raise forked()
        due = reply.until
        first = due if until is None or (due is not None and due < until) else until
        if self._readers.wait(reply, first):
            return
        if first is not due:
            raise TimeoutError(f"{reply.operation} was not answered in time")
        if not self.late(reply):  # its outcome is being delivered
            self._readers.wait(reply)

    def expect(self, reply: Reply, *, urgent: bool = False) -> None:
        """Take care that the reply is filled although no thread may wait for it; `urgent` if none will."""
        if reply.until is not None and reply.until < self._next_due:
            self._next_due = reply.until
        if urgent:
            self._readers.hurry(reply)
        else:
            self._readers.expect()

    def acquire(self, lock: Any, until: float | None) -> bool:
        """Take a lock whose holder may wait for a reply that this thread has to read; False if `until` came first."""
        return self._readers.acquire(lock, until)

    def late(self, reply: Reply) -> bool:
        """Let the passing of its deadline be the outcome of a reply; False if it has another one."""
        return self._give_up(reply, CallTimeoutError(f"{reply.operation} was not answered in time"))

    def abandon(self, reply: Reply) -> None:
        """Forget a reply that nobody will take; what still comes for it is dropped."""
        if not reply.done:
            self._give_up(reply, CallCancelledError(f"nobody waits for {reply.operation} any more"))

    def later(self, call: Callable[[], object]) -> None:
        """Have something called by whoever reads, when it no longer does."""
        self.news.append(call)

    def tell(self) -> None:
        """See Conversation."""
        while self.news:
            try:
                call = self.news.popleft()
            except IndexError:  # another thread has taken it
                return
            call()

    def rouse(self) -> None:
        """Have whoever reads look up: what it waits for may have come otherwise."""
        with self._sending:
            if self._readers.led and not self._gone:
                self.peer.transport.wake()

    def usable(self) -> bool:
        """Whether requests can be sent, as far as has been noticed."""
        return not (self._gone or self._closing or self.peer.transport.broken)

    def alive(self) -> bool:
        """Whether the worker lives."""
        with self._sending:
            return self.usable() and not self.peer.transport.hung_up()

    def hang_up(self) -> None:
        """Send nothing more: the worker ends, and what it still answers is delivered to those who wait."""
        with self._sending:
            if not self._closing and not self._gone and not self.peer.forked:
                self.peer.transport.hang_up()
                self.peer.transport.wake()  # a pipe stays open as long as somebody polls it
            self._closing = True

    def close(self) -> int:
        """Let the worker end in order and return its exit code."""
        self.hang_up()
        if not self.peer.forked:
            self.bury()
            self._readers.join()
        return self.peer.close()

    def bury(self) -> None:
        """Return when the worker has ended, and what it still answers was delivered."""
        self.peer.escalate(lambda seconds: self._readers.wait(self._ended, time.monotonic() + seconds))

    def _write(self, reply: Reply, frame: bytes | bytearray, together: bool) -> bool:
        """Send a request; False if the worker has ended before; the caller holds the lock."""
        self._open[reply.id] = reply
        transport = self.peer.transport
        if together:
            self._write_with_others(frame)
        elif not transport.offer(frame) and self._readers.led:
            transport.wake()  # who reads must also wait for room now
        return not transport.broken

    def _write_with_others(self, frame: bytes | bytearray) -> None:
        """Send a frame, or let it wait for others while the worker is busy; the caller holds the lock."""
        transport = self.peer.transport
        if not self._readers.led and len(self._open) > _BUSY and self._kept < _TOGETHER:
            transport.keep(frame)  # whoever reads sends it first, within a tick the background thread
            self._kept += 1
            sent = True
        else:
            self._kept = 0
            sent = transport.offer(frame)
        if self._readers.led and (self._kept or not sent):
            transport.wake()  # who reads must also wait for room now

    def _framed(self, request: Request) -> bytes | bytearray:
        try:
            frame = self._connection.send(request)
        except SerializeFailedError as exc:  # half a surrogate pair
            raise InvalidArgumentsError(f"{request.operation}: {exc.message}", path="$") from exc
        if self._watch is not None:
            self._watch("→", bytes(frame))
        return frame

    def pump(self, timeout: float | None) -> None:
        """Read what comes within so many seconds and deliver it; see Conversation."""
        if self._gone:
            self._fail_open()  # something was called there, and waits
            return
        if self._delivering and (more := self._connection.next_message()) is not None:
            self._deliver(more)  # the same, and it may wait for what came together with what it was told of
            return
        if self._kept:
            self._kept = 0
            self.peer.transport.flush()
        try:
            self.peer.transport.fill(timeout, spin=self._spin)
        except (TimeoutError, InterruptedError):
            return
        connection = self._connection
        inside, self._delivering = self._delivering, True
        try:
            data = self.peer.transport.take()
            if self._watch is not None and data:
                self._watch("←", data)
            connection.receive_data(data)
            while (message := connection.next_message()) is not None:
                self._deliver(message)
                if connection.idle:
                    return
        except BaseException:  # boundary: thread top — interrupted half-way, as by Ctrl-C
            self._die()  # nobody may wait for what was lost
            raise
        finally:
            self._delivering = inside
        if not data:
            self._die()

    def _deliver(self, message: object) -> None:
        if isinstance(message, Response):
            reply = self._open.get(message.id)
            if reply is not None:
                self._settle(reply, message.result)
        elif isinstance(message, Chunk):
            reply = self._open.get(message.id)
            if reply is not None and not message.final:
                reply.add(message.payload)
                self._readers.arrived(reply)
        elif isinstance(message, Failure):
            self._fail(message.id, exception_of(message))
        elif isinstance(message, BadMessage):
            self._fail(message.id, message.error)
        elif isinstance(message, Event) and self._on_event is not None:
            self.later(partial(self._report, message))

    def _report(self, event: Event) -> None:
        try:
            if self._on_event is not None:
                self._on_event(event.name, self._redactor.scrub(event.data) if self._redactor else event.data)
        except Exception:  # boundary: thread top — of whoever happens to read
            _log.exception("what is told of a worker's events failed")

    def _fail(self, id: Any, error: BridgeError) -> None:
        without_secrets(error, self._redactor)
        if id is None:
            # Nobody knows whom it is about: the framing is lost, or it is what the worker says before it gives up.
            self.last_words = error
            self._die()
        elif (reply := self._open.get(id)) is not None:
            self._settle(reply, error=error)

    def _give_up(self, reply: Reply, error: BaseException) -> bool:
        first = self._settle(reply, error=error)
        if self.news and not self._readers.leading:
            self.tell()
        return first

    def _settle(self, reply: Reply, result: Any = None, *, error: BaseException | None = None) -> bool:
        """Give a reply its outcome; False if it has one."""
        try:
            return reply.end(result, error)
        finally:
            self._open.pop(reply.id, None)
            self._readers.arrived(reply)

    def awaits(self) -> bool:
        """See Conversation."""
        return bool(self._open)

    def tick(self) -> None:
        """End what nobody waits for and has passed its deadline; see Conversation."""
        if self._kept:
            with self._sending:
                self._kept = 0
                if not self._gone:
                    self.peer.transport.flush()
        now = time.monotonic()
        if now < self._next_due:
            return
        self._next_due = _NEVER
        for reply in list(self._open.values()):
            if reply.until is None:
                continue
            if reply.until <= now:
                self.late(reply)
            elif reply.until < self._next_due:
                self._next_due = reply.until

    def _die(self) -> None:
        """Reap the worker and fail exactly what it has not answered."""
        with self._sending:
            if self._gone:
                return
            self._gone = True
        self.exit_code = self.peer.close()
        self._fail_open()

    def _fail_open(self) -> None:
        for reply in list(self._open.values()):
            self._settle(reply, error=self._why(reply))
        self._ended.ready = True
        self._readers.arrived(self._ended)
        self._readers.stop()

    def _why(self, reply: Reply) -> BridgeError:
        # Of a request that was cut short by the closing a worker says that it is no frame.
        if self._closing and (self.last_words is None or isinstance(self.last_words, TruncatedFrameError)):
            return TransportClosedError(f"the Bridge was closed before {reply.operation} was answered", retryable=False)
        ended = worker_ended(reply, self.exit_code, self.peer.last_lines(), self.last_words)
        return without_secrets(ended, self._redactor)  # lines may be older than what is known to be secret
