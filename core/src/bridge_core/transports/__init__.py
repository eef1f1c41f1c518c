"""Moving bytes: a worker's standard input and output, and the processes at the other end of such pipes."""

from ._descriptors import DescriptorTransport, claim_standard_streams
from ._process import WorkerProcess

__all__ = ["DescriptorTransport", "WorkerProcess", "claim_standard_streams"]
