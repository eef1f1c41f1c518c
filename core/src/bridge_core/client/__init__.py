"""Using frameworks in worker processes from Python.

The face for asyncio is in `_async`, which only its users import: asyncio costs 44 ms and 11 MB.
"""

from ._blocking import BlockingClient
from ._bridge import Bridge
from ._dynamic import Ref
from ._exceptions import exception_of
from ._refs import RefItem
from ._session import BridgeSession
from ._settings import WorkerSettings
from ._steps import Step
from ._streams import Stream

__all__ = [
    "BlockingClient", "Bridge", "BridgeSession", "Ref", "RefItem", "Step", "Stream", "WorkerSettings", "exception_of",
]  # fmt: skip
