"""Our worker: through our clients, and driven by a foreign peer over stdio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from bench.frames import Frames
from bench.link import ROOT, TINY, WINDOW, Link, Peer

__all__ = ["PEERS", "worker_of"]

_ENVIRONMENT = {"PYTHONPATH": str(ROOT / "bench" / "plugin")}
_FRAMEWORK = {"bench": {"environment": _ENVIRONMENT}}
_TIMEOUT = 30.0


def worker_of(guardian: int) -> int:
    """Return the worker's process id: it is the only child of its guardian."""
    with open(f"/proc/{guardian}/task/{guardian}/children", encoding="ascii") as children:
        return int(children.read())


@asynccontextmanager
async def _bridge() -> AsyncIterator[Link]:
    from bridge_core import Bridge

    with Bridge(_FRAMEWORK) as bridge, bridge.session() as session:
        run = session.run

        def echo(value: Any) -> Any:
            return run("bench.echo", value=value, timeout=_TIMEOUT)

        def array(value: Any) -> Any:
            return np.frombuffer(run("bench.array", data=memoryview(value).cast("B"), timeout=_TIMEOUT), value.dtype)

        def submit(value: Any) -> Callable[[], Any]:
            answer: Callable[[], Any] = session.submit("bench.echo", value=value, timeout=_TIMEOUT).result
            return answer

        echo(TINY)
        guardian = bridge.pids()["bench"]
        yield Link(
            pid=worker_of(guardian),
            echo=echo,
            text=lambda value: run("bench.text", text=value, timeout=_TIMEOUT),
            floats=lambda value: run("bench.floats", data=value, timeout=_TIMEOUT),
            array=array,
            stream=lambda count: session.stream("bench.chunks", count=count, timeout=_TIMEOUT),
            submit=submit,
            batch=lambda values: session.batch(
                (("bench.echo", {"value": value}) for value in values), at_once=WINDOW, timeout=_TIMEOUT
            ),
            guardian=guardian,
            supervised=True,
        )


@asynccontextmanager
async def _async_bridge() -> AsyncIterator[Link]:
    from bridge_core import AsyncBridge

    async with AsyncBridge(_FRAMEWORK) as bridge, bridge.session() as session:
        run = session.run

        async def echo(value: Any) -> Any:
            return await run("bench.echo", value=value, timeout=_TIMEOUT)

        async def array(value: Any) -> Any:
            answer = await run("bench.array", data=memoryview(value).cast("B"), timeout=_TIMEOUT)
            return np.frombuffer(answer, value.dtype)

        await echo(TINY)
        guardian = bridge.pids()["bench"]
        yield Link(
            pid=worker_of(guardian),
            echo=echo,
            asynchronous=True,
            text=lambda value: run("bench.text", text=value, timeout=_TIMEOUT),
            floats=lambda value: run("bench.floats", data=value, timeout=_TIMEOUT),
            array=array,
            stream=lambda count: session.stream("bench.chunks", count=count, timeout=_TIMEOUT),
            guardian=guardian,
            supervised=True,
        )


class _ForeignPeer:
    """Knows the protocol's page and nothing of ours: standard library JSON over the worker's pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._frames = Frames(process.stdout.fileno(), process.stdin.fileno())
        self._id = 0

    def send(self, operation: str, stream: bool, arguments: dict[str, Any]) -> int:
        self._id += 1
        request = {
            "id": self._id,
            "command": operation,
            "args": arguments,
            "session_id": "bench",
            "timeout_ms": _TIMEOUT * 1000,
        }
        if stream:
            request["stream"] = True
        self._frames.send(json.dumps(request).encode())
        return self._id

    def receive(self, number: int) -> Any:
        answer = json.loads(self._frames.receive())
        if answer["id"] != number or "error" in answer:
            raise RuntimeError(f"not the answer to {number}: {answer}")
        return answer

    def run(self, operation: str, **arguments: Any) -> Any:
        return self.receive(self.send(operation, False, arguments))["result"]

    def submit(self, value: Any) -> Callable[[], Any]:
        number = self.send("bench.echo", False, {"value": value})
        return lambda: self.receive(number)["result"]

    def stream(self, count: int) -> Iterator[Any]:
        number = self.send("bench.chunks", True, {"count": count})
        while "chunk" in (answer := self.receive(number)):
            if not answer["chunk"]["is_final"]:
                yield answer["chunk"]["payload"]


def _worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bridge_core", "worker", "--framework", "bench"]
    environment = {**os.environ, **_ENVIRONMENT}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment)


@asynccontextmanager
async def _stdio() -> AsyncIterator[Link]:
    with _worker() as process:
        peer = _ForeignPeer(process)
        peer.run("bench.echo", value=TINY)
        try:
            yield Link(
                pid=worker_of(process.pid),
                echo=lambda value: peer.run("bench.echo", value=value),
                text=lambda value: peer.run("bench.text", text=value),
                floats=lambda value: peer.run("bench.floats", data=value),
                stream=peer.stream,
                submit=peer.submit,
                guardian=process.pid,
            )
        finally:
            process.terminate()


_NEEDS = ("bridge-core",)
PEERS = [
    Peer(name="bridge", title="**Bridge**", label="Bridge", open=_bridge, needs=_NEEDS, ours=True),
    Peer(
        name="async-bridge", title="**AsyncBridge**", label="AsyncBridge", open=_async_bridge, needs=_NEEDS, ours=True
    ),
    Peer(
        name="stdio",
        title="**our worker**, foreign JSON peer over pipes",
        label="our worker, JSON",
        open=_stdio,
        needs=_NEEDS,
        ours=True,
    ),
]
