"""The smallest client: one request at a time, to a worker that it owns."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any, Protocol

from bridge_core.errors import CallTimeoutError, InvalidArgumentsError, WorkerCrashedError
from bridge_core.protocol import BadMessage, Chunk, Connection, Event, Failure, Request, Response
from bridge_core.serialize import Serializer
from bridge_core.transports import DescriptorTransport

from ._exceptions import exception_of

__all__ = ["BlockingClient"]


class Peer(Protocol):
    """Whoever answers: a worker process, or something that behaves like one."""

    @property
    def transport(self) -> DescriptorTransport:
        """The wire to it."""

    def close(self) -> int:
        """End it and return its exit code; again does nothing."""


class BlockingClient:
    """Sends a request, waits for its answer; for one thread.

    Args:
        peer: The worker, which the client ends on `close`.
        watch: Called with "→" and each frame as it is sent, and with "←" and bytes as they arrive.
        on_event: Called with the name and data of each event the worker sends.
    """

    def __init__(
        self,
        peer: Peer,
        *,
        watch: Callable[[str, bytes], None] | None = None,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
    ) -> None:
        self.peer = peer
        self._connection = Connection("peer")
        self._watch = watch or _look_away
        self._on_event = on_event
        self._next_id = 0

    def run(self, operation: str, /, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Run one operation and return its result; options as for `stream`.

        Raises:
            BridgeError: The worker answered with an error, died, or did not answer in time.
        """
        stream = self._exchange(operation, arguments, stream=False, **options)
        while True:
            try:
                next(stream)
            except StopIteration as stop:
                return stop.value

    def stream(
        self, operation: str, /, arguments: Mapping[str, Any] | None = None, **options: Any
    ) -> Generator[Any, None, Any]:
        """Run one operation, yield its chunks as they come and return its result.

        Args:
            operation: The operation's name.
            arguments: Its arguments.
            options: `timeout` (seconds, None for no end), `session_id`, `framework`.

        Raises:
            BridgeError: The worker answered with an error, died, or did not answer in time.
        """
        return self._exchange(operation, arguments, stream=True, **options)

    def _exchange(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None,
        *,
        stream: bool,
        timeout: float | None = None,
        session_id: str = "anonymous",
        framework: str | None = None,
    ) -> Generator[Any, None, Any]:
        if Serializer(_nobody).encode(dict(arguments or {})) != dict(arguments or {}):
            raise InvalidArgumentsError(f"{operation}: only JSON values can be arguments yet", path="$")
        self._next_id += 1
        request = Request(
            id=self._next_id,
            operation=operation,
            arguments=dict(arguments or {}),
            session_id=session_id,
            framework=framework,
            stream=stream,
            timeout_ms=None if timeout is None else int(timeout * 1000),
        )
        deadline = None if timeout is None else time.monotonic() + timeout
        frame = self._connection.send(request)
        self._watch("→", frame)
        self.peer.transport.offer(frame)
        while True:
            message = self._receive(deadline, operation)
            if isinstance(message, BadMessage):
                raise message.error
            if isinstance(message, Event) and self._on_event is not None:
                self._on_event(message.name, message.data)
            if getattr(message, "id", None) != request.id:
                continue  # the answer to a request that was given up
            if isinstance(message, Chunk) and not message.final:
                yield message.payload
            elif isinstance(message, Response):
                return message.result
            elif isinstance(message, Failure):
                raise exception_of(message)

    def _receive(self, deadline: float | None, operation: str) -> object:
        while (message := self._connection.next_message()) is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                data = self.peer.transport.receive(left)
            except TimeoutError:
                raise CallTimeoutError(f"{operation} was not answered in time") from None
            if not data:
                raise self._gone(operation)
            self._watch("←", data)
            self._connection.receive_data(data)
        return message

    def _gone(self, operation: str) -> WorkerCrashedError:
        code = self.peer.close()
        return WorkerCrashedError(f"the worker ended (exit code {code}) before it answered {operation}", exit_code=code)

    def close(self) -> int:
        """End the worker and return its exit code."""
        return self.peer.close()

    def __enter__(self) -> BlockingClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _nobody(value: object, encode: object) -> None:
    """Know no framework objects."""


def _look_away(direction: str, data: bytes) -> None:
    """Watch nothing."""
