"""A raw peer for tests: speaks bytes and frames to a worker that it starts, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from guards import BOUND

__all__ = ["PATIENCE", "PLUGINS", "Message", "Peer", "ends", "frame", "plugin_path"]

PATIENCE = 6 * BOUND
"""Seconds that a test waits for another process at most: a loaded machine may take that long to start Python."""
PLUGINS = Path(__file__).with_name("plugins")
Message: TypeAlias = "dict[str, Any]"


def frame(message: object) -> bytes:
    """Return a message, or the bytes given, as one frame."""
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(payload)) + payload


def plugin_path(*folders: Path) -> str:
    """Return a PYTHONPATH that has these folders first."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])


def ends(pidfd: int, bound: float = PATIENCE) -> bool:
    """Wait until the process behind a pidfd has ended."""
    return bool(select.select([pidfd], [], [], bound)[0])


class Peer:
    """A worker process and the raw pipes to it.

    Args:
        flags: The worker's; it serves the framework `probe` when there are none.
        folders: Put in front of the worker's import path.
        environment: More variables for the worker.
    """

    def __init__(
        self, *flags: str, folders: tuple[Path, ...] = (PLUGINS,), environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 — closed by `close`
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bridge_core", "worker", *(flags or ("--framework", "probe"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": plugin_path(*folders), **(environment or {})},
            bufsize=0,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self._received = bytearray()
        self._kept: list[Message] = []
        self._next_id = 0

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are."""
        while data:
            data = data[self.input.write(data) :]

    def send(self, command: str, args: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """Send one request and return its id."""
        if "id" not in fields:
            self._next_id += 1
            fields["id"] = f"r{self._next_id}"
        self.send_bytes(frame({"command": command, "args": dict(args or {}), **fields}))
        return fields["id"]

    def receive(self) -> Message:
        """Return the next message, kept ones first."""
        return self._kept.pop(0) if self._kept else self._next()

    def response(self, id: Any) -> Message:
        """Return the terminal response of a request; what comes before it is kept."""
        for kept in self._kept:
            if kept.get("id") == id and "success" in kept:
                self._kept.remove(kept)
                return kept
        while True:
            message = self._next()
            if message.get("id") == id and "success" in message:
                return message
            self._kept.append(message)

    def ask(self, command: str, args: Mapping[str, Any] | None = None, **fields: Any) -> Message:
        """Send a request and return its response."""
        return self.response(self.send(command, args, **fields))

    def result(self, command: str, args: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        """Send a request that goes well and return its result."""
        answer = self.ask(command, args, **fields)
        assert answer["success"], answer
        return answer["result"]

    def reason(self, command: str, args: Mapping[str, Any] | None = None, **fields: Any) -> str:
        """Send a request that does not go well and return the reason."""
        answer = self.ask(command, args, **fields)
        assert not answer["success"], answer
        return str(answer["error_info"]["reason"])

    def stream(self, command: str, args: Mapping[str, Any] | None = None, **fields: Any) -> tuple[list[Any], Message]:
        """Send a streamed request and return its chunks and its response."""
        request = self.send(command, args, stream=True, **fields)
        answer = self.response(request)
        chunks = [kept["chunk"] for kept in self._kept if "chunk" in kept and kept["id"] == request]
        self._kept = [kept for kept in self._kept if kept.get("id") != request]
        return chunks, answer

    def run(self, command: str, args: Mapping[str, Any], **fields: Any) -> Any:
        """Send a request whose handler says that it was reached, return the id once it runs."""
        request = self.send(command, args, **fields)
        assert self.result("probe.reached", {"name": args["name"]})
        return request

    def rest(self) -> list[Message]:
        """Return everything that comes until the worker closes its output."""
        messages, self._kept = self._kept, []
        return messages + list(self._until_end())

    def close_input(self) -> None:
        """Send nothing more."""
        self.input.close()

    def wait(self) -> int:
        """Wait until the worker has ended by itself and return its exit code."""
        pidfd = os.pidfd_open(self.process.pid)
        try:
            assert ends(pidfd), "the worker did not end"
        finally:
            os.close(pidfd)
        return self.process.wait()

    def end(self) -> int:
        """Send nothing more and return the worker's exit code."""
        self.close_input()
        return self.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the worker."""
        self.process.send_signal(number)

    def log(self) -> str:
        """Return what the worker has written to stderr so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def close(self) -> None:
        """End the worker, by force if need be."""
        self.input.close()
        if self.process.poll() is None:
            pidfd = os.pidfd_open(self.process.pid)
            if not ends(pidfd, BOUND):
                self.process.send_signal(signal.SIGKILL)
            os.close(pidfd)
            self.process.wait()
        self.output.close()
        self._log.close()

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next(self) -> Message:
        message = next(self._until_end(), None)
        assert message is not None, f"the worker closed its output; its log:\n{self.log()}"
        return message

    def _until_end(self) -> Iterator[Message]:
        deadline = time.monotonic() + PATIENCE
        while True:
            if (payload := self._take()) is not None:
                yield json.loads(payload)
                continue
            left = deadline - time.monotonic()
            assert left > 0, f"nothing came; kept: {self._kept}; the worker's log:\n{self.log()}"
            if select.select([self.output], [], [], left)[0]:
                data = os.read(self.output.fileno(), 1 << 20)
                if not data:
                    assert not self._received, f"the worker ended inside a frame: {bytes(self._received[:100])!r}"
                    return
                self._received += data

    def _take(self) -> bytes | None:
        if len(self._received) < 4:
            return None
        end = 4 + int.from_bytes(self._received[:4], "big")
        if len(self._received) < end:
            return None
        payload = bytes(self._received[4:end])
        del self._received[:end]
        return payload
