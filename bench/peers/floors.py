"""The floors, below which nothing that talks to another process can get, and a naive bridge."""

from __future__ import annotations

import array
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from bench.frames import Frames
from bench.link import TINY, Link, Peer, spawn

__all__ = ["FLOOR", "PEERS"]

_TINY = json.dumps({"id": 1, "command": "echo", "args": TINY}).encode()


@asynccontextmanager
async def _raw() -> AsyncIterator[Link]:
    with spawn("floor", "raw") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        frames = Frames(process.stdout.fileno(), process.stdin.fileno())

        def submit(value: Any) -> Callable[[], Any]:
            frames.send(_TINY)

            def wait() -> Any:
                assert frames.receive() == _TINY
                return value

            return wait

        def text(value: str) -> str:
            frames.send(value.encode())
            return frames.receive().decode()

        def floats(value: list[float]) -> list[float]:
            frames.send(array.array("d", value).tobytes())
            answer = array.array("d")
            answer.frombytes(frames.receive())
            return answer.tolist()

        def numbers(value: Any) -> Any:
            import numpy as np

            frames.send(memoryview(value).cast("B"))
            return np.frombuffer(frames.receive(), value.dtype)

        submit(TINY)()
        yield Link(
            pid=process.pid,
            echo=lambda value: submit(value)(),
            submit=submit,
            text=text,
            floats=floats,
            array=numbers,
        )


@asynccontextmanager
async def _coded(codec: str) -> AsyncIterator[Link]:
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes | bytearray], Any]
    if codec == "msgspec":
        import msgspec

        encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    else:

        def encode(value: Any) -> bytes:
            return json.dumps(value).encode()

        decode = json.loads
    with spawn("floor" if codec == "msgspec" else "naive", codec) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        frames = Frames(process.stdout.fileno(), process.stdin.fileno())

        def submit(value: Any) -> Callable[[], Any]:
            frames.send(encode({"id": 1, "command": "echo", "args": value}))
            return lambda: decode(frames.receive())["result"]

        submit(TINY)()
        yield Link(pid=process.pid, echo=lambda value: submit(value)(), submit=submit)


@asynccontextmanager
async def _connection() -> AsyncIterator[Link]:
    import multiprocessing

    import numpy as np

    from bench.serve.connection import serve

    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()

    def submit(value: Any) -> Callable[[], Any]:
        ours.send(("echo", value))
        return ours.recv

    def numbers(value: Any) -> Any:
        ours.send(("array", None))
        ours.send_bytes(value)
        return np.frombuffer(ours.recv_bytes(), value.dtype)

    def stream(count: int) -> Iterator[Any]:
        ours.send(("stream", count))
        for _ in range(count):
            yield ours.recv()

    try:
        submit(TINY)()
        assert process.pid is not None
        yield Link(pid=process.pid, echo=lambda v: submit(v)(), submit=submit, array=numbers, stream=stream)
    finally:
        process.kill()
        process.join()
        ours.close()


FLOOR = Peer(name="floor-raw", title="floor: raw bytes over pipes", label="floor: raw bytes", open=_raw, floor=True)
PEERS = [
    FLOOR,
    Peer(name="floor-json", title="floor: + msgspec JSON", open=lambda: _coded("msgspec"), floor=True),
    Peer(
        name="connection",
        title="floor: multiprocessing.Connection (pickle)",
        label="floor: Connection",
        open=_connection,
        floor=True,
    ),
    Peer(
        name="naive", title="a naive blocking bridge (stdlib json)", label="a naive bridge", open=lambda: _coded("json")
    ),
]
