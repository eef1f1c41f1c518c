"""The Python face for asyncio: the same verbs, awaited."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from bridge_core.errors import BridgeError

from ._async_dynamic import AsyncDynamicVerbs
from ._bridge import Finalizer, open_slots, pids_of, start_slots
from ._given import check_at_once, merged, until_of
from ._link import Link
from ._replies import Reply
from ._session import BridgeSession
from ._settings import operator_settings
from ._verbs import Verb

__all__ = ["AsyncBridge", "AsyncBridgeSession", "AsyncStream"]

Self = TypeVar("Self", bound="AsyncBridgeSession")


class AsyncBridgeSession(AsyncDynamicVerbs):
    """A conversation with its own objects and settings; for the tasks of one event loop.

    A task that is cancelled forgets its call: the worker still does what it was asked for.
    """

    def __init__(self, session: BridgeSession) -> None:
        self._session = session
        self._objects = session._objects

    @property
    def id(self) -> str:
        """The name by which the workers know the session."""
        return self._session.id

    async def run(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Any:
        """Run one operation and return its result; see `BridgeSession.run`."""
        binding, link, reply = await self._send(operation, merged(arguments, more), until_of(timeout))
        await _arrival(link, reply)
        return binding.outcome(reply)

    def submit(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> asyncio.Task[Any]:
        """Run one operation in a task of its own and return the task; see `BridgeSession.run`."""
        return asyncio.create_task(self.run(operation, merged(arguments, more), timeout=timeout))

    async def batch(
        self,
        calls: Iterable[tuple[str, Mapping[str, Any]]],
        /,
        *,
        at_once: int = 1000,
        timeout: float | None = None,
    ) -> list[Any | BridgeError]:
        """Run many operations at once and return their results in order; see `BridgeSession.batch`."""
        check_at_once(at_once)
        until = until_of(timeout)
        running: deque[asyncio.Task[Any]] = deque()
        outcomes: list[Any] = []
        try:
            for operation, arguments in calls:
                if len(running) >= at_once:
                    outcomes.append(await running.popleft())
                running.append(asyncio.create_task(self._outcome(operation, arguments, until)))
            while running:
                outcomes.append(await running.popleft())
        finally:
            for task in running:
                task.cancel()
        return outcomes

    def stream(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> AsyncStream:
        """Run one operation, when the first chunk is asked for, and return its chunks; see `BridgeSession.stream`."""
        return AsyncStream(self, operation, merged(arguments, more), timeout)

    async def configure(
        self,
        framework: str,
        /,
        config: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Any:
        """Configure a framework for this session; see `BridgeSession.configure`."""
        return await self.run("configure", {"framework": framework, "config": merged(config, more)}, timeout=timeout)

    async def info(self, framework: str | None = None, *, timeout: float | None = None) -> Any:
        """Return what a worker can do; see `BridgeSession.info`."""
        return await asyncio.to_thread(partial(self._session.info, framework, timeout=timeout))

    async def close(self) -> None:
        """Have the workers forget the session; see `BridgeSession.close`."""
        await asyncio.to_thread(self._session.close)

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _outcome(self, operation: str, arguments: Mapping[str, Any], until: float | None) -> Any:
        try:
            return await self.run(operation, arguments, timeout=None if until is None else until - time.monotonic())
        except BridgeError as exc:
            return exc

    async def _perform(self, verb: Verb, until: float | None) -> Any:
        self._session._check_open()
        to, arguments = self._objects.request(verb)
        binding, link, reply = await self._send(verb.operation, arguments, until, framework=to.slot.framework)
        await _arrival(link, reply)
        return self._objects.result(verb, binding, link, binding.outcome(reply), self._ref)

    async def _send(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        until: float | None,
        *,
        stream: bool = False,
        framework: str | None = None,
    ) -> Any:
        session = self._session
        while (sent := session._send_now(operation, arguments, until, stream=stream, framework=framework)) is None:
            # A worker has to start, which takes a while.
            await asyncio.to_thread(session._prepare, operation, arguments, until, framework)
        return sent


class AsyncBridge(AsyncBridgeSession):
    """Python frameworks in processes of their own, used from one event loop; itself the default session.

        async with AsyncBridge("dspy") as bridge:
            await bridge.configure("dspy", model="embedded")

    Args:
        frameworks: See Bridge.
        on_stderr: See Bridge.
        on_event: See Bridge.
        policy: See Bridge.
        limits: See Bridge.
    """

    def __init__(
        self,
        frameworks: str | Iterable[str] | Mapping[str, Mapping[str, Any]],
        *,
        on_stderr: Callable[[str], None] | None = None,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        policy: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        configuration = operator_settings(policy=policy, limits=limits)
        self._slots = open_slots(frameworks, on_stderr, on_event, configuration, always=True)
        super().__init__(BridgeSession(self._slots, "anonymous"))
        self._finalizer = Finalizer(self, self._slots)

    def session(self, id: str | None = None) -> AsyncBridgeSession:
        """Open a session with objects and settings of its own; see `Bridge.session`."""
        return AsyncBridgeSession(BridgeSession(self._slots, id or os.urandom(16).hex(), owner=self))

    async def start(self, *, timeout: float | None = None) -> None:
        """Start all workers now; see `Bridge.start`."""
        await asyncio.to_thread(start_slots, self._slots, until_of(timeout))

    def pids(self) -> dict[str, int]:
        """Return, by framework, the ids of the processes started for the workers that live."""
        return pids_of(self._slots)

    async def close(self) -> None:
        """End all workers in order; again does nothing."""
        await asyncio.to_thread(self._finalizer.close)


class AsyncStream:
    """An asynchronous iterator over chunks, for one task; `result` is what the operation returned after the last one.

    Left before its end it must be closed, or used in an `async with` statement.
    """

    def __init__(
        self, session: AsyncBridgeSession, operation: str, arguments: Mapping[str, Any], timeout: float | None
    ) -> None:
        self._request = (session, operation, arguments, timeout)
        self._sent: Any = None
        self.result: Any = None
        """None until the stream has ended."""

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Any:
        """Return the next chunk.

        Raises:
            BridgeError: The operation failed; the chunks before that were delivered.
        """
        if self._sent is None:
            session, operation, arguments, timeout = self._request
            self._sent = await session._send(operation, arguments, until_of(timeout), stream=True)
        binding, link, reply = self._sent
        while not reply.chunks:
            if reply.done:
                self.result = binding.outcome(reply)
                raise StopAsyncIteration
            await _arrival(link, reply)
        return reply.take_chunk()

    async def aclose(self) -> None:
        """Take no more; again does nothing."""
        self._forget()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forget()

    def __del__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        if self._sent is not None:
            _, link, reply = self._sent
            link.abandon(reply)


async def _arrival(link: Link, reply: Reply) -> None:
    """Return when the reply has something to take, or its deadline has passed."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()

    def tell(reply: Reply) -> None:
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(_set, arrived)

    reply.notify = tell
    if reply.done or reply.chunks:  # came meanwhile
        return
    late = None if reply.until is None else loop.call_later(max(0.0, reply.until - time.monotonic()), link.late, reply)
    try:
        await arrived
    except asyncio.CancelledError:
        link.abandon(reply)
        raise
    finally:
        if late is not None:
            late.cancel()


def _set(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
