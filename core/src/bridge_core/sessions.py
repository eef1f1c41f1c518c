"""Sessions of a worker's peers and the live objects in them."""

from __future__ import annotations

import os
import threading
from collections.abc import MutableMapping
from typing import Any

from msgspec import Struct, field

from .errors import InvalidArgumentsError, RefExistsError, RefNotFoundError, SessionNotFoundError, StoreFullError

__all__ = ["MemoryObjectStore", "PeerSession", "SessionStore"]

_ANONYMOUS = "anonymous"  # where requests are that name no session: there is always room for this one


class _Entry(Struct, frozen=True, eq=False):
    kind: str
    value: object


class MemoryObjectStore:
    """Live objects of one session in this process; safe from any thread."""

    def __init__(self, session_id: str, *, max_objects: int = 1000) -> None:
        self._session_id = session_id
        self._max_objects = max_objects
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def put(self, value: object, /, *, kind: str, id: str | None = None) -> str:
        """Keep a value and return its id: the given one unchanged, else `<framework>:<random>`."""
        key = id
        if key is None:
            key = f"{kind.partition('.')[0]}:{os.urandom(12).hex()}"
        elif not key:
            raise InvalidArgumentsError("$.id: must not be empty; leave it out to have one made", path="$.id")
        with self._lock:
            if key in self._entries:
                raise RefExistsError(
                    f"session {self._session_id!r} already has an object {key!r}; delete it first or choose another id",
                    id=key,
                )
            if len(self._entries) >= self._max_objects:
                raise StoreFullError(
                    f"session {self._session_id!r} holds {self._max_objects} objects, which is the limit; delete some",
                    limit=self._max_objects,
                )
            self._entries[key] = _Entry(kind, value)
        return key

    def get(self, id: str, /, *, kind: str | None = None) -> Any:
        """Return the object; with `kind`, only if it is of that kind."""
        return self._entry(id, kind).value

    def delete(self, id: str, /, *, kind: str | None = None) -> None:
        """Forget the object."""
        entry = self._entry(id, kind)
        with self._lock:
            if self._entries.get(id) is entry:
                del self._entries[id]
                return
        raise self._missing(id)

    def ids(self, *, kind: str | None = None) -> list[str]:
        """Return the ids in the order they were put."""
        with self._lock:
            return [key for key, entry in self._entries.items() if kind is None or entry.kind == kind]

    def id_of(self, value: object) -> str | None:
        """Return the id of this very object, None if it is not here."""
        with self._lock:
            return next((key for key, entry in self._entries.items() if entry.value is value), None)

    def __len__(self) -> int:
        return len(self._entries)

    def _entry(self, id: str, kind: str | None) -> _Entry:
        entry = self._entries.get(id)
        if entry is None or (kind is not None and entry.kind != kind):
            raise self._missing(id)
        return entry

    def _missing(self, id: str) -> RefNotFoundError:
        return RefNotFoundError(f"session {self._session_id!r} has no object {id!r}", id=id, session=self._session_id)


class PeerSession(Struct, eq=False, weakref=True):
    """One session: its objects and each framework's settings."""

    id: str
    objects: MemoryObjectStore
    settings: MutableMapping[str, Any] = field(default_factory=dict)


class SessionStore:
    """The sessions of one peer, opened when first named."""

    def __init__(self, *, max_sessions: int = 10_000, max_objects: int = 1000) -> None:
        self._max_sessions = max_sessions
        self._max_objects = max_objects
        self._sessions: dict[str, PeerSession] = {}
        self._closed: dict[str, None] = {}  # the latest; a name that was forgotten opens a new session
        self._lock = threading.Lock()

    def get(self, id: str) -> PeerSession:
        """Return the session with this id, opening it if the peer has not named it before.

        Raises:
            SessionNotFoundError: It was closed.
            StoreFullError: The peer has as many sessions as it may.
        """
        session = self._sessions.get(id)
        if session is not None:
            return session
        with self._lock:
            if id in self._closed:
                raise _closed(id)
            if id not in self._sessions:
                if len(self._sessions) >= self._max_sessions and id != _ANONYMOUS:
                    raise StoreFullError(
                        f"this peer has {self._max_sessions} sessions, which is the limit; use one of those",
                        limit=self._max_sessions,
                    )
                self._sessions[id] = PeerSession(id, MemoryObjectStore(id, max_objects=self._max_objects))
            return self._sessions[id]

    def close(self, id: str) -> PeerSession:
        """Forget a session and return it, empty if there was none: its objects go with the last one that holds it.

        Raises:
            SessionNotFoundError: It was closed before.
        """
        with self._lock:
            if id in self._closed:
                raise _closed(id)
            if id != _ANONYMOUS:
                self._closed[id] = None
            if len(self._closed) > self._max_sessions:
                del self._closed[next(iter(self._closed))]
            session = self._sessions.pop(id, None)
        return session or PeerSession(id, MemoryObjectStore(id, max_objects=0))

    def stored_objects(self) -> int:
        """Count the live objects of all sessions."""
        with self._lock:
            return sum(len(session.objects) for session in self._sessions.values())


def _closed(id: str) -> SessionNotFoundError:
    return SessionNotFoundError(f"the session {id!r} was closed; open another", session=id)
