"""The child of a `multiprocessing.Pipe`."""

from __future__ import annotations

from multiprocessing.connection import Connection

from bench.serve.functions import chunks

__all__ = ["serve"]


def serve(connection: Connection) -> None:
    """Serve until the other end is closed."""
    try:
        while True:
            kind, value = connection.recv()
            if kind == "array":  # as bytes beside the pickle, as its documentation advises
                connection.send_bytes(connection.recv_bytes())
            elif kind == "stream":
                for chunk in chunks(value):
                    connection.send(chunk)
            else:
                connection.send(value)
    except EOFError:
        pass
