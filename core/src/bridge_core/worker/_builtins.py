"""The worker's own operations: handlers like any other, compiled and dispatched the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from bridge_core import __version__
from bridge_core._context import CallContext
from bridge_core._handlers import Operation
from bridge_core._models import PluginFailure
from bridge_core._plugins import LoadedPlugin
from bridge_core.errors import FrameworkNotFoundError, InvalidArgumentsError, UnsupportedProtocolError
from bridge_core.hookspecs import HOOK_API, Handler
from bridge_core.protocol import CODEC_NAMES, PROTOCOL_VERSION

from ._session_operations import SessionOperations

if TYPE_CHECKING:
    from ._dispatcher import Dispatcher
    from ._dynamic import DynamicOperations
    from ._ending import Ending

__all__ = ["Builtins"]

_FREE = frozenset(["default", "description", "examples"])


class Builtins(msgspec.Struct, eq=False, kw_only=True):
    """What every worker answers, whichever frameworks it serves."""

    dispatcher: Dispatcher
    dynamic: DynamicOperations
    ending: Ending
    mode: str
    worker_id: str

    def operations(self) -> Mapping[str, Operation]:
        """Compile them; those that run no plugin code are answered while handlers run."""
        at_once: list[Handler] = [
            self.hello,
            self.ping,
            self.get_stats,
            self.get_capabilities,
            self.describe,
            self.shutdown,
        ]
        compiled = [Operation.of(None, one.__name__, one, runs="reader", idempotent=True) for one in at_once]
        configures = Operation.of(None, "configure", self.configure, runs="main", idempotent=True, configures=True)
        compiled += [configures, *SessionOperations(self.dispatcher).operations(), *self.dynamic.operations()]
        return {operation.name: operation for operation in compiled}

    def hello(
        self,
        *,
        protocol: tuple[int, int] = (PROTOCOL_VERSION, PROTOCOL_VERSION),
        want: list[str] | None = None,
        safe_integers: bool = False,
        resolve_strings: bool = False,
        **extra: object,
    ) -> dict[str, Any]:
        """Agree on a protocol version, and say which events are wanted and how values are to be understood."""
        oldest, newest = protocol
        if not oldest <= PROTOCOL_VERSION <= newest:
            raise UnsupportedProtocolError(
                f"this worker speaks protocol {PROTOCOL_VERSION}, the peer {oldest} to {newest}; update the older one",
                ours=[PROTOCOL_VERSION, PROTOCOL_VERSION],
                theirs=[oldest, newest],
            )
        self.dispatcher.connection.accept_hello(
            want=want or [], safe_integers=safe_integers, resolve_strings=resolve_strings
        )
        return {
            "protocol": PROTOCOL_VERSION,
            "worker_id": self._id(),
            "core_version": __version__,
            "codecs": [*CODEC_NAMES],
            "frameworks": self._frameworks(),
            "configures": [name for name, one in self.dispatcher.catalogue.all().items() if one.configures],
            "limits": msgspec.to_builtins(self.dispatcher.limits),
        }

    def ping(self, **extra: object) -> dict[str, Any]:
        """Say that the worker is alive, at any moment."""
        dispatcher = self.dispatcher
        return {
            "status": "ok",
            "timestamp": dispatcher.clock(),
            "uptime": dispatcher.stats.uptime,
            "mode": self.mode,
            "worker_id": self._id(),
            "framework": dispatcher.catalogue.default,
            "frameworks_available": self._frameworks(),
            "stored_objects": dispatcher.sessions.stored_objects(),
            "requests_handled": dispatcher.stats.requests,
            "failures": [failure.name for failure in dispatcher.plugins.failures],
            "bridge_type": "python",
        }

    def get_stats(self) -> dict[str, Any]:
        """Count requests and errors, in all and per operation, with latencies."""
        stats = self.dispatcher.stats
        return {
            "command_count": stats.requests,
            "error_count": stats.errors,
            "uptime": stats.uptime,
            "started": stats.started,
            "framework": self.dispatcher.catalogue.default,
            "mode": self.mode,
            "worker_id": self._id(),
            "in_flight": len(self.dispatcher.calls),
            "commands": stats.by_operation(),
        }

    def get_capabilities(self) -> dict[str, Any]:
        """List what this worker can do: operations with their schemas, plugins, failures, protocol."""
        dispatcher = self.dispatcher
        operations = dispatcher.catalogue.all()
        return {
            "framework": dispatcher.catalogue.default,
            "supported_operations": [*operations],
            "mode": self.mode,
            "worker_id": self._id(),
            "operations": {name: self._shown(operation) for name, operation in operations.items()},
            "protocol": [PROTOCOL_VERSION, PROTOCOL_VERSION],
            "codecs": [*CODEC_NAMES],
            "hook_api": HOOK_API,
            "core_version": __version__,
            "limits": msgspec.to_builtins(dispatcher.limits),
            "plugins": {name: self._describe(plugin) for name, plugin in dispatcher.plugins.plugins.items()},
            "failures": [self._failed(failure) for failure in dispatcher.plugins.failures],
        }

    def describe(
        self, ctx: CallContext, *, operation: str | None = None, framework: str | None = None
    ) -> dict[str, Any]:
        """Describe one operation, or one framework with its operations."""
        framework = framework or ctx.framework
        if operation is not None:
            return self._shown(self.dispatcher.catalogue.find(operation, framework))
        if framework is None:
            raise InvalidArgumentsError("$: say which `operation` or which `framework`", path="$")
        plugin = self.dispatcher.plugins.get(framework)
        own = [self._shown(one) for one in sorted(plugin.operations.values(), key=lambda one: one.name)]
        return {**self._describe(plugin), "operations": own}

    def configure(self, ctx: CallContext, *, config: dict[str, Any], framework: str | None = None) -> dict[str, Any]:
        """Configure one framework for this session; answers with the effective settings, secrets redacted."""
        dispatcher = self.dispatcher
        name = framework or ctx.framework or dispatcher.catalogue.default
        if name is None:
            served = ", ".join(self._frameworks())
            raise FrameworkNotFoundError(f"say which framework to configure; served here: {served or 'none'}")
        effective = dispatcher.configure(name, dispatcher.revealed(config, ctx), ctx)
        return {"status": "configured", "framework": name, "config": effective}

    def shutdown(self) -> dict[str, Any]:
        """Answer, finish what was accepted, and end."""
        self.ending.begin("shutdown")
        return {"status": "shutting_down", "worker_id": self._id(), "mode": self.mode}

    def _frameworks(self) -> list[str]:
        return sorted(self.dispatcher.plugins.plugins)

    # What follows is said without secrets: texts of others, beside names that stay what they are.

    def _id(self) -> str:
        return self.dispatcher.redactor.redact(self.worker_id)

    def _describe(self, plugin: LoadedPlugin) -> dict[str, Any]:
        info = msgspec.json.decode(msgspec.json.encode(plugin.info))  # as plain JSON: tuples as arrays
        return {
            **self.dispatcher.redactor.scrub(info),
            "name": plugin.info.name,
            "plugin": f"{plugin.metadata.distribution} {plugin.metadata.version}",
        }

    def _failed(self, failure: PluginFailure) -> dict[str, Any]:
        redact, told = self.dispatcher.redactor.redact, msgspec.to_builtins(failure)
        return {**told, "cause": redact(failure.cause), "remedy": redact(failure.remedy)}

    def _shown(self, operation: Operation) -> dict[str, Any]:
        redactor, told = self.dispatcher.redactor, operation.describe()
        if operation.framework is None or not redactor:
            return told
        schemas = {name: _with_free_parts(told[name], redactor.scrub) for name in operation.signature.schemas}
        return {**told, "summary": redactor.redact(operation.summary), **schemas}


def _with_free_parts(schema: Any, scrub: Callable[[Any], Any]) -> Any:
    """Return a JSON Schema after scrubbing what its author wrote or computed: defaults, descriptions and the like."""
    if isinstance(schema, list):
        return [_with_free_parts(one, scrub) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: scrub(one) if key in _FREE else _with_free_parts(one, scrub) for key, one in schema.items()}
