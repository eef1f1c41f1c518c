"""The one place where requests become calls and whatever happens in a call becomes one terminal response."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, aclosing, closing, nullcontext, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import attrs

from bridge_core._context import CallContext
from bridge_core._plugins import PluginHost
from bridge_core.errors import (
    BridgeError,
    CallCancelledError,
    CallTimeoutError,
    HandlerRaisedError,
    ShuttingDownError,
    StreamingUnsupportedError,
    TransportClosedError,
    ValueTooComplexError,
)
from bridge_core.protocol import BadMessage, Chunk, Connection, Event, Failure, Limits, Request, Response
from bridge_core.serialize import Serializer
from bridge_core.sessions import MemoryObjectStore, PeerSession, SessionStore
from bridge_core.transports import DescriptorTransport

from ._calls import Call, CallTable
from ._imports import FrameworkImporter
from ._stats import Stats

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._catalogue import Catalogue

__all__ = ["Dispatcher"]

InThread: TypeAlias = Callable[..., Awaitable[Any]]

_log = logging.getLogger(__name__)
_NOBODY = PeerSession("", MemoryObjectStore("", max_objects=0))
# Where a thread may wait for a slow peer: there only the calls that produce are slowed down.
_MAY_WAIT = frozenset(["main", "thread"])


@attrs.define(eq=False, kw_only=True)
class Dispatcher:
    """Routes requests to the places where they run, runs calls and answers them.

    Args:
        connection: The protocol's state for the peer.
        transport: Where frames go.
        plugins: The frameworks.
        debug: Whether errors carry tracebacks.
        clock: The wall clock, for timestamps.
    """

    connection: Connection
    transport: DescriptorTransport
    plugins: PluginHost
    limits: Limits
    debug: bool = False
    clock: Callable[[], float] = time.time
    calls: CallTable = attrs.field(factory=CallTable, init=False)
    sessions: SessionStore = attrs.field(factory=SessionStore, init=False)
    stats: Stats = attrs.field(factory=Stats, init=False)
    importer: FrameworkImporter = attrs.field(factory=FrameworkImporter, init=False)
    catalogue: Catalogue = attrs.field(init=False)
    accepting: bool = attrs.field(default=True, init=False)

    def route(self, request: Request) -> Call | None:
        """Open a call for a request and return it, or answer why there is none."""
        self.stats.received()
        try:
            call = self._open(request)
            if not self.calls.add(call):
                raise _shutting_down()
        except BridgeError as exc:
            self.stats.answered(None, failed=True)
            self._write(self._terminal(self._failure(request.id, exc)), wait=False)
            return None
        return call

    def refuse(self, bad: BadMessage) -> None:
        """Answer something that was no request; the request that is open under its id, if any, is not touched."""
        self.stats.received()
        self.stats.answered(None, failed=True)
        self._write(self._terminal(Failure.of(bad.id, bad.error, self.clock()), closes=False), wait=False)

    def run(self, call: Call) -> None:
        """Run a call in this thread and answer it."""
        with _Answer(self, call) as answer:
            _still_wanted(call)  # an import for nothing may take longer than the grace
            arguments = call.operation.signature.parse(call.request.arguments)
            self.prepare(call)
            with self._inside(call):
                result = call.operation.call(call.context, arguments)
                if isinstance(result, Iterator):
                    result = self._stream(call, result) if call.context.streaming else self._drain(call, result)
                elif call.context.streaming:
                    self._send_last_chunk(call)
                answer.result = self._encode(call, result)

    async def run_async(self, call: Call, in_thread: InThread) -> None:
        """Run an `async def` call in this task and answer it.

        Args:
            call: The call.
            in_thread: Awaits a function that blocks, in another thread.
        """
        from asyncio import CancelledError  # the loop that runs this has imported it

        with _Answer(self, call) as answer:
            try:
                _still_wanted(call)
                arguments = call.operation.signature.parse(call.request.arguments)
                await in_thread(self.prepare, call)
                with self._inside(call):
                    result = call.operation.call(call.context, arguments)
                    if isinstance(result, Awaitable):
                        result = await result
                    if isinstance(result, AsyncIterator):
                        result = await self._stream_async(call, result, in_thread)
                    elif call.context.streaming:
                        self._send_last_chunk(call)
                    answer.result = self._encode(call, result)
            except CancelledError:
                raise CallCancelledError(f"{call.operation.full_name} was cancelled") from None
        with suppress(TransportClosedError):  # then nobody waits for the answer either
            await self._drained(in_thread)

    async def _drained(self, in_thread: InThread) -> None:
        """Wait until everything said so far has been written: a slow peer slows down only this task."""
        if not self.transport.flush():
            await in_thread(self.transport.drain)

    def abandon(self, call: Call, error: BridgeError) -> None:
        """Answer a call that will not be waited for; what its handler may still answer is dropped."""
        # Never waiting: a peer that does not read must not stop the ending.
        self._close(call, self._failure(call.request.id, error), time.monotonic(), wait=False)

    def event(self, name: Literal["progress", "goodbye"], *, wait: bool, **data: Any) -> None:
        """Tell the peer something, if it asked for such events."""
        if name in self.connection.wants:
            self._write(self.connection.send(Event(name=name, data=data)), wait=wait)

    def prepare(self, call: Call) -> None:
        """Import the framework of a call if that has not been done; see FrameworkImporter.ensure."""
        if call.operation.framework is not None:
            self.importer.ensure(self.plugins.get(call.operation.framework), call.context.progress)

    def _open(self, request: Request) -> Call:
        operation = self.catalogue.find(request.operation, request.framework)
        if not self.accepting and operation.runs != "reader":
            raise _shutting_down()
        if request.stream and not operation.streaming:
            raise StreamingUnsupportedError(
                f"{operation.full_name} does not stream; ask without `stream`", operation=operation.full_name
            )
        context = CallContext(
            # What the reader answers concerns no session: it must go on when there is no room for another one.
            session=_NOBODY if operation.runs == "reader" else self.sessions.get(request.session_id),
            operation=operation.full_name,
            framework=request.framework,
            request_id=request.id,
            streaming=request.stream,
            deadline=None if request.timeout_ms is None else time.monotonic() + request.timeout_ms / 1000,
            progress=lambda message, fraction: self.event(
                "progress", wait=operation.runs in _MAY_WAIT, id=request.id, message=message, fraction=fraction
            ),
        )
        return Call(request, operation, context)

    def _inside(self, call: Call) -> AbstractContextManager[Any]:
        """Return what a handler runs in: its plugin's call context."""
        _still_wanted(call)
        if call.operation.framework is None:
            return nullcontext()
        return self.plugins.call_context(call.operation.framework, call.context.session)

    def _stream(self, call: Call, chunks: Iterator[Any]) -> Any:
        """Send what the handler yields as it comes and return what it returns."""
        with closing(chunks) if isinstance(chunks, Generator) else nullcontext():
            while True:
                try:
                    payload = next(chunks)
                except StopIteration as stop:
                    self._send_last_chunk(call)
                    return stop.value
                self._send_chunk(call, payload)
                _still_wanted(call)

    def _drain(self, call: Call, chunks: Iterator[Any]) -> Any:
        """Run a generator for a peer that wants no chunks: what it returns, or else the list of what it yields."""
        gathered: list[Any] = []
        with closing(chunks) if isinstance(chunks, Generator) else nullcontext():
            while True:
                try:
                    _gather(gathered, next(chunks), self.limits.max_nodes)
                except StopIteration as stop:
                    return gathered if stop.value is None else stop.value
                _still_wanted(call)

    async def _stream_async(self, call: Call, chunks: AsyncIterator[Any], in_thread: InThread) -> list[Any] | None:
        """Send what an async generator yields as it comes; such a generator has no result of its own."""
        gathered: list[Any] = []
        async with aclosing(chunks) if isinstance(chunks, AsyncGenerator) else nullcontext():
            async for payload in chunks:
                if call.context.streaming:
                    self._send_chunk(call, payload)
                    await self._drained(in_thread)
                else:
                    _gather(gathered, payload, self.limits.max_nodes)
                _still_wanted(call)
        if not call.context.streaming:
            return gathered
        self._send_last_chunk(call)
        return None

    def _send_chunk(self, call: Call, payload: Any) -> None:
        self._say(call, _chunk(call, self._encode(call, payload)))
        call.chunks += 1

    def _send_last_chunk(self, call: Call) -> None:
        """Say that the stream has ended well: a chunk without data, so that no chunk has to wait for its successor."""
        self._say(call, _chunk(call, None, final=True))

    def _say(self, call: Call, chunk: Chunk) -> None:
        """Send a chunk, unless the call has been abandoned meanwhile: nothing follows a terminal response."""
        frame = self.connection.send(chunk)
        if not self.calls.unless_claimed(call, lambda: self.transport.keep(frame)):
            raise _shutting_down()
        self._flush(wait=_may_wait(call))

    def _encode(self, call: Call, value: object) -> Any:
        def ask(leaf: object, encode: Callable[[object], Any]) -> Any:
            return self.plugins.serialize(leaf, encode, first=call.operation.framework)

        return Serializer(
            ask,
            native=self.connection.codec == "msgpack",
            max_depth=self.limits.max_depth - 1,  # the message itself is a level,
            max_nodes=self.limits.max_nodes - 6,  # and with all that is beside the payload of a chunk these values
        ).encode(value)

    def _failure(self, id: Any, exc: BaseException) -> Failure:
        """The one place where an exception becomes a wire error."""
        error = exc if isinstance(exc, BridgeError) else HandlerRaisedError.wrapping(exc)
        try:
            failure = Failure.of(id, error, self.clock())
        except Exception:  # boundary: handler call — an error class of a plugin that cannot say what it is
            failure = Failure.of(id, HandlerRaisedError.wrapping(exc), self.clock())
        if self.debug:
            import traceback  # only debugging pays for it

            failure.error_info.details["traceback"] = "".join(traceback.format_exception(exc))
        return failure

    def _close(self, call: Call, message: Response | Failure, started: float, *, wait: bool) -> None:
        """Give a call its one terminal response, unless somebody else has."""
        if not self.calls.claim(call):
            return
        failed = isinstance(message, Failure)
        try:
            frame = self.connection.send(message)
        except BridgeError as exc:  # too large, or nothing that the codec can carry: the id is still open
            failed, frame = True, self._terminal(Failure.of(call.request.id, exc, self.clock()))
        self.stats.answered(call.operation.full_name, failed=failed, seconds=time.monotonic() - started)
        self._write(frame, wait=wait)
        self.calls.remove(call)

    def _terminal(self, message: Failure, *, closes: bool = True) -> bytes:
        """Return a failure as a frame, or why it cannot be sent as another."""
        try:
            return self.connection.send(message, closes=closes)
        except BridgeError as exc:  # its details, its traceback or a name that the peer sent
            return self.connection.send(Failure.of(message.id, exc, self.clock()), closes=closes)

    def _write(self, frame: bytes, *, wait: bool) -> None:
        self.transport.keep(frame)
        self._flush(wait=wait)

    def _flush(self, *, wait: bool) -> None:
        try:
            if wait:
                self.transport.drain()
            else:
                self.transport.flush()
        except TransportClosedError as exc:
            _log.debug("%s", exc)  # the reader sees the end of input too, and ends the worker


class _Answer:
    """Whatever happens inside: one terminal response, and nothing gets out.

    SystemExit and KeyboardInterrupt are answers like any other: what a framework raises must not end the worker.
    """

    def __init__(self, dispatcher: Dispatcher, call: Call) -> None:
        self._dispatcher = dispatcher
        self._call = call
        self._started = time.monotonic()
        self.result: Any = None

    def __enter__(self) -> _Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool:
        dispatcher, call = self._dispatcher, self._call
        message: Response | Failure
        if exc is None:
            message = Response(id=call.request.id, result=self.result, timestamp=dispatcher.clock())
        else:
            _log.debug("%s failed", call.operation.full_name, exc_info=exc)
            message = dispatcher._failure(call.request.id, exc)
        dispatcher._close(call, message, self._started, wait=_may_wait(call))
        return True


def _chunk(call: Call, payload: Any, *, final: bool = False) -> Chunk:
    return Chunk(id=call.request.id, number=call.chunks, payload=payload, final=final)


def _may_wait(call: Call) -> bool:
    return call.operation.runs in _MAY_WAIT


def _shutting_down() -> ShuttingDownError:
    return ShuttingDownError("this worker is ending and takes no new requests; ask another one")


def _still_wanted(call: Call) -> None:
    """Stop between two steps of a call that is cancelled or late."""
    chunks: dict[str, Any] = {"chunks": call.chunks} if call.context.streaming else {}
    if call.context.cancelled:
        raise CallCancelledError(f"{call.operation.full_name} was cancelled", **chunks)
    if call.context.remaining() == 0.0:
        raise CallTimeoutError(f"{call.operation.full_name} did not finish in time", **chunks)


def _gather(gathered: list[Any], item: Any, most: int) -> None:
    if len(gathered) >= most:
        raise ValueTooComplexError(f"more than {most} chunks; ask with `stream`")
    gathered.append(item)
