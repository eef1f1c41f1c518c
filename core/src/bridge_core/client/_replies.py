"""What a request gets back: chunks, then one outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from bridge_core.errors import InternalError

from ._leadership import Waiter

__all__ = ["Reply"]

_INTERRUPTED = InternalError("the answer was lost while it was delivered, as by Ctrl-C")


class Reply(Waiter):
    """The answer to one request, on its way or here; `ready` says that there is something to take.

    Who reads the connection fills it, one consumer empties it.
    """

    __slots__ = (
        "_claim", "_on_success", "chunks", "done", "error", "id", "notify", "operation", "result", "sent", "session_id",
        "until",
    )  # fmt: skip

    def __init__(
        self,
        id: int,
        operation: str,
        session_id: str,
        until: float | None,
        on_success: Callable[[Any], None] | None,
    ) -> None:
        self.ready = self.urgent = False  # not by the base class: one is made for each call
        self.wake = None
        self.id = id
        self.operation = operation
        self.session_id = session_id
        self.until = until
        """When the caller gives up (`time.monotonic()`)."""
        self.chunks: deque[Any] | None = None
        self.result: Any = None
        self.error: BaseException | None = _INTERRUPTED
        self._claim = iter((True,))  # `next` is atomic: of two outcomes one comes first
        self.sent = True
        """False if the worker had ended before the request could be sent."""
        self.done = False
        """Whether `result` or `error` is the outcome."""
        self.notify: Callable[[Reply], None] | None = None
        """Called by the reading thread after something was added."""
        self._on_success = on_success

    def add(self, chunk: Any) -> None:
        """Add a chunk."""
        chunks = self.chunks
        if chunks is None:
            chunks = self.chunks = deque()
        chunks.append(chunk)  # which another thread may just have let go of
        self.ready = True
        if self.notify is not None:
            self.notify(self)

    def end(self, result: Any, error: BaseException | None) -> bool:
        """Add the outcome; return False, and do nothing, if there is one."""
        if not next(self._claim, False):
            return False
        try:
            self.result, self.error = result, error
            if self._on_success is not None and error is None:
                self._on_success(result)
            self.done = True
            if self.notify is not None:
                self.notify(self)
        finally:  # also when Ctrl-C came here
            self.done = True
            self.ready = True  # last: a thread that waits for a future finds it finished
        return True

    def take(self) -> Any:
        """Return the result.

        Raises:
            BridgeError: What went wrong instead.
        """
        if self.error is not None:
            raise self.error
        return self.result

    def take_chunk(self) -> Any:
        """Return the next chunk.

        Raises:
            IndexError: There is none.
        """
        if self.chunks is None:
            raise IndexError
        return self.chunks.popleft()
