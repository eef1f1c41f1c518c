"""Moving bytes: a worker's standard input and output, and the processes at the other end of such pipes."""

from typing import TYPE_CHECKING, Any

from ._descriptors import DescriptorTransport, claim_standard_streams

if TYPE_CHECKING:
    from ._process import WorkerProcess

__all__ = ["DescriptorTransport", "WorkerProcess", "claim_standard_streams"]


def __getattr__(name: str) -> Any:
    """Load what starts processes when it is first used: a worker starts none."""
    if name != "WorkerProcess":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._process import WorkerProcess

    return WorkerProcess
