"""A plugin of hook API 1 made of an old class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge_core._context import CallContext, Session
from bridge_core._models import FrameworkInfo, JsonValue, PluginMetadata
from bridge_core._plugins import PluginHost
from bridge_core.errors import PluginConflictError
from bridge_core.hookspecs import HOOK_API, Encode, Handler, Register, hookimpl
from bridge_core.secrets import Secrets

from ._adopted import Adopted
from ._answers import as_json, checked
from ._brought import brought_class
from ._conventions import call_of
from ._failures import load_failed
from ._handlers import handler_of, streams, summary_of
from ._names import framework_name, operation_names
from ._shapes import is_plugin

__all__ = ["add_bridge", "as_plugin"]

_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)


class OldPlugin:
    """The hooks, answered by an old class.

    Args:
        adopted: The object of that class.
    """

    BRIDGE_HOOK_API = HOOK_API

    def __init__(self, adopted: Adopted) -> None:
        self._adopted = adopted
        kind = adopted.kind
        self.framework = framework_name(adopted.info["name"], kind.__module__.rpartition(".")[2], kind.__name__)
        self._operations = operation_names(adopted.handlers)
        self._made = {old: self._handler(old) for old in self._operations}

    def wire_names(self) -> dict[str, str]:
        """Return what peers may say for operations besides their own names: the old ones, `name:` in front or not."""
        full = {old: f"{self.framework}.{new}" for old, new in self._operations.items()}
        prefixes = {str(self._adopted.info["name"] or self.framework), self.framework}
        said = {old: name for old, name in full.items() if old != self._operations[old]}
        said.update((f"{prefix}:{old}", name) for prefix in prefixes for old, name in full.items())
        said.update((f"common:{old}", old) for old in full if old == self._operations[old])
        return said

    @hookimpl
    def bridge_framework_info(self) -> FrameworkInfo:
        """Repeat what the class says, as far as it is of the right types."""
        info = self._adopted.info
        capabilities = info.get("capabilities")
        listed = capabilities if isinstance(capabilities, (list, tuple, set, frozenset, Mapping)) else ()
        return FrameworkInfo(
            name=self.framework,
            distribution=str(info.get("distribution") or info["name"] or self.framework),
            version=None if info.get("version") is None else str(info["version"]),
            capabilities=tuple(str(one) for one in listed),
        )

    @hookimpl
    def bridge_register_handlers(self, register: Register) -> None:
        """Register each old handler under a name that operations may have."""
        for old, name in self._operations.items():
            handler = self._adopted.handlers[old]
            register(name, self._made[old], streaming=streams(handler), summary=summary_of(handler, old))

    @hookimpl
    def bridge_serialize_result(self, value: object, encode: Encode) -> JsonValue:
        """Ask the class, if it serialises results."""
        serialise = getattr(self._adopted.object, "serialize_result", None)
        form = serialise(value) if callable(serialise) else None
        return None if form is None else encode(as_json(form))

    @hookimpl
    def bridge_shutdown(self) -> None:
        """Have the object clean up."""
        self._adopted.end()

    def _handler(self, old: str) -> Handler:
        try:
            return handler_of(self._adopted.handlers[old], self._adopted.initialise)
        except TypeError as exc:
            cause = f"the handler of {old!r}: {exc}"
            raise load_failed(self._adopted.label, "handlers", cause, "let it take one dict of arguments") from exc


class ConfigurableOldPlugin(OldPlugin):
    """The hooks of a class that can be configured: as a whole, not for one session."""

    @hookimpl
    def bridge_configure(self, config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
        """Give the class the settings; returns those that it returns, or was given, without what looks secret."""
        self._adopted.initialise()
        call = call_of(self._adopted.object.configure)
        name = f"{self.framework}.configure"
        secrets = Secrets(_secrets_in(config))
        try:
            given = call(CallContext(session=session, operation=name, request_id=0), dict(config))
            answer = checked(given, name)
        except Exception as exc:  # boundary: plugin call
            if redacted := secrets.redacted(exc):
                raise redacted from None
            raise
        settings = answer if isinstance(answer, Mapping) and answer else config
        shown: Mapping[str, Any] = _shown(settings, secrets)
        return shown


def as_plugin(kind: type, /, *, mode: str = "standalone", worker_id: str | None = None) -> object:
    """Return a plugin that serves an old class, for `loopback` or as the object of an entry point.

    Args:
        kind: A class with `_register_handlers` or `_register_commands`, or with `name` and `load`.
        mode: Given to its constructor, if that takes it.
        worker_id: The same.

    Raises:
        PluginLoadFailedError: It is no such class, cannot be made, or does not say what it serves.
    """
    return _plugin_of(kind, f"{kind.__module__}:{kind.__qualname__}", mode=mode, worker_id=worker_id)


def add_bridge(plugins: PluginHost, label: str, *, mode: str, worker_id: str) -> dict[str, str]:
    """Load an old class beside the plugins, and return what peers may say for its operations besides their names.

    Raises:
        PluginLoadFailedError: It cannot be served; the message says why and what to do.
        PluginConflictError: An installed plugin serves a framework of the same name.
    """
    kind = brought_class(label)
    plugin = _plugin_of(kind, label, mode=mode, worker_id=worker_id)
    name = plugin.framework
    if name in plugins.plugins:
        other = plugins.plugins[name].metadata.distribution
        both = f"{label} and {other} both serve the framework {name!r}"
        raise PluginConflictError(f"{both}; serve one of them", framework=name)
    version = str(getattr(kind, "__version__", "") or plugin.bridge_framework_info().version or "0")
    plugins.load(PluginMetadata(name=name, distribution=label, version=version, target=label), lambda: plugin)
    plugins.get(name)
    return plugin.wire_names()


def _plugin_of(kind: type, label: str, *, mode: str, worker_id: str | None) -> OldPlugin:
    adopted = Adopted(kind, label, {"mode": mode, "worker_id": worker_id})
    configurable = is_plugin(kind) and callable(getattr(kind, "configure", None))
    return ConfigurableOldPlugin(adopted) if configurable else OldPlugin(adopted)


def _secrets_in(value: Any, *, named: bool = False) -> list[str]:
    """Return the texts below names that are those of secrets."""
    if isinstance(value, Mapping):
        return [one for key, item in value.items() for one in _secrets_in(item, named=named or _is_secret(key))]
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in _secrets_in(item, named=named)]
    return [value] if named and isinstance(value, str) else []


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and bool(_SECRET.search(name))


def _shown(value: Any, secrets: Secrets) -> Any:
    if isinstance(value, Mapping):
        return {key: "[redacted]" if _is_secret(key) else _shown(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item, secrets) for item in value]
    return secrets.redact(value) if isinstance(value, str) else value
