"""The operations of every worker about sessions and the objects in them."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from bridge_core._context import CallContext
from bridge_core._handlers import Operation
from bridge_core.config import LimitSettings
from bridge_core.errors import InvalidArgumentsError
from bridge_core.sessions import PeerSession, SessionStore

if TYPE_CHECKING:
    from ._calls import CallTable
    from ._dispatcher import Dispatcher

__all__ = ["SessionOperations", "sessions_of"]

_MAX_METADATA = 8192  # bytes as JSON; a peer may have 10,000 sessions

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class SessionOperations(msgspec.Struct, eq=False):
    """What a peer can ask of its sessions."""

    dispatcher: Dispatcher

    def operations(self) -> list[Operation]:
        """Compile them; those that run no plugin code and change no session are answered while handlers run."""
        return [
            Operation.of(None, "open_session", self.open_session, runs="reader"),
            Operation.of(None, "get_session", self.get_session, runs="reader", idempotent=True),
            Operation.of(None, "list_sessions", self.list_sessions, runs="reader", idempotent=True),
            # On the main thread, because objects that go may run plugin code. The session is the dispatcher's doing.
            Operation.of(None, "close_session", self.close_session, runs="main", idempotent=True),
            # It configures: a session is the same on another worker only if it is cleared there too, in its turn.
            Operation.of(None, "clear_session", self.clear_session, runs="main", idempotent=True, configures=True),
            # There too, so that they come behind what was asked for before.
            Operation.of(None, "list_stored", self.list_stored, runs="main", idempotent=True),
            Operation.of(None, "delete_stored", self.delete_stored, runs="main", idempotent=True),
        ]

    def open_session(self, *, ttl: Seconds | None = None, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
        """Open a session with a name that nobody can guess; it expires after `ttl` seconds without a request."""
        if len(msgspec.json.encode(metadata)) > _MAX_METADATA:
            raise InvalidArgumentsError(f"$.metadata: more than {_MAX_METADATA} bytes as JSON", path="$.metadata")
        session = self.dispatcher.sessions.open(ttl=ttl, metadata=metadata)
        return {
            "status": "opened",
            "session_id": session.id,
            "ttl": _finite(session.ttl),
            "created": session.created,
        }

    def get_session(self, ctx: CallContext, *, session_id: str | None = None) -> dict[str, Any]:
        """Describe a session, this one if none is named, without using it."""
        session = self.dispatcher.sessions.find(ctx.session.id if session_id is None else session_id)
        described = self._describe(session, self.dispatcher.calls.sessions())
        return {"status": "ok", **described, "metadata": session.metadata}

    def list_sessions(self) -> dict[str, Any]:
        """Describe all open sessions of this peer, without using them."""
        busy = self.dispatcher.calls.sessions()
        sessions = [self._describe(session, busy) for session in self.dispatcher.sessions.all()]
        return {"status": "ok", "sessions": sessions, "count": len(sessions)}

    def close_session(self, ctx: CallContext) -> dict[str, Any]:
        """Forget this session: its objects and settings; naming it again is an error, except for the anonymous one."""
        return {"status": "closed", "session_id": ctx.session.id}

    def clear_session(self, ctx: CallContext) -> dict[str, Any]:
        """Release the objects and settings of this session, which stays open."""
        count = len(ctx.session.objects)
        message = f"session {ctx.session.id!r} is empty; it held {count} objects"
        return {"status": "ok", "message": message, "session_id": ctx.session.id, "released": count}

    def list_stored(self, ctx: CallContext) -> dict[str, Any]:
        """List the ids of this session's objects in the order they were stored."""
        ids = ctx.session.objects.ids()
        return {"status": "ok", "stored_objects": ids, "count": len(ids)}

    def delete_stored(self, ctx: CallContext, *, id: str) -> dict[str, Any]:
        """Release one of this session's objects."""
        ctx.session.objects.delete(id)
        return {"status": "ok", "message": f"the object {id!r} was released"}

    def _describe(self, session: PeerSession, busy: Counter[str]) -> dict[str, Any]:
        wall_time = self.dispatcher.sessions.wall_time
        in_flight = busy[session.id]
        expires: float | None = None
        if session.ttl != inf:
            # With requests open: not before so long after their answers.
            expires = wall_time(session.used + session.ttl) if not in_flight else self.dispatcher.clock() + session.ttl
        return {
            "session_id": session.id,
            "created": session.created,
            "last_used": wall_time(session.used),
            "ttl": _finite(session.ttl),
            "expires": expires,
            "objects": len(session.objects),
            "requests": session.requests,
            "in_flight": in_flight,
        }


def _finite(seconds: float) -> float | None:
    return None if seconds == inf else seconds


def sessions_of(limited: LimitSettings, calls: CallTable) -> SessionStore:
    """Return the sessions of a peer, within the operator's limits."""
    return SessionStore(
        max_sessions=limited.max_sessions,
        max_objects=limited.max_objects_per_session,
        session_ttl=limited.session_ttl,
        object_ttl=limited.object_ttl,
        evict=limited.evict,
        busy=calls.sessions,
    )
