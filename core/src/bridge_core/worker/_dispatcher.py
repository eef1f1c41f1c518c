"""The one place where requests become calls, which it runs where it is told to."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, aclosing, closing, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from bridge_core._context import CallContext, RequestId
from bridge_core._handlers import Operation
from bridge_core._plugins import PluginHost
from bridge_core.config import Configuration
from bridge_core.errors import (
    BridgeError,
    CallCancelledError,
    CallTimeoutError,
    ShuttingDownError,
    StreamingUnsupportedError,
    TransportClosedError,
    ValueTooComplexError,
)
from bridge_core.protocol import BadMessage, Connection, Limits, Request
from bridge_core.secrets._redactor import Redactor
from bridge_core.secrets._references import SecretReferences
from bridge_core.sessions import ANONYMOUS, MemoryObjectStore, PeerSession, SessionStore
from bridge_core.transports import DescriptorTransport

from ._calls import Call, CallTable
from ._imports import FrameworkImporter
from ._initial import InitialConfiguration
from ._pace import Pace
from ._replies import MAY_WAIT, Replies
from ._session_operations import sessions_of
from ._stats import Stats

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._catalogue import Catalogue

__all__ = ["Dispatcher"]

InThread: TypeAlias = Callable[..., Awaitable[Any]]

_DEFAULTS = Configuration()
_AT_HOME = frozenset(["main", "reader"])
_NOTHING = MemoryObjectStore("", max_objects=0)
_NOBODY = PeerSession(ANONYMOUS, _NOTHING)
# Operations that take a session away from the requests behind them.
_TAKING = {"close_session": SessionStore.close, "clear_session": SessionStore.clear}
# Results that are no iterators: asking the abstract class takes ten times as long.
_WHOLE = frozenset([dict, list, str, int, float, bool, type(None)])


class Dispatcher:
    """Routes requests to the places where they run, runs calls and answers them.

    Args:
        connection: The protocol's state for the peer.
        transport: Where frames go.
        plugins: The frameworks.
        debug: Whether errors carry tracebacks.
        clock: The wall clock, for timestamps.
        configuration: What the operator has decided.
        redactor: What must not be said; it knows what this configuration calls secret.
    """

    catalogue: Catalogue

    def __init__(
        self,
        *,
        connection: Connection,
        transport: DescriptorTransport,
        plugins: PluginHost,
        limits: Limits,
        debug: bool = False,
        clock: Callable[[], float] = time.time,
        configuration: Configuration = _DEFAULTS,
        redactor: Redactor | None = None,
    ) -> None:
        self.connection = connection
        self.transport = transport
        self.plugins = plugins
        self.limits = limits
        self.clock = clock
        self.calls = CallTable()
        self.sessions = sessions_of(configuration.limits, self.calls)
        self.stats = Stats()
        self.importer = FrameworkImporter()
        self.redactor = Redactor() if redactor is None else redactor
        self.references = SecretReferences(
            self.redactor, allowed=frozenset(configuration.secrets.env), files=False
        )  # of peers
        self.initial = InitialConfiguration(
            plugins,
            {name: one.configuration for name, one in configuration.frameworks.items()},
            SecretReferences(self.redactor),
        )
        self.accepting = True
        self.pace = Pace(transport.wake)
        self.replies = Replies(
            connection=connection,
            transport=transport,
            plugins=plugins,
            limits=limits,
            debug=debug,
            clock=clock,
            calls=self.calls,
            stats=self.stats,
            pace=self.pace,
            redactor=self.redactor,
        )
        self._bare: set[Operation] = set()  # their frameworks have been imported, their plugins have no call context

    def route(self, request: Request) -> Call | None:
        """Open a call for a request and return it, or answer why there is none."""
        self.stats.received()
        try:
            call = self._open(request)
            if not self.calls.add(call):
                raise _shutting_down()
        except BridgeError as exc:
            self.replies.reject(request.id, exc)
            return None
        return call

    def refuse(self, bad: BadMessage) -> None:
        """Count and answer something that was no request."""
        self.stats.received()
        self.replies.refuse(bad)

    def introduce(self, call: Call) -> bool:
        """Do on the main thread what a call needs before it runs elsewhere; False if it was answered with why not."""
        started = time.monotonic()
        try:
            _still_wanted(call, started)
            self.prepare(call)
        except BaseException as exc:  # boundary: handler call
            self.replies.fail(call, started, exc)
            return False
        call.introduced = True
        return True

    def run(self, call: Call, *, hold: bool = False) -> None:
        """Run a call in this thread and answer it.

        Args:
            call: The call.
            hold: Whether the answer may wait for that of the next call, which follows at once.
        """
        started = time.monotonic()
        try:
            _still_wanted(call, started)  # an import for nothing may take longer than the grace
            operation = call.operation
            if operation.configures:
                arguments = self._arguments(call)
            else:
                arguments = operation.signature.parse(call.request.arguments)
            inside = None
            if operation not in self._bare:
                self.prepare(call)
                inside = self._inside(call)
                _still_wanted(call, time.monotonic())
            if inside is None:
                result = self._perform(call, arguments)
            else:
                with inside:
                    result = self._perform(call, arguments)
        except BaseException as exc:  # boundary: handler call
            self.replies.fail(call, started, exc)
        else:
            self.replies.succeed(call, started, result, hold=hold)

    def _perform(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Call a handler, consume what it yields, and return its result in wire form."""
        result = call.operation.call(call.context, arguments)
        if type(result) not in _WHOLE and isinstance(result, Iterator):
            result = self._stream(call, result) if call.context.streaming else self._drain(call, result)
        elif call.context.streaming:
            self.replies.last_chunk(call)
        return self._encoded(call, result)

    async def run_async(self, call: Call, in_thread: InThread) -> None:
        """Run an `async def` call in this task and answer it.

        Args:
            call: The call.
            in_thread: Awaits a function that blocks, in another thread.
        """
        started = time.monotonic()
        try:
            result = await self._perform_async(call, in_thread)
        except BaseException as exc:  # boundary: handler call
            self.replies.fail(call, started, exc)
        else:
            self.replies.succeed(call, started, result)
        with suppress(TransportClosedError):  # then nobody waits for the answer either
            await self._drained(in_thread)

    async def _perform_async(self, call: Call, in_thread: InThread) -> Any:
        from asyncio import CancelledError  # the loop that runs this has imported it

        try:
            _still_wanted(call, time.monotonic())
            arguments = self._arguments(call)
            await in_thread(self.prepare, call)
            inside = self._inside(call)
            _still_wanted(call, time.monotonic())
            with inside or nullcontext():
                result = call.operation.call(call.context, arguments)
                if isinstance(result, Awaitable):
                    result = await result
                if isinstance(result, AsyncIterator):
                    result = await self._stream_async(call, result, in_thread)
                elif call.context.streaming:
                    self.replies.last_chunk(call)
                return self._encoded(call, result)
        except CancelledError:
            raise CallCancelledError(f"{call.operation.full_name} was cancelled") from None

    async def _drained(self, in_thread: InThread) -> None:
        """Wait until everything said so far has been written: a slow peer slows down only this task."""
        if not self.transport.flush():
            await in_thread(self.transport.drain)

    def prepare(self, call: Call) -> None:
        """Import the framework of a call and configure its session, as far as that has not been done."""
        if call.operation.framework is not None:
            self.make_ready(call.operation.framework, _session(call), call.context.progress)

    def make_ready(self, framework: str, session: PeerSession, progress: Callable[[str], None]) -> None:
        """Import a framework and give a session what the operator has configured, as far as that has not been done.

        Whatever uses a framework in a session is preceded by this, on the main thread if there is such a configuration.

        Raises:
            FrameworkUnavailableError: See FrameworkImporter.ensure.
            BridgeError: See InitialConfiguration.ensure.
        """
        plugin = self.plugins.get(framework)
        if not self.importer.is_ready(plugin):
            self.importer.ensure(plugin, progress)
        self.initial.ensure(framework, session)

    def revealed(self, config: Any, ctx: CallContext) -> Any:
        """Return what a peer gives to configure a framework with, with values in place of references to secrets.

        Raises:
            BridgeError: See SecretReferences.resolve.
        """
        return self.references.resolve(config, holder=ctx.session)

    def configure(self, framework: str, config: Mapping[str, Any], ctx: CallContext) -> dict[str, Any]:
        """Configure a framework for the session of a request and return the effective settings, without secrets."""
        self.make_ready(framework, cast("PeerSession", ctx.session), ctx.progress)
        settings = self.plugins.configure(framework, config, ctx.session)
        effective: dict[str, Any] = self.redactor.scrub(dict(settings)) if self.redactor else dict(settings)
        return effective

    def _arguments(self, call: Call) -> dict[str, Any]:
        """Convert the arguments of a call; those that configure a framework may refer to secrets."""
        given, operation = call.request.arguments, call.operation
        if operation.configures and operation.framework is not None:  # `configure` itself looks into its `config` only
            given = self.revealed(given, call.context)
        return operation.signature.parse(given)

    def _encoded(self, call: Call, result: Any) -> Any:
        """Return a result in wire form, without secrets if it tells of settings; all others are data."""
        form = self.replies.encode(call, result)
        if not call.operation.configures or not self.redactor:
            return form
        if call.operation.framework is not None:
            return self.redactor.scrub(form)
        # Of the worker's own answers only this is foreign: the rest are words that peers look for.
        return {**form, "config": self.redactor.scrub(form["config"])} if "config" in form else form

    def _open(self, request: Request) -> Call:
        operation = self.catalogue.find(request.operation, request.framework)
        if not self.accepting and operation.runs != "reader":
            raise _shutting_down()
        if request.stream and not operation.streaming:
            raise StreamingUnsupportedError(
                f"{operation.full_name} does not stream; ask without `stream`", operation=operation.full_name
            )
        session = self._session(operation, request)
        context = CallContext(
            session=session,
            operation=operation.full_name,
            framework=request.framework,
            request_id=request.id,
            streaming=request.stream,
            deadline=None if request.timeout_ms is None else time.monotonic() + request.timeout_ms / 1000,
            _progress=partial(self._progress, request.id, operation.runs in MAY_WAIT),
        )
        introduced = operation.runs in _AT_HOME or not self.initial.pending(operation.framework, session)
        return Call(request, operation, context, session, introduced=introduced)

    def _session(self, operation: Operation, request: Request) -> PeerSession:
        if operation.runs == "reader":
            # What it answers concerns no session, and must be had when there is no room for another one.
            return _NOBODY if request.session_id == ANONYMOUS else PeerSession(request.session_id, _NOTHING)
        if operation.framework is None and (take := _TAKING.get(operation.name)):
            operation.signature.parse(request.arguments)  # what is refused takes nothing
            # Here, and not where it runs, so that it comes between the requests before it and those behind it.
            return take(self.sessions, request.session_id)
        return self.sessions.get(request.session_id)

    def _progress(self, id: RequestId, wait: bool, message: str, fraction: float | None) -> None:
        self.replies.event("progress", wait=wait, id=id, message=message, fraction=fraction)

    def _inside(self, call: Call) -> AbstractContextManager[Any] | None:
        """Return what a handler runs in, its plugin's call context; None where there is none."""
        framework = call.operation.framework
        if framework is None or "bridge_call_context" not in self.plugins.get(framework).hooks:
            if framework is None or not self.initial.concerns(framework):
                self._bare.add(call.operation)
            return None
        return self.plugins.call_context(framework, call.context.session)

    def _stream(self, call: Call, chunks: Iterator[Any]) -> Any:
        """Send what the handler yields as it comes and return what it returns."""
        pace = self.pace if call.operation.runs == "main" else None
        if pace is not None:
            pace.begin(time.monotonic())
        try:
            with closing(chunks) if isinstance(chunks, Generator) else nullcontext():
                while True:
                    try:
                        payload = next(chunks)
                    except StopIteration as stop:
                        self.replies.last_chunk(call)
                        return stop.value
                    now = time.monotonic()
                    self.replies.chunk(call, payload, now if pace is not None and pace.step(now) else None)
                    _still_wanted(call, now)
        finally:
            if pace is not None:
                pace.end()

    def _drain(self, call: Call, chunks: Iterator[Any]) -> Any:
        """Run a generator for a peer that wants no chunks: what it returns, or else the list of what it yields."""
        gathered: list[Any] = []
        with closing(chunks) if isinstance(chunks, Generator) else nullcontext():
            while True:
                try:
                    _gather(gathered, next(chunks), self.limits.max_nodes)
                except StopIteration as stop:
                    return gathered if stop.value is None else stop.value
                _still_wanted(call, time.monotonic())

    async def _stream_async(self, call: Call, chunks: AsyncIterator[Any], in_thread: InThread) -> list[Any] | None:
        """Send what an async generator yields as it comes; such a generator has no result of its own."""
        gathered: list[Any] = []
        async with aclosing(chunks) if isinstance(chunks, AsyncGenerator) else nullcontext():
            async for payload in chunks:
                if call.context.streaming:
                    self.replies.chunk(call, payload)
                    await self._drained(in_thread)
                else:
                    _gather(gathered, payload, self.limits.max_nodes)
                _still_wanted(call, time.monotonic())
        if not call.context.streaming:
            return gathered
        self.replies.last_chunk(call)
        return None


def _session(call: Call) -> PeerSession:
    session = call.context.session
    assert isinstance(session, PeerSession)  # made by `_open`
    return session


def _shutting_down() -> ShuttingDownError:
    return ShuttingDownError("this worker is ending and takes no new requests; ask another one")


def _still_wanted(call: Call, now: float) -> None:
    """Stop between two steps of a call that is cancelled or late."""
    context = call.context
    if not context.cancelled and (context.deadline is None or now < context.deadline):
        return
    chunks: dict[str, Any] = {"chunks": call.chunks} if context.streaming else {}
    if context.cancelled:
        raise CallCancelledError(f"{call.operation.full_name} was cancelled", **chunks)
    raise CallTimeoutError(f"{call.operation.full_name} did not finish in time", **chunks)


def _gather(gathered: list[Any], item: Any, most: int) -> None:
    if len(gathered) >= most:
        raise ValueTooComplexError(f"more than {most} chunks; ask with `stream`")
    gathered.append(item)
