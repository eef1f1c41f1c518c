"""Sessions of a worker's peers and the live objects in them."""

from __future__ import annotations

from ._objects import MemoryObjectStore, StoredObject
from ._session import ANONYMOUS, PeerSession
from ._store import SessionStore

__all__ = ["ANONYMOUS", "MemoryObjectStore", "PeerSession", "SessionStore", "StoredObject"]
