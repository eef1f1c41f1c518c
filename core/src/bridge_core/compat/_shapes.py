"""What old bridges look like, and how much of that a class must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["REGISTERING", "STORES", "SUPPORTED", "initialiser_of", "is_bridge", "is_plugin", "stored_in"]

REGISTERING = ("_register_handlers", "_register_commands", "register_commands")
"""One of them makes a class a bridge: it registers, or returns, handlers by name."""
STORES = (
    "_handlers", "handlers", "_command_handlers", "command_handlers", "_commands", "commands", "_command_registry",
    "command_registry", "commands_registry",
)  # fmt: skip
"""Where base classes keep handlers by name."""
SUPPORTED = (
    "`_register_handlers` (with `_initialize_framework` and `get_framework_info`), `_register_commands` or, for a"
    " framework plugin, `name` and `load`"
)


def is_bridge(kind: type) -> bool:
    """Return whether a class registers handlers."""
    return any(callable(getattr(kind, name, None)) for name in REGISTERING)


def is_plugin(kind: type) -> bool:
    """Return whether a class, which is no bridge, loads a framework: its `name` may come when it is made."""
    return not is_bridge(kind) and callable(getattr(kind, "load", None))


def initialiser_of(kind: type) -> str | None:
    """Return the name of what brings the framework in, None if nothing does."""
    if callable(getattr(kind, "_initialize_framework", None)):
        return "_initialize_framework"
    return "load" if is_plugin(kind) else None


def stored_in(value: object) -> dict[str, Any]:
    """Return the handlers that an object keeps under the usual names."""
    found: dict[str, Any] = {}
    for name in STORES:
        kept = getattr(value, name, None)
        if isinstance(kept, Mapping):
            found.update(kept)
    return found
