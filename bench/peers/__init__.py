"""All peers, in the order in which they are told about."""

from __future__ import annotations

from bench.link import Peer

from . import clusters, floors, grpc, ours, pools, rpc, services

__all__ = ["FLOOR", "PEERS", "QUICK"]

FLOOR = floors.FLOOR
PEERS: dict[str, Peer] = {
    peer.name: peer for module in (ours, floors, pools, rpc, grpc, services, clusters) for peer in module.PEERS
}
QUICK = [
    *(peer.name for peer in ours.PEERS),
    "floor-raw", "floor-json", "naive", "pyro5", "execnet", "process-pool", "grpc-sync", "ray", "mcp",
]  # fmt: skip
