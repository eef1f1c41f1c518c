"""Decoding in one step what is most likely to come: a message of the same kind as the last one, with nothing odd in it.

Everything else is decoded by way of the structs that take any message, which say exactly what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._codecs import UNDECODABLE
from ._messages import Chunk, ChunkWire, Request, Response, is_id, is_usual

if TYPE_CHECKING:
    from ._codecs import Codec
    from ._frames import Buffer
    from ._messages import Message

__all__ = ["Usual"]


def _request(wire: Request) -> Request | None:
    return wire if is_usual(wire) else None


def _response(wire: Response) -> Response | None:
    return wire if wire.success is True and is_id(wire.id) else None


def _chunk(wire: ChunkWire) -> Chunk | None:
    body = wire.chunk
    if not is_id(wire.id):
        return None
    return Chunk(id=wire.id, number=body.number, payload=body.payload, final=body.final)


_KINDS: dict[type, tuple[type, Callable[[Any], Any]]] = {
    Request: (Request, _request),
    Response: (Response, _response),
    Chunk: (ChunkWire, _chunk),
}


class Usual:
    """What one end of a connection expects next."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._known: dict[type, tuple[Callable[[Buffer], Any], Callable[[Any], Any]]] = {}
        self._kind: type | None = None
        self._decode: Callable[[Buffer], Any]
        self._accept: Callable[[Any], Any]

    def decode(self, payload: Buffer) -> Message | None:
        """Return the message if it is what was expected, else None."""
        if self._kind is None:
            return None
        try:
            message: Message | None = self._accept(self._decode(payload))
        except (*UNDECODABLE, RecursionError):
            message = None
        if message is None:
            self._kind = None
        return message

    def expect(self, kind: type) -> None:
        """Expect another message of the kind that has come."""
        if kind is self._kind or kind not in _KINDS:
            return
        if kind not in self._known:
            wire, accept = _KINDS[kind]
            self._known[kind] = (self._codec.decoder(wire), accept)
        self._kind = kind
        self._decode, self._accept = self._known[kind]
