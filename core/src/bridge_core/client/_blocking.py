"""The smallest client: one worker that somebody has started."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from bridge_core.secrets._redactor import Redactor

from ._arguments import SentArguments, literal_arguments
from ._link import Link
from ._peer import Peer
from ._replies import Reply
from ._streams import Stream

__all__ = ["BlockingClient"]


class BlockingClient:
    """Sends requests to one worker, which it ends on `close` and never replaces.

    Args:
        peer: The worker.
        codec: What the worker was told to speak.
        watch: Called with "→" and each frame as it is sent, and with "←" and bytes as they arrive.
        on_event: Called with the name and data of each event the worker sends.
        redactor: See Link.
    """

    def __init__(
        self,
        peer: Peer,
        *,
        codec: str = "json",
        watch: Callable[[str, bytes], None] | None = None,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.peer = peer
        self._native = codec == "msgpack"
        self._link = Link(peer, codec=codec, watch=watch, on_event=on_event, redactor=redactor)

    def run(
        self, operation: str, /, arguments: Mapping[str, Any] | None = None, *, timeout: float | None = None, **to: Any
    ) -> Any:
        """Run one operation and return its result.

        Args:
            operation: The operation's name.
            arguments: Its arguments, in which `{"$ref": id}` is a live object, as on the wire.
            timeout: Seconds, None for no end.
            to: `session_id`, `framework`.

        Raises:
            BridgeError: The worker answered with an error, died, or did not answer in time.
        """
        return self._link.call(operation, self._literal(operation, arguments), until=_until(timeout), **to)

    def stream(
        self, operation: str, /, arguments: Mapping[str, Any] | None = None, *, timeout: float | None = None, **to: Any
    ) -> Generator[Any, None, Any]:
        """Run one operation, yield its chunks as they come and return its result; arguments as for `run`."""
        given = self._literal(operation, arguments)
        reply = self._link.send(operation, given, until=_until(timeout), stream=True, **to)
        with Stream(self._link, reply, Reply.take) as chunks:
            yield from chunks
            return chunks.result

    def close(self) -> int:
        """End the worker and return its exit code."""
        return self._link.close()

    def __enter__(self) -> BlockingClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _literal(self, operation: str, arguments: Mapping[str, Any] | None) -> SentArguments:
        return literal_arguments(operation, arguments or {}, native=self._native)


def _until(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
