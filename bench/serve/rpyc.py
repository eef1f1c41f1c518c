"""RPyC's worker: values travel as JSON text, because an object that does not is reached back for field by field."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import rpyc
from rpyc.utils.server import ThreadedServer

from bench.serve.functions import chunks

__all__ = ["serve"]


class _Service(rpyc.Service):  # type: ignore[misc]
    def exposed_pid(self) -> int:
        return os.getpid()

    def exposed_echo(self, text: str) -> str:
        return json.dumps(json.loads(text))

    def exposed_array(self, data: bytes) -> bytes:
        return data

    def exposed_stream(self, count: int) -> Iterator[str]:
        return map(json.dumps, chunks(count))


def serve(path: str) -> None:
    """Serve on a unix socket, for ever."""
    ThreadedServer(_Service, socket_path=path, protocol_config={"sync_request_timeout": 60}).start()
