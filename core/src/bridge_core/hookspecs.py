"""The hooks of hook API 1: what a framework plugin may implement.

A plugin is a module, or an instance hashed by identity, with `BRIDGE_HOOK_API = 1`, named by an entry point of
group `bridge.plugins`. Only `bridge_framework_info` and `bridge_register_handlers` are required. Hooks take
keyword names from here, without default values, and only the ones they need. The host calls one plugin at a time,
so what one raises never reaches another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy

from ._context import Session
from ._models import FrameworkInfo, JsonValue

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["HOOK_API", "Encode", "Handler", "Register", "Runs", "hookimpl", "hookspec"]

HOOK_API = 1

hookspec = pluggy.HookspecMarker("bridge")
hookimpl = pluggy.HookimplMarker("bridge")

Handler: TypeAlias = Callable[..., Any]
"""A function `(ctx, *, name: type, …)`: its annotated keyword-only parameters are the operation's schema."""
Encode: TypeAlias = Callable[[object], JsonValue]
"""Turns a part of a value into its JSON form; raises SerializeFailedError or ValueTooComplexError."""
Runs: TypeAlias = Literal["main", "thread", "async"]
Cancellable: TypeAlias = Literal["python", "cooperative", "kill"]


class Register(Protocol):
    """Adds one operation of the plugin's framework."""

    def __call__(
        self,
        name: str,
        handler: Handler,
        /,
        *,
        streaming: bool = False,
        idempotent: bool = False,
        stateless: bool = False,
        configures: bool = False,
        runs: Runs | None = None,
        cancellable: Cancellable | None = None,
        summary: str | None = None,
    ) -> None:
        """Register a handler; its signature is compiled here and never again.

        Args:
            name: The operation's name without the framework: a lower-case identifier.
            handler: Called with a CallContext, if it has a positional parameter, and converted arguments.
            streaming: The handler returns an iterator of chunks when `ctx.streaming` is true; what the
                generator returns is the final result.
            idempotent: Doing it twice is the same as doing it once, so it may be retried.
            stateless: Neither reads nor changes the session, so any worker will do.
            configures: It configures the session as `bridge_configure` does: clients run it again on the worker that
                takes the place of a dead one.
            runs: Where: "main" (the default), "thread" (calls that wait) or "async" (every `async def`).
            cancellable: How it can be stopped: "python" (main), "cooperative" (thread, async) or "kill".
            summary: One line for people; the docstring's first line by default.

        Raises:
            TypeError: The signature cannot be a schema; the message says which parameter and why.
        """


@hookspec
def bridge_framework_info() -> FrameworkInfo:  # type: ignore[empty-body]
    """Describe the framework and what the plugin needs.

    Required. Called once when the plugin is loaded, before anything else. Must not import the framework:
    report `version=None` when it is absent. An exception makes the plugin a failure (stage "framework_info").
    """


@hookspec
def bridge_register_handlers(register: Register) -> None:
    """Register the plugin's operations.

    Required. Called once, right after `bridge_framework_info`. Must not import the framework. An exception,
    or a handler whose signature cannot be a schema, makes the plugin a failure (stage "handlers").
    """


@hookspec
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Validate and apply a configuration to one session.

    Called for the `configure` command, for the addressed plugin only, after the framework's modules are
    imported, on the main thread. Keep what it makes in `session.settings[<framework>]`, nothing global. Returns the
    effective settings with secrets redacted. Raise InvalidConfigError or InvalidArgumentsError for bad
    settings: the previous ones must then still hold. Without this hook, `configure` is refused.
    """


@hookspec(firstresult=True)
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    """Describe a framework object as JSON.

    Called for every leaf of a result that has no form on the wire, in the thread that ran the handler: the
    plugin whose operation it was first, then the others by name. `encode` turns parts of the value into JSON. None
    means "not mine". An exception fails the request (SERIALIZE_FAILED), nothing else.
    """


@hookspec(firstresult=True)
def bridge_call_context(session: Session) -> AbstractContextManager[Any]:  # type: ignore[empty-body]
    """Return a context manager in which everything of this framework runs for this session.

    Called for the addressed plugin only, before every handler; entered and left in the thread or task that
    runs the handler, around the consumption of a stream too. An exception fails the request as if the handler had
    raised.
    """


@hookspec
def bridge_shutdown() -> None:
    """Let go of what the plugin holds.

    Called at most once for each plugin in use, on the main thread, after the last handler has
    ended. Not called when a handler had to be abandoned. An exception is logged, nothing else.
    """
