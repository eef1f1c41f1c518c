"""Targets of dynamic calls: from a dotted name, or a stored object and names below it, to what it means."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bridge_core._context import Session
from bridge_core.errors import BadTargetError, RefNotFoundError, TargetNotFoundError

from ._names import LONGEST, check_length, check_segment, refusal, segments_of
from ._policy import Policy

__all__ = ["Found", "Targets"]

_STORED = "stored"


class Found(Struct, frozen=True, eq=False):
    """What a target means."""

    value: Any
    owner: Any
    """The object whose attribute or item it is: a module, a stored object or a part of one."""
    stand_in: Any = None
    """What a plugin has called instead: with the request's context first, then with the object if that is called."""


class Targets:
    """Finds what targets mean, as far as a policy allows; imports modules that it allows.

    Args:
        policy: The policy.
        importing: Called with the name of a module before it is imported.
    """

    def __init__(self, policy: Policy, importing: Callable[[str], object]) -> None:
        self.policy = policy
        self._importing = importing

    def find(self, target: str, session: Session, *, modules: bool = False) -> Found:
        """Return what a target means.

        Args:
            target: `package.module.name…`, or `stored.<id>` and perhaps names behind it.
            session: Whose objects are meant.
            modules: Whether it may be a module.

        Raises:
            BadTargetError: It is no dotted name.
            TargetNotAllowedError: The policy does not allow it.
            TargetNotFoundError: There is no such thing.
            RefNotFoundError: The session has no such object.
        """
        if target.startswith(f"{_STORED}."):
            return self._find_stored(target, session)
        segments = segments_of(target)
        for number, segment in enumerate(segments, 1):
            check_segment(target, segment, last=number == len(segments))
        return self._find_named(target, segments, modules=modules)

    def part(self, target: str, owner: object, name: str, *, last: bool = True) -> Any:
        """Return what an object has under a name.

        Raises:
            TargetNotAllowedError, TargetNotFoundError: As for `find`.
        """
        check_length(name)
        check_segment(target, name, last=last)
        if name == "__call__":
            self.policy.check_callable(target, owner)
            return owner
        self.policy.check_owner(target, owner, name)
        value = _attribute(target, owner, name)
        self.policy.check_member(target, owner, name, value)
        return value

    def _find_stored(self, target: str, session: Session) -> Found:
        rest = target.partition(".")[2]
        if not rest:
            raise BadTargetError("$.target: 'stored.' must be followed by an id", path="$.target")
        check_length(target)
        key, value = _stored(session, rest)
        if key == rest:
            self.policy.check_object(target, value)
            return self._object(value, session)
        owner = value
        segments = segments_of(rest[len(key) + 1 :])
        for number, name in enumerate(segments, 1):
            owner, value = value, self.part(target, value, name, last=number == len(segments))
        return self._object(value, owner)

    def _object(self, value: Any, owner: Any) -> Found:
        stand_in = self.policy.stand_in_of(value)
        if stand_in is None:
            return Found(value, owner)
        return Found(value, owner, functools.partial(_called_with, _loaded(stand_in), value))

    def _find_named(self, target: str, segments: list[str], *, modules: bool) -> Found:
        if not (self.policy.could_mean(target) or (modules and self.policy.may_import(target))):
            raise refusal(target, "the operator allows no such name, and no plugin vouches for it")
        value, used = self._module(target, segments, modules=modules)
        if stand_in := self.policy.stand_in(target):
            function = _loaded(stand_in)
            return Found(function, value, function)
        owner: Any = None
        home = ".".join(segments[:used])  # the name by which it was imported: `os.path` has another one
        for number, name in enumerate(segments[used:], used + 1):
            last = number == len(segments)
            owner = value
            if not isinstance(owner, _MODULE):
                value = self.part(target, owner, name, last=last)
                continue
            reached = ".".join(segments[:number])
            self.policy.check_name(target, home, reached, last=last)
            value = _attribute(target, owner, name)
            self.policy.check_value(target, home, reached, value)
            home = getattr(value, "__name__", "") if isinstance(value, _MODULE) else home
        if isinstance(value, _MODULE) and not modules:
            raise refusal(target, "it is a module; name something in it")
        return Found(value, owner)

    def _module(self, target: str, segments: list[str], *, modules: bool) -> tuple[Any, int]:
        """Import the longest prefix that can be imported and return the module and how many segments it took."""
        allowed = False
        for used in range(len(segments) if modules else len(segments) - 1, 0, -1):
            name = ".".join(segments[:used])
            if not self.policy.may_import(name):
                continue
            allowed = True
            self._importing(name)
            module = _imported(target, name)
            if module is not None:
                return module, used
        if not allowed or not self.policy.may_import(segments[0]):
            raise refusal(target, "no module that it leads to is allowed")
        root = segments[0]
        raise TargetNotFoundError(
            f"{target}: there is no module {root!r} in this worker's environment; install what has it", target=target
        )


_MODULE = type(sys)


def _stored(session: Session, rest: str) -> tuple[str, Any]:
    """Return the object with the longest id that the text begins with."""
    key = rest
    while True:
        try:
            return key, session.objects.get(key)
        except RefNotFoundError:
            if "." not in key:
                raise
            key = key.rpartition(".")[0]


def _imported(target: str, name: str) -> Any:
    """Return a module; None if there is none of this name, because it is that of something inside a module."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        missing = exc.name or ""
        if name == missing or name.startswith(f"{missing}."):
            return None
        raise TargetNotFoundError(
            f"{target}: {name} needs the module {missing!r}, which is not there", target=target
        ) from exc
    except ImportError as exc:
        raise TargetNotFoundError(f"{target}: {name} cannot be imported: {exc}", target=target) from exc


def _loaded(reference: str) -> Any:
    """Return what a plugin names as `module:name`."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def _called_with(function: Any, value: Any, ctx: Any, /, *args: Any, **kwargs: Any) -> Any:
    return function(ctx, value, *args, **kwargs)


def _attribute(target: str, owner: object, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        what = getattr(owner, "__name__", "") if isinstance(owner, _MODULE) else type(owner).__qualname__
        target = target[:LONGEST]
        raise TargetNotFoundError(f"{ascii(target)[1:-1]}: {what} has no {name!r}", target=target) from None
