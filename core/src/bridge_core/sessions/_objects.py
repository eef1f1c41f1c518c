"""The live objects of one session."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec import Struct

from bridge_core.errors import InvalidArgumentsError, RefExistsError, RefNotFoundError, StoreFullError

__all__ = ["LONGEST_ID", "MemoryObjectStore", "StoredObject"]

LONGEST_ID = 1024
"""Characters of an object's id, or of a session's: what has become of the latest is remembered."""

_REMEMBERED = 1000  # ids of objects that are gone


class StoredObject(Struct, frozen=True, eq=False):
    """What a store knows about one object."""

    kind: str
    value: object
    created: float
    """Seconds since 1970, as `last_used`."""
    last_used: float


class _Entry(Struct, eq=False):
    kind: str
    value: object
    number: int
    created: float
    used: float


class MemoryObjectStore:
    """Live objects of one session in this process; safe from any thread.

    Args:
        session_id: Whose they are.
        max_objects: How many there may be.
        ttl: Seconds after its last use when an object expires.
        evict: Whether a full store releases the object that was not used for longest, to make room for another one.
        clock: The monotonic clock.
        wall: The wall clock.
    """

    def __init__(
        self,
        session_id: str,
        *,
        max_objects: int = 1000,
        ttl: float = inf,
        evict: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session_id = session_id
        self._max_objects = max_objects
        self._ttl = ttl
        self._evict = evict
        self._clock = clock
        self._wall = wall
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the one that was not used for longest first
        self._gone: OrderedDict[str, str] = (
            OrderedDict()
        )  # what has become of the latest ids that are not there any more
        self._count = 0
        # Values are freed outside of it. Re-entrant all the same: Python may collect garbage at any step, and what is
        # freed then may use this store.
        self._lock = threading.RLock()

    def put(self, value: object, /, *, kind: str, id: str | None = None, replace: bool = False) -> str:
        """Keep a value and return its id: the given one unchanged, else `<framework>:<random>`.

        Args:
            value: The object.
            kind: `<framework>.<noun>`, such as `dspy.program`.
            id: The id that the peer chose, if it chose one.
            replace: Whether it takes the place of an object that has this id.

        Raises:
            RefExistsError: The id is taken.
            StoreFullError: The session holds as many objects as it may.
        """
        key = id
        if key is None:
            key = f"{kind.partition('.')[0]}:{os.urandom(12).hex()}"
        elif not key:
            raise InvalidArgumentsError("$.id: must not be empty; leave it out to have one made", path="$.id")
        elif len(key) > LONGEST_ID:
            problem = f"$.id: longer than {LONGEST_ID} characters, which is the limit"
            raise InvalidArgumentsError(problem, path="$.id")
        freed: list[_Entry] = []
        with self._lock:
            now = self._clock()
            if key in self._entries or len(self._entries) >= self._max_objects:
                freed += self._expired(now)
            old = self._entries.get(key)
            if old is not None:
                if not replace:
                    raise self._taken(key)
                freed.append(old)
            elif len(self._entries) >= self._max_objects:
                if not self._evict or not self._entries:
                    raise self._full()
                freed.append(self._release(next(iter(self._entries)), "evicted"))
            self._count += 1
            self._entries[key] = _Entry(kind, value, self._count, self._wall(), now)
            self._entries.move_to_end(key)
            self._gone.pop(key, None)
        return key

    def get(self, id: str, /, *, kind: str | None = None) -> Any:
        """Return the object; with `kind`, only if it is of that kind.

        Raises:
            RefNotFoundError: There is no such object; `details.gone` says what has become of one that there was.
        """
        with self._lock:
            now = self._clock()
            entry = self._find(id, kind, now)
            entry.used = now
            self._entries.move_to_end(id)
            return entry.value

    def check_room(self, id: str) -> None:
        """Return if an object could be put under an id now; raises as `put` does otherwise."""
        freed: list[_Entry] = []
        with self._lock:
            if id in self._entries or len(self._entries) >= self._max_objects:
                freed += self._expired(self._clock())
            if id in self._entries:
                raise self._taken(id)
            if len(self._entries) >= self._max_objects and not (self._evict and self._entries):
                raise self._full()

    def delete(self, id: str, /, *, kind: str | None = None) -> None:
        """Forget the object; raises as `get` does."""
        with self._lock:
            entry = self._find(id, kind, self._clock())
            self._release(id, "deleted")
        del entry  # what frees it, if nothing else holds it, is foreign code

    def entry(self, id: str, /) -> StoredObject:
        """Describe the object without using it; raises as `get` does."""
        with self._lock:
            now = self._clock()
            entry = self._find(id, None, now)
            return StoredObject(entry.kind, entry.value, entry.created, self._wall() - (now - entry.used))

    def ids(self, *, kind: str | None = None) -> list[str]:
        """Return the ids in the order they were put."""
        with self._lock:
            now = self._clock()
            found = [(key, one) for key, one in self._entries.items() if not self._is_over(one, now)]
        found.sort(key=lambda item: item[1].number)
        return [key for key, entry in found if kind is None or entry.kind == kind]

    def id_of(self, value: object) -> str | None:
        """Return the id of this very object, which counts as its use; None if it is not here."""
        with self._lock:
            now = self._clock()
            for key, entry in self._entries.items():
                if entry.value is value and not self._is_over(entry, now):
                    entry.used = now
                    self._entries.move_to_end(key)
                    return key
        return None

    def __len__(self) -> int:
        if self._ttl == inf:
            return len(self._entries)
        return len(self.ids())

    def sweep(self) -> float:
        """Free what has expired, and return when, on the monotonic clock, something else may; `inf` for never."""
        if self._ttl == inf:
            return inf
        with self._lock:
            now = self._clock()
            expired = self._expired(now)
            first = next(iter(self._entries.values()), None)
            # What is put from now on does not expire before what is put now.
            due = (now if first is None else first.used) + self._ttl
        del expired, first
        return due

    def emptied(self) -> MemoryObjectStore:
        """Return a store of the same limits without objects: their ids are those of deleted ones there."""
        made = MemoryObjectStore(
            self._session_id,
            max_objects=self._max_objects,
            ttl=self._ttl,
            evict=self._evict,
            clock=self._clock,
            wall=self._wall,
        )
        with self._lock:
            gone = {**self._gone, **dict.fromkeys(self._entries, "deleted")}
        for key, how in gone.items():
            made._remember(key, how)
        return made

    def _find(self, id: str, kind: str | None, now: float) -> _Entry:
        entry = self._entries.get(id)
        if entry is None or (kind is not None and entry.kind != kind):
            raise self._missing(id, self._gone.get(id))
        if self._is_over(entry, now):
            raise self._missing(id, "expired")
        return entry

    def _is_over(self, entry: _Entry, now: float) -> bool:
        return now - entry.used >= self._ttl

    def _expired(self, now: float) -> list[_Entry]:
        """Take out what has expired."""
        found: list[_Entry] = []
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if not self._is_over(entry, now):
                break
            found.append(self._release(key, "expired"))
        return found

    def _release(self, id: str, how: str) -> _Entry:
        """Take out an object; whoever asked for it frees it, outside of the lock."""
        entry = self._entries.pop(id)
        self._remember(id, how)
        return entry

    def _remember(self, id: str, how: str) -> None:
        self._gone.pop(id, None)
        self._gone[id] = how
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)

    def _missing(self, id: str, gone: str | None) -> RefNotFoundError:
        message = f"session {self._session_id!r} has no object {id!r}"
        if gone is None:
            return RefNotFoundError(message, id=id, session=self._session_id)
        why = {
            "deleted": "it was deleted",
            "expired": f"it has expired after {self._ttl:g} s without use; make it again",
            "evicted": "it made room for others, as the one that was not used for longest; make it again",
        }
        return RefNotFoundError(f"{message}: {why[gone]}", id=id, session=self._session_id, gone=gone)

    def _taken(self, id: str) -> RefExistsError:
        return RefExistsError(
            f"session {self._session_id!r} already has an object {id!r}; delete it first or choose another id", id=id
        )

    def _full(self) -> StoreFullError:
        return StoreFullError(
            f"session {self._session_id!r} holds {self._max_objects} objects, which is the limit; delete some",
            limit=self._max_objects,
        )
