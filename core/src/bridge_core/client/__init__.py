"""Using frameworks in worker processes from Python.

The face for asyncio is in `_async`, which only its users import: asyncio costs 44 ms and 11 MB.
"""

from ._blocking import BlockingClient
from ._bridge import Bridge
from ._exceptions import exception_of
from ._session import BridgeSession
from ._settings import WorkerSettings
from ._streams import Stream

__all__ = [
    "BlockingClient", "Bridge", "BridgeSession", "Stream", "WorkerSettings", "exception_of",
]  # fmt: skip
