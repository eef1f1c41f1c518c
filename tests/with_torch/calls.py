"""Calls of bridge-transformers' operations."""

from __future__ import annotations

from bridge_transformers import plugin
from calls import PluginPeer

__all__ = ["Peer"]


class Peer(PluginPeer):
    """One peer of bridge-transformers; each call is made in the calling thread."""

    def __init__(self) -> None:
        super().__init__(plugin, "transformers")
