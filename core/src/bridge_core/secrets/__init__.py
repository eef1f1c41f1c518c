"""For plugins that are given keys: what is secret, and texts and exceptions without it.

Imported on first use: a worker that is told no secret does not pay for any of this.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._credentials import Credentials
    from ._redaction import Secrets

__all__ = ["Credentials", "Secrets"]

_HOME = {"Credentials": "_credentials", "Secrets": "_redaction"}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _HOME:
        value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
