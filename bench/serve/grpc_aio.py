"""gRPC's worker on asyncio; `google.protobuf.Struct`, which is how a schema of its own carries any value."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from bench.serve.functions import chunks

__all__ = ["OPTIONS", "serve", "struct"]

OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def struct(value: dict[str, Any]) -> Struct:
    """Return the value as a message."""
    message = Struct()
    message.update(value)
    return message


async def _echo(request: Struct, _: Any) -> Struct:
    return struct(MessageToDict(request))


async def _stream(request: Struct, _: Any) -> AsyncIterator[Struct]:
    for chunk in chunks(int(request["count"])):
        yield struct(chunk)


async def _serve(path: str) -> None:
    codec = {"request_deserializer": Struct.FromString, "response_serializer": Struct.SerializeToString}
    methods = {
        "echo": grpc.unary_unary_rpc_method_handler(_echo, **codec),
        "stream": grpc.unary_stream_rpc_method_handler(_stream, **codec),
    }
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", methods),))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    await server.wait_for_termination()


def serve(path: str) -> None:
    """Serve on a unix socket, for ever."""
    asyncio.run(_serve(path))
