"""The verbs for dynamic calls, and refs, for asyncio: the same ones, awaited."""

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

__all__ = ["AsyncDynamicVerbs", "AsyncRef"]


class AsyncDynamicVerbs(ABC):
    """What a session can do with any library; see BridgeSession."""

    _objects: Objects

    async def call(
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
        """Call a function, class or method, and return its result; see `BridgeSession.call`."""
        verb = verbs.call(
            target,
            args,
            merged(kwargs, more),
            store_as=store_as,
            by_value=by_value,
            attribute=attribute,
            framework=framework,
        )
        return await self._perform(verb, until_of(timeout))

    async def pipeline(
        self,
        steps: Sequence[Step],
        /,
        *,
        rollback: bool = False,
        timeout: float | None = None,
        framework: str | None = None,
    ) -> list[Any]:
        """Make several calls in one request, and return their results; see `BridgeSession.pipeline`."""
        verb = verbs.pipeline(steps, rollback=rollback, framework=framework)
        results: list[Any] = await self._perform(verb, until_of(timeout))
        return results

    async def inspect(self, target: str, /, *, timeout: float | None = None, framework: str | None = None) -> Any:
        """Return type, signature, documentation and attributes of a target; see `BridgeSession.inspect`."""
        return await self._perform(verbs.inspect(target, framework=framework), until_of(timeout))

    async def set_attribute(
        self, target: str, value: Any, /, *, timeout: float | None = None, framework: str | None = None
    ) -> None:
        """Set an attribute of a stored object; see `BridgeSession.set_attribute`."""
        await self._perform(verbs.set_attribute(target, value, framework=framework), until_of(timeout))

    async def store(
        self, id: str, value: Any, /, *, timeout: float | None = None, framework: str | None = None
    ) -> AsyncRef:
        """Keep a value, or an object that a ref stands for, under an id; see `BridgeSession.store`."""
        await self._perform(verbs.store(id, value, framework=framework), until_of(timeout))
        return self.ref(id, framework=framework)

    async def retrieve(self, id: str, /, *, timeout: float | None = None, framework: str | None = None) -> Any:
        """Return a stored object by value; see `BridgeSession.retrieve`."""
        return await self._perform(verbs.retrieve(id, framework=framework), until_of(timeout))

    def ref(self, id: str, /, *, framework: str | None = None) -> AsyncRef:
        """Return a ref for whatever the session keeps under an id; see `BridgeSession.ref`."""
        return self._objects.named(id, framework, self._ref)

    async def list_stored(self, *, timeout: float | None = None, framework: str | None = None) -> list[str]:
        """Return the ids of all objects that the session keeps; see `BridgeSession.list_stored`."""
        until = until_of(timeout)
        frameworks = self._objects.used() if framework is None else [framework]
        return [key for name in frameworks for key in await self._perform(verbs.list_stored(name), until)]

    async def delete_stored(self, id: str, /, *, timeout: float | None = None, framework: str | None = None) -> None:
        """Forget a stored object; see `BridgeSession.delete_stored`."""
        await self._perform(verbs.delete_stored(id, framework=framework), until_of(timeout))

    async def clear_session(self, *, timeout: float | None = None, framework: str | None = None) -> None:
        """Have the workers forget the session's objects and settings; see `BridgeSession.clear_session`."""
        until = until_of(timeout)
        for name in self._objects.used() if framework is None else [framework]:
            await self._perform(verbs.clear_session(name), until)

    @abstractmethod
    async def _perform(self, verb: verbs.Verb, until: float | None) -> Any:
        """Do what a verb asks and return what its caller gets."""

    def _ref(self, home: Home, id: str, type: str = "", repr: str = "") -> AsyncRef:
        return AsyncRef(self, home, id, type, repr)


class AsyncRef(AnyRef):
    """A live object in a worker; see Ref."""

    def __init__(self, session: AsyncDynamicVerbs, home: Home, id: str, type: str = "", repr: str = "") -> None:
        super().__init__(home, id, type, repr)
        self._session = session

    async def call(
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
        return await self._session._perform(verb, until_of(timeout))

    async def attribute(self, name: str, *, timeout: float | None = None) -> Any:
        """Return an attribute; what has no form on the wire is a ref."""
        verb = verbs.call(f"stored.{self.id}.{name}", attribute=True, ref=self)
        return await self._session._perform(verb, until_of(timeout))

    async def set(self, name: str, value: Any, *, timeout: float | None = None) -> None:
        """Set an attribute."""
        verb = verbs.set_attribute(f"stored.{self.id}.{name}", value, ref=self)
        await self._session._perform(verb, until_of(timeout))

    async def value(self, *path: Key, timeout: float | None = None) -> Any:
        """Return the object, or a part of it, by value; see `Ref.value`."""
        return await self._session._perform(verbs.retrieve(self.id, path, ref=self), until_of(timeout))

    async def describe(self, *, timeout: float | None = None) -> Any:
        """Return type, signature, documentation and attributes of the object."""
        return await self._session._perform(verbs.inspect(f"stored.{self.id}", ref=self), until_of(timeout))

    async def release(self, *, timeout: float | None = None) -> None:
        """Have the worker forget the object; again, or when it is gone anyway, does nothing."""
        if not self._released:
            with suppress(*GONE):
                await self._session._perform(verbs.delete_stored(self.id, ref=self), until_of(timeout))
            self._released = True
