"""What the protocol's tests share: wire vectors, and both ends of a connection fed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import msgspec

from bridge_core.protocol import BadMessage, Connection, Limits, Message, Request, encode_frame

__all__ = ["CODECS", "Received", "Vector", "drain", "frame", "packed", "peer", "receive", "vectors", "worker"]

CODECS = ("json", "msgpack")
WIRE = Path(__file__).parents[2] / "golden" / "wire.json"

Received = list["Message | BadMessage"]


@attrs.frozen(kw_only=True)
class Vector:
    """One example of bytes and what they mean."""

    name: str
    to: str
    codec: str
    wire: str
    """In hexadecimal, like the answer."""
    messages: list[dict[str, Any]]
    encodes: bool
    payloads: list[dict[str, str]]
    ends: bool = False
    answer: str = ""
    answer_payload: str | None = None
    codec_after: str | None = None

    @property
    def data(self) -> bytes:
        """What is received."""
        return bytes.fromhex(self.wire)

    def receiver(self) -> Connection:
        """Return the end that the bytes are for."""
        return worker(self.codec) if self.to == "worker" else peer(self.codec)

    def sender(self) -> Connection:
        """Return the end that sent them; a worker has the requests open that it answers."""
        if self.to == "worker":
            return peer(self.codec)
        return worker(self.codec, opened=[m["id"] for m in self.messages if m.get("id") is not None])


@cache
def vectors() -> tuple[Vector, ...]:
    """Return the vectors of tests/golden/wire.json."""
    return tuple(Vector(**vector) for vector in json.loads(WIRE.read_text("utf-8"))["vectors"])


def frame(payload: bytes | str) -> bytes:
    """Return the payload with its length before it."""
    payload = payload.encode() if isinstance(payload, str) else payload
    return len(payload).to_bytes(4, "big") + payload


def packed(value: object, codec: str = "json") -> bytes:
    """Return any value as one frame, also one that no `send` would let through."""
    encode = msgspec.json.encode if codec == "json" else msgspec.msgpack.encode
    return encode_frame(encode(value), 2**32 - 1)


def worker(codec: str = "json", *, opened: Iterable[int | float | str] = (), **limits: int) -> Connection:
    """Return a worker's end with these requests open."""
    connection = Connection("worker", limits=Limits(**limits), codec=codec)
    sender = Connection("peer", codec=codec)
    for one in dict.fromkeys(opened):
        (message,) = receive(connection, sender.send(Request(id=one, operation="x")))
        assert isinstance(message, Request)
    return connection


def peer(codec: str = "json", **limits: int) -> Connection:
    """Return a peer's end."""
    return Connection("peer", limits=Limits(**limits), codec=codec)


def drain(connection: Connection) -> Received:
    """Return all messages that have arrived."""
    return list(iter(connection.next_message, None))


def receive(connection: Connection, *reads: bytes) -> Received:
    """Feed the reads and return the messages."""
    messages: Received = []
    for data in reads:
        connection.receive_data(data)
        messages += drain(connection)
    return messages
