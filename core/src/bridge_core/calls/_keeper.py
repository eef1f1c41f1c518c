"""Objects that are kept because a result refers to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bridge_core._models import JsonValue
from bridge_core.errors import RefNotFoundError
from bridge_core.sessions import MemoryObjectStore

from ._inspection import shown, type_name

__all__ = ["Keeper"]

_KIND = "python.object"


class Keeper:
    """Keeps in one session what a result refers to.

    Args:
        objects: The session's.
        answer: What is sent; what it says was stored is forgotten too if it cannot be.
        redact: Takes out of an object's text what nobody may see.
    """

    def __init__(
        self, objects: MemoryObjectStore, answer: object = None, *, redact: Callable[[str], str] = str
    ) -> None:
        self._objects = objects
        self._redact = redact
        self._kept = _stored(answer)

    def refer(self, value: object, id: str | None) -> dict[str, JsonValue]:
        """Return the reference to an object, which is kept under a new id if the session does not have it.

        Raises:
            StoreFullError: The session holds as many objects as it may.
        """
        key = self._objects.id_of(value) if id is None else id
        if key is None:
            key = self._objects.put(value, kind=_KIND)
            self._kept.append(key)
        return {"$ref": key, "type": type_name(value), "repr": shown(value, redact=self._redact)}

    def release(self) -> None:
        """Forget what was kept: the result is not sent."""
        while self._kept:
            with suppress(RefNotFoundError):  # the peer cannot have known it, but the session may have been closed
                self._objects.delete(self._kept.pop())


def _stored(answer: object) -> list[str]:
    """Return the ids under which an answer says that something was stored."""
    if not isinstance(answer, dict):
        return []
    calls = [answer, *answer.get("pipeline_results", ())]
    return [one["stored_as"] for one in calls if one.get("stored_as") is not None]
