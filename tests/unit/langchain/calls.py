"""Calls of bridge-langchain's operations."""

from __future__ import annotations

from typing import Any

import pytest

from bridge_core import BridgeError
from bridge_langchain import plugin
from calls import PluginPeer

__all__ = ["Peer"]


class Peer(PluginPeer):
    """One peer of bridge-langchain; its session `a` has the embedded model, each call is made in the calling thread."""

    def __init__(self, *, configured: bool = True) -> None:
        super().__init__(plugin, "langchain")
        if configured:
            self.call("configure_llm", model="embedded")

    def error(self, operation: str, **arguments: Any) -> BridgeError:
        """Make a call that fails and return why."""
        with pytest.raises(BridgeError) as caught:
            self.call(operation, **arguments)
        return caught.value
