"""Calls of bridge-dspy's operations."""

from __future__ import annotations

from bridge_dspy import plugin
from calls import PluginPeer

__all__ = ["Peer"]


class Peer(PluginPeer):
    """One peer of bridge-dspy, with its sessions; each call is made in the calling thread."""

    def __init__(self) -> None:
        super().__init__(plugin, "dspy")
