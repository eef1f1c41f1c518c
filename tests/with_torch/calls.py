"""Calls of the plugin's operations as the worker makes them, in the calling thread, with a context to look into."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from bridge_core import CallContext, PluginHost, PluginMetadata
from bridge_core.sessions import SessionStore
from bridge_transformers import plugin

__all__ = ["Peer"]

_METADATA = PluginMetadata(
    name="transformers", distribution="bridge-transformers", version="0", target="bridge_transformers.plugin"
)


class Peer:
    """One peer with its sessions."""

    def __init__(self) -> None:
        self.host = PluginHost(strict=True)
        self.host.load(_METADATA, lambda: plugin)
        self.sessions = SessionStore()

    def call(self, operation: str, *, session: str = "a", ctx: CallContext | None = None, **arguments: Any) -> Any:
        """Call an operation and return its result."""
        called = self.host.get("transformers").operations[operation]
        return called.call(ctx or self.context(session), called.signature.parse(arguments))

    def stream(self, operation: str, *, ctx: CallContext | None = None, **arguments: Any) -> Generator[Any, None, Any]:
        """Call an operation with streaming: yields its chunks and returns its result."""
        ctx = ctx or self.context()
        ctx.streaming = True
        result = yield from self.call(operation, ctx=ctx, **arguments)
        return result

    def streamed(self, operation: str, **arguments: Any) -> tuple[list[Any], Any]:
        """Return all chunks and the result of a streamed call."""
        chunks: list[Any] = []
        stream = self.stream(operation, **arguments)
        while True:
            try:
                chunks.append(next(stream))
            except StopIteration as stop:
                return chunks, stop.value

    def context(self, session: str = "a", **more: Any) -> CallContext:
        """Make the context of one call."""
        return CallContext(session=self.sessions.get(session), operation="transformers.called", request_id=1, **more)
