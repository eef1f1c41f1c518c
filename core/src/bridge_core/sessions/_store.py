"""The sessions of one peer."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Container, Mapping
from functools import partial
from math import inf
from typing import Any

from bridge_core.errors import InvalidArgumentsError, SessionNotFoundError, StoreFullError

from ._objects import LONGEST_ID, MemoryObjectStore
from ._session import ANONYMOUS, PeerSession

__all__ = ["SessionStore"]

_REMEMBERED = 10_000  # names of sessions that are gone: the protocol promises so many


def _none_busy() -> Container[str]:
    return ()


def _nobody_sweeps(seconds: float) -> None:
    """Do nothing: what expires is noticed by those who ask for it."""


class SessionStore:
    """The sessions of one peer, opened when first named or by `open`; safe from any thread.

    Args:
        max_sessions: How many there may be beside the anonymous one.
        max_objects: How many objects each may hold.
        session_ttl: Seconds without a request after which a session expires.
        object_ttl: Seconds after its last use when an object expires.
        evict: Whether a full session releases the object that was not used for longest, to make room for another one.
        busy: The names of sessions with open requests: they do not expire.
        clock: The monotonic clock.
        wall: The wall clock.
    """

    def __init__(
        self,
        *,
        max_sessions: int = 10_000,
        max_objects: int = 1000,
        session_ttl: float | None = None,
        object_ttl: float | None = None,
        evict: bool = False,
        busy: Callable[[], Container[str]] = _none_busy,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._max_sessions = max_sessions
        self._ttl = inf if session_ttl is None else session_ttl
        self._busy = busy
        self._clock = clock
        self._wall = wall
        self._objects = partial(
            MemoryObjectStore,
            max_objects=max_objects,
            ttl=inf if object_ttl is None else object_ttl,
            evict=evict,
            clock=clock,
            wall=wall,
        )
        self._sessions: dict[str, PeerSession] = {}
        self._gone: OrderedDict[str, float | None] = OrderedDict()  # the latest, and of those that have expired the TTL
        self._expired: list[
            PeerSession
        ] = []  # until `sweep` frees them: who has noticed may be nobody to run foreign code
        self._lock = threading.Lock()
        self.expect: Callable[[float], None] = _nobody_sweeps
        """Called with the seconds after which a session that was opened may expire."""
        self._add(ANONYMOUS, ttl=inf)

    def get(self, id: str) -> PeerSession:
        """Return the session with this id for a request, opening it if the peer has not named it before.

        Raises:
            SessionNotFoundError: It was closed or has expired.
            StoreFullError: The peer has as many sessions as it may.
        """
        session = self._sessions.get(id)
        if session is not None:
            now = self._clock()
            if now - session.used < session.ttl:
                session.used = now
                session.requests += 1
                if not session.closed:  # looked at after it was used: see `_retire`
                    return session
        return self._get(id)

    def open(self, *, ttl: float | None = None, metadata: Mapping[str, Any] | None = None) -> PeerSession:
        """Open a session with a name that nobody can guess.

        Args:
            ttl: Seconds without a request after which it expires; never more than what the operator has set.
            metadata: What the peer wants to be told about it later.

        Raises:
            StoreFullError: The peer has as many sessions as it may.
        """
        with self._lock:
            self._make_room(self._clock())
            ttl = self._ttl if ttl is None else min(ttl, self._ttl)
            session = self._add(os.urandom(16).hex(), ttl=ttl, metadata=metadata or {})
        self.expect(session.ttl)
        return session

    def find(self, id: str) -> PeerSession:
        """Return the session with this id without using it.

        Raises:
            SessionNotFoundError: There is none.
        """
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                raise self._missing(id)
            if self._is_over(session, self._clock()):
                raise _missing(id, session.ttl)
            return session

    def all(self) -> list[PeerSession]:
        """Return the open sessions in the order they were opened."""
        now, busy = self._clock(), self._busy()
        return [one for one in list(self._sessions.values()) if now - one.used < one.ttl or one.id in busy]

    def close(self, id: str) -> PeerSession:
        """Forget a session and return it, empty if there was none: its objects go with the last one that holds it.

        The anonymous session is open again at once, and empty.

        Raises:
            SessionNotFoundError: It was closed before, or has expired.
        """
        _check_length(id)
        with self._lock:
            session = self._sessions.get(id)
            if session is not None and self._is_over(session, self._clock()):
                self._retire(session)
                session = self._sessions.get(id)
            if session is None and id in self._gone:
                raise self._missing(id)
            if session is not None:
                session.closed = True
                del self._sessions[id]
            if id == ANONYMOUS:
                assert session is not None  # it is always there
                self._add(id, ttl=inf, objects=session.objects.emptied())
            else:
                self._remember(id, None)
        return session or PeerSession(id, self._objects(id, max_objects=0))

    def clear(self, id: str) -> PeerSession:
        """Empty a session for the requests to come, and return it as it was; raises as `get` does."""
        session = self.get(id)
        with self._lock:
            session.closed = True
            session.successor = self._sessions[id] = session.emptied()
        return session

    def stored_objects(self) -> int:
        """Count the live objects of all sessions."""
        with self._lock:
            return sum(len(session.objects) for session in self._sessions.values())

    def wall_time(self, moment: float) -> float:
        """Return a moment of the monotonic clock in seconds since 1970."""
        return self._wall() + (moment - self._clock())

    def sweep(self) -> float | None:
        """Free what has expired; return the seconds until something else may expire, None if nothing can.

        Foreign code may run in the calling thread: that of the objects that are freed.
        """
        now = self._clock()
        self._take_expired(now).clear()
        due = inf
        for session in list(self._sessions.values()):
            idle_until = session.used + session.ttl
            # One that was due is still here because it is busy: it will be used again when that has been answered.
            due = min(due, session.objects.sweep(), idle_until if idle_until > now else now + session.ttl)
        return None if due == inf else max(0.0, due - self._clock())

    def _take_expired(self, now: float) -> list[PeerSession]:
        with self._lock:
            self._retire_all(now)
            expired, self._expired = self._expired, []
        return expired

    def _get(self, id: str) -> PeerSession:
        _check_length(id)
        with self._lock:
            now = self._clock()
            session = self._sessions.get(id)
            if session is not None and self._is_over(session, now):
                self._retire(session)
                session = self._sessions.get(id)
            if session is None:
                if id in self._gone:
                    raise self._missing(id)
                self._make_room(now)
                session = self._add(id, ttl=self._ttl)
            session.used = now
            session.requests += 1
        self.expect(session.ttl)
        return session

    def _make_room(self, now: float) -> None:
        if len(self._sessions) <= self._max_sessions:  # the anonymous one does not count
            return
        self._retire_all(now)
        if len(self._sessions) > self._max_sessions:
            raise StoreFullError(
                f"this peer has {self._max_sessions} sessions, which is the limit; use one of those or close one",
                limit=self._max_sessions,
            )

    def _add(
        self,
        id: str,
        *,
        ttl: float,
        metadata: Mapping[str, Any] | None = None,
        objects: MemoryObjectStore | None = None,
    ) -> PeerSession:
        session = PeerSession(
            id,
            self._objects(id) if objects is None else objects,
            ttl=ttl,
            created=self._wall(),
            metadata=metadata or {},
            used=self._clock(),
        )
        self._sessions[id] = session
        return session

    def _is_over(self, session: PeerSession, now: float) -> bool:
        return now - session.used >= session.ttl and session.id not in self._busy()

    def _retire_all(self, now: float) -> None:
        """Take out what has expired, of all sessions."""
        due = [session for session in self._sessions.values() if now - session.used >= session.ttl]
        busy = self._busy() if due else ()
        for session in due:
            if session.id not in busy:
                self._retire(session)

    def _retire(self, session: PeerSession) -> None:
        """Take out a session that has expired, unless a request comes just now.

        Requests do not wait for the lock. Each side writes its own before it reads the other's: `get` when the session
        was used, this that it is closed. So never do both miss what the other one did.
        """
        session.closed = True
        if self._clock() - session.used < session.ttl:
            session.closed = False
            return
        del self._sessions[session.id]
        self._remember(session.id, session.ttl)
        self._expired.append(session)

    def _remember(self, id: str, ttl: float | None) -> None:
        self._gone[id] = ttl
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)

    def _missing(self, id: str) -> SessionNotFoundError:
        if id in self._gone:
            return _missing(id, self._gone[id])
        return SessionNotFoundError(f"there is no session {id!r}; the first request that names it opens it", session=id)


def _check_length(id: str) -> None:
    if len(id) > LONGEST_ID:
        problem = f"$.session_id: longer than {LONGEST_ID} characters, which is the limit"
        raise InvalidArgumentsError(problem, path="$.session_id")


def _missing(id: str, ttl: float | None) -> SessionNotFoundError:
    if ttl is None:
        return SessionNotFoundError(f"the session {id!r} was closed; open another", session=id, gone="closed")
    message = f"the session {id!r} has expired after {ttl:g} s without a request; open another"
    return SessionNotFoundError(message, session=id, gone="expired")
