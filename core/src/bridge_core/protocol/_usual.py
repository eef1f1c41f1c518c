"""Decoding in one step what is most likely to come: a message of the same kind as the last one, with nothing odd in it.

Everything else is decoded by way of the structs that take any message, which say exactly what is wrong. A message means
the same in both ways; only what its kind does not look at may be something that they would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType

from ._codecs import UNREADABLE
from ._messages import Chunk, ChunkWire, Id, Request, Response, is_id, is_usual

if TYPE_CHECKING:
    from ._codecs import Codec
    from ._frames import Buffer
    from ._messages import Message

__all__ = ["Usual"]

# So often in a row may a message be of the kind expected and yet odd, before nothing is expected any more.
_PATIENCE = 8


class _Plain(Struct, kw_only=True, frozen=True):
    """A response that is one whatever is looked at first, and has all that one has."""

    id: Id
    success: bool
    result: Any
    timestamp: int | float
    chunk: UnsetType = UNSET
    tool: UnsetType = UNSET
    event: UnsetType = UNSET


class _Part(ChunkWire, kw_only=True, frozen=True):
    """A chunk that is nothing else."""

    success: UnsetType = UNSET
    tool: UnsetType = UNSET
    event: UnsetType = UNSET


def _request(wire: Request) -> Request | None:
    return wire if is_usual(wire) else None


def _response(wire: _Plain) -> Response | None:
    if wire.success is not True or not is_id(wire.id):
        return None
    return Response(id=wire.id, result=wire.result, timestamp=wire.timestamp)


def _chunk(wire: _Part) -> Chunk | None:
    body = wire.chunk
    chunk = Chunk(id=wire.id, number=body.number, payload=body.payload, final=body.final)
    return chunk if is_id(wire.id) else None


_Kinds = dict[type, tuple[type, Callable[[Any], Any]]]
_AT_WORKER: _Kinds = {Request: (Request, _request)}
_AT_PEER: _Kinds = {Response: (_Plain, _response), Chunk: (_Part, _chunk)}


class Usual:
    """What one end of a connection expects next."""

    def __init__(self, codec: Codec, *, at_worker: bool) -> None:
        self._codec = codec
        self._kinds = _AT_WORKER if at_worker else _AT_PEER
        self._known: dict[type, tuple[Callable[[Buffer], Any], Callable[[Any], Any]]] = {}
        self._kind: type | None = None
        self._missed: type | None = None
        self._misses = 0
        self._decode: Callable[[Buffer], Any]
        self._accept: Callable[[Any], Any]

    def decode(self, payload: Buffer) -> Message | None:
        """Return the message if it is what was expected, else None."""
        if self._kind is None:
            return None
        try:
            message: Message | None = self._accept(self._decode(payload))
        except UNREADABLE:
            message = None
        if message is None:
            self._missed, self._kind = self._kind, None
        else:
            self._misses = 0
        return message

    def expect(self, kind: type) -> None:
        """Expect another message of the kind that has come, unless those that came were odd too often."""
        if kind is self._kind or kind not in self._kinds or self._misses == _PATIENCE:
            return
        if kind is self._missed:
            self._misses += 1
        self._missed = None
        if kind not in self._known:
            wire, accept = self._kinds[kind]
            self._known[kind] = (self._codec.decoder(wire), accept)
        self._kind = kind
        self._decode, self._accept = self._known[kind]
