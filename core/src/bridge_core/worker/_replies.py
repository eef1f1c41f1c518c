"""What a worker says about its calls: chunks, and whatever happens in a call as its one terminal response."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Literal

from msgspec import structs

from bridge_core._plugins import PluginHost
from bridge_core.calls import Keeper
from bridge_core.errors import (
    BridgeError,
    HandlerRaisedError,
    RefNotFoundError,
    ShuttingDownError,
    TransportClosedError,
)
from bridge_core.protocol import BadMessage, Chunk, Connection, Event, Failure, Limits, Response
from bridge_core.secrets._redactor import Redactor
from bridge_core.serialize import NOT_PLAIN, QUICK_NODES, Serializer, plain
from bridge_core.transports import DescriptorTransport

from ._calls import Call, CallTable
from ._pace import Pace
from ._stats import Stats

__all__ = ["MAY_WAIT", "Replies"]

MAY_WAIT = frozenset(["main", "thread"])
"""Where a thread may wait for a slow peer: there only the calls that produce are slowed down."""
_log = logging.getLogger(__name__)


class Replies:
    """Encodes, holds back what may wait, and writes; safe from any thread.

    Args:
        connection: The protocol's state for the peer.
        transport: Where frames go.
        plugins: The frameworks, which know the form of their objects.
        debug: Whether errors carry tracebacks.
        clock: The wall clock, for timestamps.
        redactor: What must not be said.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        transport: DescriptorTransport,
        plugins: PluginHost,
        limits: Limits,
        debug: bool,
        clock: Callable[[], float],
        calls: CallTable,
        stats: Stats,
        pace: Pace,
        redactor: Redactor,
    ) -> None:
        self.connection = connection
        self.transport = transport
        self.plugins = plugins
        self.limits = limits
        self.debug = debug
        self.clock = clock
        self.calls = calls
        self.stats = stats
        self.pace = pace
        self.redactor = redactor
        # Whether any small result keeps to the limits.
        self._roomy = limits.max_nodes > 2 * QUICK_NODES and limits.max_depth > 8

    def encode(self, call: Call, value: object) -> Any:
        """Return a result or a payload in its wire form.

        Raises:
            SerializeFailedError, ValueTooComplexError: It has none.
        """
        form = plain(value) if self._roomy and not self.connection.safe_integers else NOT_PLAIN
        if form is not NOT_PLAIN:
            return form

        def ask(leaf: object, encode: Callable[[object], Any]) -> Any:
            return self.plugins.serialize(leaf, encode, first=call.operation.framework)

        if call.operation.refers:
            call.keeper = Keeper(call.session.objects, value, redact=self.redactor.redact)
        return Serializer(
            ask,
            refer=None if call.keeper is None else call.keeper.refer,
            native=self.connection.codec == "msgpack",
            safe_integers=self.connection.safe_integers,
            max_depth=self.limits.max_depth - 1,  # the message itself is a level,
            max_nodes=self.limits.max_nodes - 6,  # and with all that is beside the payload of a chunk these values
        ).encode(value)

    def chunk(self, call: Call, payload: Any, held: float | None = None) -> None:
        """Send one chunk.

        Args:
            call: The call.
            payload: What the handler has yielded.
            held: The time, if the chunk may wait for the next one.

        Raises:
            ShuttingDownError: The call has been abandoned.
        """
        form = self.encode(call, payload)
        self._say(call, Chunk(id=call.request.id, number=call.chunks, payload=form, final=False), held)
        call.chunks += 1

    def last_chunk(self, call: Call) -> None:
        """Say that the stream has ended well: a chunk without data, so that no chunk has to wait for its successor."""
        self._say(call, Chunk(id=call.request.id, number=call.chunks, payload=None, final=True), None)

    def succeed(self, call: Call, started: float, result: Any, *, hold: bool = False) -> None:
        """Answer a call with its result in wire form; with `hold`, perhaps together with what follows at once."""
        response = Response(id=call.request.id, result=result, timestamp=self.clock())
        self._close(call, response, started, wait=_may_wait(call), hold=hold)

    def fail(self, call: Call, started: float, exc: BaseException) -> None:
        """Answer a call with whatever was raised, SystemExit and KeyboardInterrupt too: no worker ends by them."""
        _log.debug("%s failed", call.operation.full_name, exc_info=exc)
        self._close(call, self._failure(call.request.id, exc), started, wait=_may_wait(call), hold=False)

    def abandon(self, call: Call, error: BridgeError) -> None:
        """Answer a call that will not be waited for; what its handler may still answer is dropped."""
        # Never waiting: a peer that does not read must not stop the ending.
        self._close(call, self._failure(call.request.id, error), time.monotonic(), wait=False, hold=False)

    def reject(self, id: Any, error: BridgeError) -> None:
        """Answer a request that did not become a call."""
        self.stats.answered(None, failed=True)
        self._write(self._terminal(self._failure(id, error)), wait=False)

    def refuse(self, bad: BadMessage) -> None:
        """Say what is wrong with something that was no request, without closing what is open under its id."""
        self.stats.answered(None, failed=True)
        self._write(self._terminal(self._described(bad.id, bad.error), closes=False), wait=False)

    def event(self, name: Literal["progress", "goodbye"], *, wait: bool, **data: Any) -> None:
        """Tell the peer something, if it asked for such events."""
        if name in self.connection.wants:
            if self.redactor:
                data = {key: value if key == "id" else self.redactor.scrub(value) for key, value in data.items()}
            self._write(self.connection.send(Event(name=name, data=data)), wait=wait)

    def _say(self, call: Call, chunk: Chunk, held: float | None) -> None:
        """Send a chunk, unless the call has been abandoned meanwhile: nothing follows a terminal response."""
        frame = self.connection.send(chunk)
        if not self.calls.unless_claimed(call, self.transport.keep, frame):
            raise ShuttingDownError("this worker is ending; ask another one")
        if held is None or not self.pace.holds(held, len(frame)):
            self._flush(wait=_may_wait(call))

    def _close(self, call: Call, message: Response | Failure, started: float, *, wait: bool, hold: bool) -> None:
        """Give a call its one terminal response, unless somebody else has."""
        if not self.calls.claim(call):
            call.release()
            return
        failed = type(message) is Failure
        try:
            frame = self.connection.send(message)
        except BridgeError as exc:  # too large, or nothing that the codec can carry: the id is still open
            failed, frame = True, self._terminal(self._described(call.request.id, exc))
        if failed:
            call.release()
        call.session.used = now = time.monotonic()
        if call.session.successor is not None:
            call.session.touch(now)
        self.stats.answered(call.operation.full_name, failed=failed, seconds=now - started)
        if hold and self.pace.holds(now, len(frame)):
            self.transport.keep(frame)
            if self.pace.led or self.pace.over:  # looked at again: the watcher may have looked just before this
                self._flush(wait=wait)
        else:
            self._write(frame, wait=wait)
        self.calls.remove(call)

    def _failure(self, id: Any, exc: BaseException) -> Failure:
        """The one place where an exception becomes a wire error."""
        try:
            error = exc if isinstance(exc, BridgeError) else self._wrapped(exc)
            return self._described(id, error, exc)
        except Exception:  # boundary: handler call — an error class of a plugin that cannot say what it is
            return self._described(id, self._wrapped(exc), exc)

    def _described(self, id: Any, error: BridgeError, exc: BaseException | None = None) -> Failure:
        """Return an error as a message, the traceback of `exc` with it when debugging, without secrets."""
        failure = Failure.of(id, error, self.clock())
        details = failure.error_info.details
        missing = None if exc is None else exc.__context__
        if isinstance(missing, RefNotFoundError) and "gone" in missing.details and error.code == "not_found":
            # What a plugin says of such an object in its own words, PROGRAM_NOT_FOUND for example, lacks that.
            details.setdefault("gone", missing.details["gone"])
        if self.debug and exc is not None:
            import traceback  # only debugging pays for it

            details["traceback"] = "".join(traceback.format_exception(exc))
        if not self.redactor:
            return failure
        info = structs.replace(failure.error_info, details=self.redactor.scrub(details))
        return structs.replace(failure, error=self.redactor.redact(failure.error), error_info=info)

    def _wrapped(self, exc: BaseException) -> HandlerRaisedError:
        return HandlerRaisedError.wrapping(exc, redact=self.redactor.redact)

    def _terminal(self, message: Failure, *, closes: bool = True) -> bytes | bytearray:
        """Return a failure as a frame, or why it cannot be sent as another."""
        try:
            return self.connection.send(message, closes=closes)
        except BridgeError as exc:  # its details, its traceback or a name that the peer sent
            return self.connection.send(self._described(message.id, exc), closes=closes)

    def _write(self, frame: bytes | bytearray, *, wait: bool) -> None:
        if not self.transport.offer(frame) and wait:
            self._flush(wait=True)

    def _flush(self, *, wait: bool) -> None:
        try:
            if wait:
                self.transport.drain()
            else:
                self.transport.flush()
        except TransportClosedError as exc:
            _log.debug("%s", exc)  # the reader sees the end of input too, and ends the worker


def _may_wait(call: Call) -> bool:
    return call.operation.runs in MAY_WAIT
