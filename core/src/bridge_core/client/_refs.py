"""What all refs have in common, those for blocking threads and those for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bridge_core.errors import (
    InvalidArgumentsError,
    RefLostError,
    RefNotFoundError,
    SessionNotFoundError,
    TransportClosedError,
    WorkerCrashedError,
)

if TYPE_CHECKING:
    from ._slot import Slot

__all__ = ["GONE", "AnyRef", "Home", "Key", "RefItem"]

Key = int | str
GONE = (RefLostError, RefNotFoundError, SessionNotFoundError, TransportClosedError, WorkerCrashedError)
"""What releasing an object meets when it is gone: released, or with its session, its worker or the Bridge."""


class Home(Struct, frozen=True, eq=False):
    """Where an object is."""

    slot: Slot
    """The place of the worker that holds it."""
    number: int
    """Of that worker; 0 if the object is meant by its name, in whichever worker is there."""
    session_id: str


class AnyRef:
    """What is known of a live object without asking for it."""

    def __init__(self, home: Home, id: str, type: str, repr: str) -> None:
        self._home = home
        self._released = False
        self.id = id
        self.type = type
        """`module.Class`; empty if the ref was made from an id alone."""
        self.repr = repr
        """The beginning of the object's `repr`, when the ref was made; empty as `type` is."""

    @property
    def framework(self) -> str:
        """Whose worker holds the object."""
        return self._home.slot.framework

    def item(self, *path: Key) -> RefItem:
        """Return what stands for a part of the object in arguments; each step is an index, a key or an attribute."""
        return RefItem(self, path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id!r} {self.type}".rstrip() + ">"


class RefItem:
    """A part of a live object, or of what an earlier step of a pipeline returned, to be given as an argument."""

    def __init__(self, owner: object, path: tuple[Key, ...]) -> None:
        for step in path:
            if type(step) not in (int, str):
                text = f"an item is named by integers and strings, not by {step!r}"
                raise InvalidArgumentsError(f"$.path: {text}", path="$.path")
        self.owner = owner
        self.path = path

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {[*self.path]} of {self.owner!r}>"
