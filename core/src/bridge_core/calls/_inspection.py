"""What a peer is told about an object."""

from __future__ import annotations

import inspect
import reprlib
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["described", "shown", "type_name"]

_LONGEST_TEXT, _LONGEST_REPR, _MOST_NAMES = 20_000, 2000, 2000
_BRIEF = 200
# Of containers inside containers the whole text may be much longer than the containers are large.
_NESTED = frozenset([list, tuple, dict, set, frozenset, deque])
_MOST_ITEMS, _DEEPEST = 20, 4


def type_name(value: object) -> str:
    """Return `module.Class`; for JSON's own types the name alone."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def shown(value: object, longest: int = _BRIEF, *, redact: Callable[[str], str] = str) -> str:
    """Return a bounded `repr`, which is foreign code and may fail, after taking out of it what nobody may see."""
    try:
        text = _bounded(longest).repr(value) if type(value) in _NESTED else repr(value)
    except (Exception, SystemExit) as exc:  # boundary: plugin call
        text = f"<{type_name(value)}: its repr raises {type(exc).__name__}>"
    text = redact(text)
    return _sendable(text if len(text) <= longest else f"{text[: longest - 1]}…")


def _bounded(longest: int) -> reprlib.Repr:
    """Return what makes a text of some items of a container, and of some of theirs."""
    made = reprlib.Repr()
    made.maxlevel = _DEEPEST
    made.maxlist = made.maxtuple = made.maxdict = made.maxset = made.maxfrozenset = made.maxdeque = _MOST_ITEMS
    made.maxstring = made.maxlong = made.maxother = longest
    return made


def described(value: object, *, redact: Callable[[str], str] = str) -> dict[str, Any]:
    """Return type, module, text, documentation, signature and public names of an object; its text redacted."""
    return {
        "type": type_name(value),
        "module": _module(value),
        "callable": callable(value),
        "string_repr": shown(value, _LONGEST_REPR, redact=redact),
        "docstring": _cut(_docstring(value), redact),
        "signature": _cut(_signature(value), redact),
        "attributes": _names(value),
    }


def _cut(text: str | None, redact: Callable[[str], str]) -> str | None:
    """Return the beginning of a text, cut when nothing is left in it that nobody may see."""
    return None if text is None else _sendable(redact(text)[:_LONGEST_TEXT])


def _text(value: object) -> str | None:
    return _sendable(value[:_LONGEST_TEXT]) if isinstance(value, str) else None


def _sendable(text: str) -> str:
    """Return a text that has a form in UTF-8: names of files may have brought half a character along."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _module(value: object) -> str | None:
    """Return the module that something is defined in; a module's own name."""
    name = "__name__" if isinstance(value, ModuleType) else "__module__"
    try:
        return _text(getattr(value, name)) or _text(type(value).__module__)
    except Exception:  # boundary: plugin call — also when there is none
        return _text(type(value).__module__)


def _docstring(value: object) -> str | None:
    try:
        doc = inspect.getdoc(value)
        return doc if isinstance(doc, str) else None
    except Exception:  # boundary: plugin call
        return None


def _signature(value: object) -> str | None:
    """Return the signature, or what the documentation gives as one where Python knows none, as of functions in C."""
    if not callable(value):
        return None
    try:
        return str(inspect.signature(value))
    except Exception:  # boundary: plugin call — also when there is none
        first = (_docstring(value) or "").partition("\n")[0].strip()
        name = getattr(value, "__name__", "")
        return first[len(name) :] if name and first.startswith(f"{name}(") and first.endswith(")") else None


def _names(value: object) -> list[str]:
    try:
        return [_sendable(name) for name in map(str, dir(value)) if not name.startswith("_")][:_MOST_NAMES]
    except Exception:  # boundary: plugin call
        return []
