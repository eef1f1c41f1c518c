"""Calls of the plugin's operations as the worker makes them: strict arguments, inside the plugin's call context."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import attrs

from bridge_core import CallContext, PluginHost, PluginMetadata
from bridge_core.sessions import SessionStore
from bridge_dspy import plugin

__all__ = ["Peer"]

_METADATA = PluginMetadata(name="dspy", distribution="bridge-dspy", version="0", target="bridge_dspy.plugin")


def _host() -> PluginHost:
    host = PluginHost(strict=True)
    host.load(_METADATA, lambda: plugin)
    return host


@attrs.define(eq=False)
class Peer:
    """One peer with its sessions; each call is made in the calling thread."""

    host: PluginHost = attrs.field(factory=_host)
    sessions: SessionStore = attrs.field(factory=SessionStore)

    def call(self, operation: str, *, session: str = "a", **arguments: Any) -> Any:
        """Call an operation and return its result."""
        ctx = self.context(operation, session)
        called = self.host.get("dspy").operations[operation]
        parsed = called.signature.parse(arguments)
        with self.host.call_context("dspy", ctx.session):
            return called.call(ctx, parsed)

    def stream(
        self, operation: str, *, session: str = "a", ctx: CallContext | None = None, **arguments: Any
    ) -> Generator[Any, None, Any]:
        """Call an operation with streaming: yields its chunks and returns its result."""
        ctx = ctx or self.context(operation, session)
        ctx.streaming = True
        called = self.host.get("dspy").operations[operation]
        parsed = called.signature.parse(arguments)
        with self.host.call_context("dspy", ctx.session):
            result = yield from called.call(ctx, parsed)
        return result

    def streamed(self, operation: str, *, session: str = "a", **arguments: Any) -> tuple[list[Any], Any]:
        """Return all chunks and the result of a streamed call."""
        chunks: list[Any] = []
        stream = self.stream(operation, session=session, **arguments)
        while True:
            try:
                chunks.append(next(stream))
            except StopIteration as stop:
                return chunks, stop.value

    def configure(self, *, session: str = "a", **config: Any) -> Any:
        """Configure the framework for a session, as the `configure` command does."""
        return self.host.configure("dspy", config, self.sessions.get(session))

    def context(self, operation: str, session: str = "a") -> CallContext:
        """Make the context of one call."""
        return CallContext(session=self.sessions.get(session), operation=f"dspy.{operation}", request_id=1)
