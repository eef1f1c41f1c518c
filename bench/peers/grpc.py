"""gRPC: blocking with JSON in bytes, and on asyncio with `google.protobuf.Struct`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from bench.link import TINY, Link, Peer, socket_path, spawn, until

__all__ = ["PEERS"]

# A first connection that comes too early would be tried again only after a second.
_SOON = [("grpc.initial_reconnect_backoff_ms", 10), ("grpc.min_reconnect_backoff_ms", 10)]


@asynccontextmanager
async def _sync() -> AsyncIterator[Link]:
    import grpc
    import msgspec

    from bench.serve.grpc_sync import OPTIONS

    with socket_path() as path, spawn("grpc_sync", path) as process:
        until(lambda: os.stat(path))
        with grpc.insecure_channel(f"unix:{path}", options=OPTIONS + _SOON) as channel:
            codec = {"request_serializer": msgspec.json.encode, "response_deserializer": msgspec.json.decode}
            echo = channel.unary_unary("/bench/echo", **codec)
            array = channel.unary_unary("/bench/array")

            def submit(value: Any) -> Callable[[], Any]:
                answer: Callable[[], Any] = echo.future(value).result
                return answer

            echo(TINY, wait_for_ready=True)
            yield Link(
                pid=process.pid,
                echo=echo,
                submit=submit,
                stream=channel.unary_stream("/bench/stream", **codec),
                array=lambda value: np.frombuffer(array(value.tobytes()), value.dtype),
            )


@asynccontextmanager
async def _aio() -> AsyncIterator[Link]:
    import grpc
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.struct_pb2 import Struct

    from bench.serve.grpc_aio import OPTIONS, struct

    with socket_path() as path, spawn("grpc_aio", path) as process:
        until(lambda: os.stat(path))
        async with grpc.aio.insecure_channel(f"unix:{path}", options=OPTIONS + _SOON) as channel:
            codec = {"request_serializer": Struct.SerializeToString, "response_deserializer": Struct.FromString}
            call = channel.unary_unary("/bench/echo", **codec)
            chunks = channel.unary_stream("/bench/stream", **codec)

            async def echo(value: Any) -> Any:
                return MessageToDict(await call(struct(value)))

            async def stream(count: int) -> AsyncIterator[Any]:
                async for chunk in chunks(struct({"count": count})):
                    yield MessageToDict(chunk)

            await call(struct(TINY), wait_for_ready=True)
            yield Link(pid=process.pid, echo=echo, asynchronous=True, stream=stream)


PEERS = [
    Peer(name="grpc-sync", title="gRPC sync, bytes", open=_sync, needs=("grpcio", "msgspec")),
    Peer(name="grpc-aio", title="gRPC aio, Struct", open=_aio, needs=("grpcio", "protobuf")),
]
