"""The standard library's XML-RPC, with connections that are kept and one thread for each."""

from __future__ import annotations

from socketserver import ThreadingMixIn
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from bench.serve.functions import identity

__all__ = ["serve"]


class _Requests(SimpleXMLRPCRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


class _Server(ThreadingMixIn, SimpleXMLRPCServer):
    daemon_threads = True
    request_queue_size = 128


def serve(port: str) -> None:
    """Serve on a port of this machine, for ever."""
    server = _Server(
        ("127.0.0.1", int(port)), requestHandler=_Requests, logRequests=False, allow_none=True, use_builtin_types=True
    )
    server.register_function(identity, "echo")
    server.serve_forever()
