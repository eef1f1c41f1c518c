"""One session of a peer."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from math import inf
from typing import Any

from msgspec import Struct, field

from ._objects import MemoryObjectStore

__all__ = ["ANONYMOUS", "PeerSession"]

ANONYMOUS = "anonymous"
"""The session of requests that name none: there is always room for it, and it never expires."""


class PeerSession(Struct, eq=False, weakref=True):
    """One session: its objects and each framework's settings."""

    id: str
    objects: MemoryObjectStore
    settings: MutableMapping[str, Any] = field(default_factory=dict)
    ttl: float = inf
    """Seconds without a request after which it expires."""
    created: float = 0.0
    """Seconds since 1970."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the peer said of it when it opened it."""
    used: float = 0.0
    """When a request of it last came or was answered, on the monotonic clock."""
    requests: int = 0
    """How many requests have come."""
    closed: bool = False
    """Whether it takes no more of them."""
    successor: PeerSession | None = None
    """What has taken its place when it was emptied."""

    def touch(self, now: float) -> None:
        """Count as used, and so does what has taken its place."""
        session: PeerSession | None = self
        while session is not None:
            session.used = now
            session = session.successor

    def emptied(self) -> PeerSession:
        """Return the same session without its objects and settings."""
        return PeerSession(
            self.id,
            self.objects.emptied(),
            ttl=self.ttl,
            created=self.created,
            metadata=self.metadata,
            used=self.used,
            requests=self.requests,
        )
