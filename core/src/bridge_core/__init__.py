"""Bridge: use Python ML frameworks out of process, through one protocol.

Everything is imported on first use: the worker's entry must reach its first line before anything else is loaded.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing `typing` would be most of what this import costs
if TYPE_CHECKING:
    from ._context import CallContext, ObjectStore, Session
    from ._distributions import installed_plugins, installed_version
    from ._handlers import parse_arguments
    from ._models import FrameworkInfo, JsonValue, PluginFailure, PluginMetadata
    from ._plugins import PluginHost
    from .client import Bridge, BridgeSession, Ref, Step
    from .client._async import AsyncBridge, AsyncBridgeSession
    from .client._async_dynamic import AsyncRef
    from .errors import BridgeError
    from .hookspecs import HOOK_API, Encode, Register, hookimpl

__version__ = "0.1.0"

_HOME = {
    "AsyncBridge": "client._async",
    "AsyncBridgeSession": "client._async",
    "AsyncRef": "client._async_dynamic",
    "Bridge": "client",
    "BridgeError": "errors",
    "BridgeSession": "client",
    "CallContext": "_context",
    "Encode": "hookspecs",
    "FrameworkInfo": "_models",
    "HOOK_API": "hookspecs",
    "JsonValue": "_models",
    "ObjectStore": "_context",
    "PluginFailure": "_models",
    "PluginHost": "_plugins",
    "PluginMetadata": "_models",
    "Ref": "client",
    "Register": "hookspecs",
    "Session": "_context",
    "Step": "client",
    "hookimpl": "hookspecs",
    "installed_plugins": "_distributions",
    "installed_version": "_distributions",
    "parse_arguments": "_handlers",
}

__all__ = [
    "HOOK_API", "AsyncBridge", "AsyncBridgeSession", "AsyncRef", "Bridge", "BridgeError", "BridgeSession",
    "CallContext", "Encode", "FrameworkInfo", "JsonValue", "ObjectStore", "PluginFailure", "PluginHost",
    "PluginMetadata", "Ref", "Register", "Session", "Step", "hookimpl", "installed_plugins",
    "installed_version", "parse_arguments",
]  # fmt: skip


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOME:
        value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value  # the next access costs nothing
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
