"""What people deploy instead: an HTTP service, an MCP server, a model server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.link import TINY, WINDOW, Link, Peer, free_port, spawn, until

__all__ = ["PEERS"]


@asynccontextmanager
async def _fastapi() -> AsyncIterator[Link]:
    import httpx

    port = free_port()
    options: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{port}",
        "timeout": 60,
        "limits": httpx.Limits(max_connections=WINDOW),
    }
    with spawn("fastapi", str(port)) as process, httpx.Client(**options) as client:
        async with httpx.AsyncClient(**options) as lanes:

            def echo(value: Any) -> Any:
                return client.post("/call", json={"method": "echo", "args": value}).json()["result"]

            async def lane(value: Any) -> Any:
                return (await lanes.post("/call", json={"method": "echo", "args": value})).json()["result"]

            def stream(count: int) -> Iterator[Any]:
                with client.stream("GET", f"/stream/{count}") as response:
                    yield from map(json.loads, response.iter_lines())

            def array(value: Any) -> Any:
                return np.frombuffer(client.post("/array", content=value.tobytes()).content, value.dtype)

            until(lambda: echo(TINY))
            yield Link(pid=process.pid, echo=echo, lane=lane, stream=stream, array=array)


@asynccontextmanager
async def _mcp() -> AsyncIterator[Link]:
    from mcp import Client, StdioServerParameters

    code = "from bench.serve.mcp import serve; serve('')"
    server = StdioServerParameters(command=sys.executable, args=["-c", code], env=dict(os.environ))
    async with Client(server) as client:

        async def echo(value: Any) -> Any:
            return (await client.call_tool("echo", {"value": value})).structured_content["value"]

        async def stream(count: int) -> AsyncIterator[Any]:
            arrived: asyncio.Queue[dict[str, int]] = asyncio.Queue()

            async def progress(number: float, total: float | None, message: str | None) -> None:
                arrived.put_nowait({"i": int(number)})

            call = asyncio.ensure_future(client.call_tool("stream", {"count": count}, progress_callback=progress))
            for _ in range(count):
                yield await arrived.get()
            await call

        pid = (await client.call_tool("pid", {})).structured_content["result"]
        yield Link(pid=pid, echo=echo, asynchronous=True, stream=stream)


def _models(folder: Path, port: int) -> None:
    """Write the two files that MLServer reads."""
    settings = {
        "host": "127.0.0.1", "http_port": free_port(), "grpc_port": port, "metrics_port": free_port(),
        "parallel_workers": 1, "grpc_max_message_length": 2**27, "use_structured_logging": False, "debug": False,
    }  # fmt: skip
    model = {"name": "echo", "implementation": "bench.serve.mlserver.EchoModel"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))


def _server(folder: str) -> subprocess.Popen[bytes]:
    program = [str(Path(sys.executable).with_name("mlserver")), "start", folder]
    return subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


@asynccontextmanager
async def _mlserver() -> AsyncIterator[Link]:
    import grpc
    from mlserver.grpc import dataplane_pb2 as messages
    from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    port = free_port()

    def request(kind: str, shape: list[int], content: bytes) -> Any:
        # Raw contents are the fast way; its server takes lists of numbers too, much slower.
        tensor = messages.ModelInferRequest.InferInputTensor(name="x", datatype=kind, shape=shape)
        return messages.ModelInferRequest(model_name="echo", inputs=[tensor], raw_input_contents=[content])

    with tempfile.TemporaryDirectory() as folder:
        _models(Path(folder), port)
        server = _server(folder)
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
                stub = GRPCInferenceServiceStub(channel)

                def submit(value: Any) -> Callable[[], Any]:
                    text = json.dumps(value).encode()
                    answer = stub.ModelInfer.future(
                        request("BYTES", [1], len(text).to_bytes(4, "little") + text), wait_for_ready=True
                    )
                    return lambda: json.loads(answer.result().raw_output_contents[0][4:])

                def array(value: Any) -> Any:
                    answer = stub.ModelInfer(request(f"FP{value.itemsize * 8}", list(value.shape), value.tobytes()))
                    return np.frombuffer(answer.raw_output_contents[0], value.dtype)

                pid = until(lambda: submit(None)())
                yield Link(pid=pid, echo=lambda value: submit(value)(), submit=submit, array=array)
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


PEERS = [
    Peer(name="fastapi", title="FastAPI + httpx", open=_fastapi, needs=("fastapi", "uvicorn", "httpx")),
    Peer(name="mcp", title="MCP over stdio", open=_mcp, needs=("mcp",)),
    Peer(name="mlserver", title="MLServer", open=_mlserver, needs=("mlserver",)),
]
