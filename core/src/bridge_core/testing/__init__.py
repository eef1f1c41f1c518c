"""For those who write plugins: try one without a process, and prove that it conforms."""

from ._conformance import PluginConformance
from ._loopback import LoopbackClient, loopback

__all__ = ["LoopbackClient", "PluginConformance", "loopback"]
