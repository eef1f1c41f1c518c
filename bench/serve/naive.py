"""A bridge as one writes it in an afternoon: one blocking loop, the standard library's JSON, buffered stdio."""

from __future__ import annotations

import json
import struct
import sys
import threading
import time
from typing import Any

__all__ = ["serve"]


class _Bridge:
    def __init__(self) -> None:
        self.commands = 0
        self.lock = threading.Lock()
        self.handlers = {"echo": self.echo}

    def echo(self, arguments: Any) -> Any:
        return arguments

    def handle(self, command: str, arguments: Any) -> Any:
        with self.lock:
            self.commands += 1
        if command not in self.handlers:
            raise ValueError(f"Unknown command: {command}")
        return self.handlers[command](arguments)

    def run(self) -> None:
        while (request := self.read()) is not None:
            answer = {"id": request.get("id"), "timestamp": time.time()}
            try:
                answer |= {"success": True, "result": self.handle(request.get("command"), request.get("args", {}))}
            except ValueError as exc:
                answer |= {"success": False, "error": str(exc)}
            self.write(answer)

    def read(self) -> Any:
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return None
        return json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]).decode("utf-8"))

    def write(self, answer: Any) -> None:
        body = json.dumps(answer).encode("utf-8")
        sys.stdout.buffer.write(struct.pack(">I", len(body)))
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()


def serve(_: str) -> None:
    """Serve until the end of the input."""
    _Bridge().run()
