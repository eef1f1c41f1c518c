"""gRPC's worker with threads; JSON in bytes, which is its fastest way to carry any value."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import msgspec

from bench.serve.functions import chunks, identity

__all__ = ["OPTIONS", "serve"]

OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def _stream(count: int, _: Any) -> Iterator[dict[str, int]]:
    return chunks(count)


def serve(path: str) -> None:
    """Serve on a unix socket, for ever."""
    codec = {"request_deserializer": msgspec.json.decode, "response_serializer": msgspec.json.encode}
    methods = {
        "echo": grpc.unary_unary_rpc_method_handler(lambda value, _: value, **codec),
        "array": grpc.unary_unary_rpc_method_handler(lambda value, _: identity(value)),
        "stream": grpc.unary_stream_rpc_method_handler(_stream, **codec),
    }
    server = grpc.server(ThreadPoolExecutor(10), options=OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", methods),))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    server.wait_for_termination()
