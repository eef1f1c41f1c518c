"""The chunks of one call, as they come."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from ._link import Link
from ._replies import Reply

__all__ = ["Stream"]


class Stream:
    """An iterator over chunks, for one thread; `result` is what the operation returned after the last one.

    Left before its end it must be closed, or used in a `with` statement: what still comes is then dropped.
    """

    def __init__(self, link: Link, reply: Reply, outcome: Callable[[Reply], Any], owner: object = None) -> None:
        self._owner = owner  # a Bridge ends its workers when nothing refers to it any more
        self._link = link
        self._reply = reply
        self._outcome = outcome
        self.result: Any = None
        """None until the stream has ended."""

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        """Return the next chunk, waiting for it.

        Raises:
            BridgeError: The operation failed; the chunks before that were delivered.
        """
        reply = self._reply
        while not reply.chunks:
            if reply.done:
                self.result = self._outcome(reply)
                raise StopIteration
            reply.ready = False
            if not reply.chunks and not reply.done:  # or else something has just come
                self._link.wait(reply)
        return reply.take_chunk()

    def close(self) -> None:
        """Take no more; again does nothing."""
        self._link.abandon(self._reply)
        self._reply.chunks = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
