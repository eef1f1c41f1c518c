"""zerorpc's worker, on ZeroMQ's unix socket."""

from __future__ import annotations

from collections.abc import Iterator

import zerorpc

from bench.serve.functions import Echo, chunks

__all__ = ["serve"]


class _Echo(Echo):
    @zerorpc.stream  # type: ignore[untyped-decorator]
    def stream(self, count: int) -> Iterator[dict[str, int]]:
        return chunks(count)


def serve(path: str) -> None:
    """Serve on a unix socket, for ever."""
    server = zerorpc.Server(_Echo())
    server.bind(f"ipc://{path}")
    server.run()
