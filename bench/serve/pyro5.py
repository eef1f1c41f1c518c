"""Pyro5's worker, with its fastest serializer, on a unix socket."""

from __future__ import annotations

import Pyro5.api

from bench.serve.functions import Echo

__all__ = ["serve"]


def serve(path: str) -> None:
    """Serve on a unix socket, for ever."""
    Pyro5.config.SERIALIZER = "msgpack"
    with Pyro5.api.Daemon(unixsocket=path) as daemon:
        daemon.register(Pyro5.api.expose(Echo)(), "echo")
        daemon.requestLoop()
