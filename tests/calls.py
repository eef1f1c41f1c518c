"""Calls of a plugin's operations as the worker makes them: strict arguments, inside the plugin's call context."""

from __future__ import annotations

from collections.abc import Generator
from types import ModuleType
from typing import Any

from bridge_core import CallContext, PluginHost, PluginMetadata
from bridge_core.sessions import SessionStore

__all__ = ["PluginPeer"]


class PluginPeer:
    """One peer of a plugin, with its sessions; each call is made in the calling thread."""

    def __init__(self, plugin: ModuleType, framework: str) -> None:
        distribution = f"bridge-{framework}"
        metadata = PluginMetadata(name=framework, distribution=distribution, version="0", target=plugin.__name__)
        self.framework = framework
        self.sessions = SessionStore()
        self.host = PluginHost(strict=True)
        self.host.load(metadata, lambda: plugin)

    def call(self, operation: str, *, session: str = "a", ctx: CallContext | None = None, **arguments: Any) -> Any:
        """Call an operation and return its result."""
        ctx = ctx or self.context(operation, session)
        called = self.host.get(self.framework).operations[operation]
        parsed = called.signature.parse(arguments)
        with self.host.call_context(self.framework, ctx.session):
            return _result(called.call(ctx, parsed))

    def stream(
        self, operation: str, *, session: str = "a", ctx: CallContext | None = None, **arguments: Any
    ) -> Generator[Any, None, Any]:
        """Call an operation with streaming: yields its chunks and returns its result."""
        ctx = ctx or self.context(operation, session)
        ctx.streaming = True
        called = self.host.get(self.framework).operations[operation]
        parsed = called.signature.parse(arguments)
        with self.host.call_context(self.framework, ctx.session):
            result = yield from called.call(ctx, parsed)
        return result

    def streamed(self, operation: str, **arguments: Any) -> tuple[list[Any], Any]:
        """Return all chunks and the result of a streamed call; arguments as for `stream`."""
        chunks: list[Any] = []
        stream = self.stream(operation, **arguments)
        while True:
            try:
                chunks.append(next(stream))
            except StopIteration as stop:
                return chunks, stop.value

    def configure(self, *, session: str = "a", **config: Any) -> Any:
        """Configure the framework for a session, as the `configure` command does."""
        return self.host.configure(self.framework, config, self.sessions.get(session))

    def context(self, operation: str = "called", session: str = "a", **more: Any) -> CallContext:
        """Make the context of one call."""
        name = f"{self.framework}.{operation}"
        return CallContext(session=self.sessions.get(session), operation=name, request_id=1, **more)


def _result(value: Any) -> Any:
    """Return what a call gives a peer that wants no chunks."""
    if not isinstance(value, Generator):
        return value
    while True:
        try:
            next(value)
        except StopIteration as stop:
            return stop.value
