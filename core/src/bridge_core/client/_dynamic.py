"""The verbs for dynamic calls, of any library that a worker's policy allows, and refs for its live objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from . import _verbs as verbs
from ._given import merged, until_of
from ._objects import Objects
from ._refs import GONE, AnyRef, Home, Key
from ._steps import Step

__all__ = ["DynamicVerbs", "Ref"]


class DynamicVerbs(ABC):
    """What a session can do with any library: call its functions, and keep and use its objects.

    An object that has no form on the wire stays in the worker, and a Ref stands for it: in results, and in arguments.
    Other arguments are never mistaken for objects, whatever text or keys are in them.

    Which worker is meant: that of `framework`; or the one that holds the objects in question; or that of the framework
    with which a target begins, as `dspy.Predict`; or else that of the default framework.
    """

    _objects: Objects

    def call(
        self,
        target: str,
        /,
        *args: Any,
        store_as: str | None = None,
        by_value: bool = False,
        attribute: bool = False,
        timeout: float | None = None,
        framework: str | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """Call a function, class or method, and return its result; a target that is no callable is read.

        Args:
            target: A dotted name, as `statistics.mean`, or `stored.<id>` with or without names behind it.
            args: Positional arguments; a Ref, or an item of it, stands for the object.
            store_as: The id under which the result is kept; what is not plain JSON then comes back as a Ref.
            by_value: Whether it comes back by value although it is kept.
            attribute: Whether the target is read, not called.
            timeout: Seconds, as for `run`.
            framework: Whose worker.
            kwargs: Keyword arguments of the target, also of names such as `timeout` that mean something here.
            more: Keyword arguments of the target.

        Raises:
            TargetNotAllowedError: The worker's policy does not allow it.
            BridgeError: As for `run`.
        """
        verb = verbs.call(
            target,
            args,
            merged(kwargs, more),
            store_as=store_as,
            by_value=by_value,
            attribute=attribute,
            framework=framework,
        )
        return self._perform(verb, until_of(timeout))

    def pipeline(
        self,
        steps: Sequence[Step],
        /,
        *,
        rollback: bool = False,
        timeout: float | None = None,
        framework: str | None = None,
    ) -> list[Any]:
        """Make several calls in one request, and return their results.

        Args:
            steps: The calls; a Step, or an item of it, is an argument of later ones, and stands for its result.
            rollback: Whether the objects that it has stored are released if a step fails.
            timeout: Seconds for all of it.
            framework: Whose worker.

        Raises:
            BridgeError: What went wrong in a step; `details` says in which, and what was completed before.
        """
        verb = verbs.pipeline(steps, rollback=rollback, framework=framework)
        results: list[Any] = self._perform(verb, until_of(timeout))
        return results

    def inspect(self, target: str, /, *, timeout: float | None = None, framework: str | None = None) -> Any:
        """Return type, signature, documentation and attributes of a target, which may also be a module."""
        return self._perform(verbs.inspect(target, framework=framework), until_of(timeout))

    def set_attribute(
        self, target: str, value: Any, /, *, timeout: float | None = None, framework: str | None = None
    ) -> None:
        """Set an attribute of a stored object: the target is `stored.<id>.<name>`."""
        self._perform(verbs.set_attribute(target, value, framework=framework), until_of(timeout))

    def store(self, id: str, value: Any, /, *, timeout: float | None = None, framework: str | None = None) -> Ref:
        """Keep a value, or an object that a Ref stands for, under an id, and return a Ref for it.

        Raises:
            RefExistsError: The session has an object with this id.
        """
        self._perform(verbs.store(id, value, framework=framework), until_of(timeout))
        return self.ref(id, framework=framework)

    def retrieve(self, id: str, /, *, timeout: float | None = None, framework: str | None = None) -> Any:
        """Return a stored object by value; what has no form on the wire is a Ref.

        Raises:
            RefNotFoundError: The session has no such object.
        """
        return self._perform(verbs.retrieve(id, framework=framework), until_of(timeout))

    def ref(self, id: str, /, *, framework: str | None = None) -> Ref:
        """Return a Ref for whatever the session keeps under an id; nobody is asked whether there is such an object."""
        return self._objects.named(id, framework, self._ref)

    def list_stored(self, *, timeout: float | None = None, framework: str | None = None) -> list[str]:
        """Return the ids of all objects that the session keeps, or of those in the worker of one framework."""
        until = until_of(timeout)
        frameworks = self._objects.used() if framework is None else [framework]
        return [key for name in frameworks for key in self._perform(verbs.list_stored(name), until)]

    def delete_stored(self, id: str, /, *, timeout: float | None = None, framework: str | None = None) -> None:
        """Forget a stored object.

        Raises:
            RefNotFoundError: The session has no such object.
        """
        self._perform(verbs.delete_stored(id, framework=framework), until_of(timeout))

    def clear_session(self, *, timeout: float | None = None, framework: str | None = None) -> None:
        """Have the workers, or that of one framework, forget the session's objects and settings; it stays open."""
        until = until_of(timeout)
        for name in self._objects.used() if framework is None else [framework]:
            self._perform(verbs.clear_session(name), until)

    @abstractmethod
    def _perform(self, verb: verbs.Verb, until: float | None) -> Any:
        """Do what a verb asks and return what its caller gets."""

    def _ref(self, home: Home, id: str, type: str = "", repr: str = "") -> Ref:
        return Ref(self, home, id, type, repr)


class Ref(AnyRef):
    """A live object in a worker: given as an argument, it stands for the object.

    The object lives until it is released, its session is closed or cleared, or its worker ends.
    """

    def __init__(self, session: DynamicVerbs, home: Home, id: str, type: str = "", repr: str = "") -> None:
        super().__init__(home, id, type, repr)
        self._session = session

    def call(
        self,
        method: str = "__call__",
        /,
        *args: Any,
        store_as: str | None = None,
        by_value: bool = False,
        timeout: float | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """Call a method of the object, or the object itself; see `BridgeSession.call`."""
        verb = verbs.call(
            f"stored.{self.id}.{method}",
            args,
            merged(kwargs, more),
            store_as=store_as,
            by_value=by_value,
            ref=self,
        )
        return self._session._perform(verb, until_of(timeout))

    def attribute(self, name: str, *, timeout: float | None = None) -> Any:
        """Return an attribute; what has no form on the wire is a Ref."""
        verb = verbs.call(f"stored.{self.id}.{name}", attribute=True, ref=self)
        return self._session._perform(verb, until_of(timeout))

    def set(self, name: str, value: Any, *, timeout: float | None = None) -> None:
        """Set an attribute."""
        verb = verbs.set_attribute(f"stored.{self.id}.{name}", value, ref=self)
        self._session._perform(verb, until_of(timeout))

    def value(self, *path: Key, timeout: float | None = None) -> Any:
        """Return the object, or a part of it, by value; what has no form on the wire is a Ref."""
        return self._session._perform(verbs.retrieve(self.id, path, ref=self), until_of(timeout))

    def describe(self, *, timeout: float | None = None) -> Any:
        """Return type, signature, documentation and attributes of the object."""
        return self._session._perform(verbs.inspect(f"stored.{self.id}", ref=self), until_of(timeout))

    def release(self, *, timeout: float | None = None) -> None:
        """Have the worker forget the object; again, or when it is gone anyway, does nothing."""
        if not self._released:
            with suppress(*GONE):
                self._session._perform(verbs.delete_stored(self.id, ref=self), until_of(timeout))
            self._released = True
