"""Listed names as the objects that they mean, and what is behind the objects that a walk comes upon."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import BuiltinMethodType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any

__all__ = ["Located", "home_of", "is_method", "qualname_of", "receiver_of", "underlying"]

_ABSENT: Any = object()
_BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)


class Located:
    """Callables and members of classes that are listed by name, known again by identity.

    A name is looked up as soon as its module has been imported: nothing is imported here.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._missing = set(names)
        self._callables: list[tuple[str, Any]] = []
        self._members: dict[type, dict[str, tuple[str, Any]]] = {}

    def has(self, value: object) -> bool:
        """Whether the callable is listed, be it bound to something, or a class."""
        return self.listed(value) is not None

    def listed(self, value: object) -> str | None:
        """Return how the callable is listed, None if it is not."""
        self._look()
        return next((name for name, one in self._callables if one is value), None)

    def has_member(self, kind: type, name: str) -> bool:
        """Whether this name of exactly this class is listed."""
        return self.listed_member(kind, name) is not None

    def listed_member(self, kind: type, name: str) -> str | None:
        """Return how this name of exactly this class is listed, None if it is not."""
        self._look()
        found = self._members.get(kind, {}).get(name)
        return None if found is None else found[0]

    def has_function(self, function: object) -> bool:
        """Whether the function is listed, as a callable or as a member of whatever class."""
        self._look()
        members = (one for listed in self._members.values() for _, one in listed.values())
        return self.has(function) or any(function is one for one in members)

    def _look(self) -> None:
        for name in [name for name in self._missing if name.partition(".")[0] in sys.modules]:
            parent, value = _find(name)
            if value is _ABSENT:
                continue
            self._missing.discard(name)
            if isinstance(parent, type):
                self._members.setdefault(parent, {})[name.rpartition(".")[2]] = (name, underlying(value))
            else:
                self._callables.append((name, underlying(value)))


def _find(name: str) -> tuple[Any, Any]:
    """Return what holds the named object, and the object."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if module is not None:
            break
    else:
        return None, _ABSENT
    parent, value = None, module
    for part in parts[end:]:
        try:
            parent, value = value, getattr(value, part)
        except Exception:  # boundary: plugin call — what is not there, or cannot be imported now
            return None, _ABSENT
    return parent, value


def receiver_of(value: object) -> Any:
    """Return what a bound method is bound to; None for anything else, and for the functions of a module."""
    if not isinstance(value, _BOUND):
        return None
    owner = value.__self__
    # Functions of modules that are written in C++ have a capsule there.
    return None if isinstance(owner, ModuleType) or type(owner).__name__ == "PyCapsule" else owner


def is_method(receiver: object, value: object, name: str) -> bool:
    """Whether a bound method is its receiver's by this name, and not a foreign function that was bound to it."""
    function = underlying(value)
    for kind in (receiver if isinstance(receiver, type) else type(receiver)).__mro__:
        if name in vars(kind):
            held = vars(kind)[name]
            if held is function or getattr(held, "__func__", None) is function:
                return True
            # What makes methods when asked for them, such as scikit-learn's `available_if`.
            return not isinstance(held, (FunctionType, classmethod, staticmethod)) and hasattr(type(held), "__get__")
    return False


def underlying(value: object) -> Any:
    """Return the function behind a bound method; the value itself if it is none."""
    if isinstance(value, MethodType):
        return underlying(value.__func__)
    owner = receiver_of(value)
    if owner is None:
        return value
    name: str = value.__name__  # type: ignore[attr-defined]  # bound methods have one
    for kind in (owner if isinstance(owner, type) else type(owner)).__mro__:
        if name in vars(kind):
            return vars(kind)[name]
    return value


def home_of(value: object) -> str:
    """Return the module that a callable or class is of; for other objects, that of their class."""
    kind = type(value)
    try:
        module = getattr(value, "__module__", None)
        if not isinstance(module, str):
            module = getattr(getattr(value, "__objclass__", kind), "__module__", "")
    except Exception:  # boundary: plugin call
        module = kind.__dict__.get("__module__")
    return module if isinstance(module, str) else ""


def qualname_of(value: object) -> str:
    """Return the name of a function or class in its module; nothing for other objects, which are not asked."""
    if not callable(value) or type(value).__module__.partition(".")[0] not in ("builtins", "functools"):
        return value.__qualname__ if isinstance(value, type) else ""
    name = getattr(value, "__qualname__", "")
    return name if isinstance(name, str) else ""
