"""The payload codecs: JSON and MessagePack.

What cannot be encoded raises. What msgspec would change instead (NaN to null, tuples and sets to arrays, bytes to text,
number keys to strings) is no business of this layer: results are put into wire form before they come here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from bridge_core.errors import SerializeFailedError

from ._bounds import check_json, check_msgpack, token_size
from ._frames import HEADER_SIZE
from ._messages import Id, OnlyCredit, OnlyId, is_id

if TYPE_CHECKING:
    from ._frames import Buffer
    from ._limits import Limits

__all__ = ["CODECS", "JSON", "MSGPACK", "UNDECODABLE", "Codec", "detect"]

T = TypeVar("T")

# msgspec's own errors are ValueErrors from 0.20 on; before that a map as a map's key was a TypeError.
UNDECODABLE = (msgspec.MsgspecError, ValueError, TypeError)
UNREADABLE = (*UNDECODABLE, RecursionError)


class Codec:
    """One way of writing messages; safe to use from several threads.

    Args:
        name: What a greeting and the command line call it.
        encode_into: msgspec's function of that name.
        decoder: Makes a msgspec decoder into a type.
        check: Refuses too many values (payload, limits, whether a worker receives it); true if depth must be checked
            after.
        first_member: Finds the id where nearly every peer writes it.
    """

    def __init__(
        self,
        *,
        name: str,
        encode_into: Callable[[object, bytearray, int], None],
        decoder: Callable[[Any], Any],
        check: Callable[[Buffer, Limits, bool], bool],
        first_member: Callable[[Buffer], Buffer | None],
    ) -> None:
        self.name = name
        self.check = check
        self._encode_into = encode_into
        self._decoder = decoder
        self._first_member = first_member
        self._only_id = self.decoder(OnlyId)
        self._only_credit = self.decoder(OnlyCredit)

    def encode(self, value: object) -> bytearray:
        """Return the value as a payload behind `HEADER_SIZE` bytes, so that it need not be copied into its frame.

        Raises:
            SerializeFailedError: Something in it has no form in this codec.
        """
        frame = bytearray()
        try:
            self._encode_into(value, frame, HEADER_SIZE)
            return frame
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as exc:
            raise SerializeFailedError(f"the message cannot be written as {self.name}: {exc}") from exc

    def decoder(self, into: type[T]) -> Callable[[Buffer], T]:
        """Return a function that decodes payloads into the type; it raises one of `UNDECODABLE` or RecursionError."""
        decode: Callable[[Buffer], T] = self._decoder(into).decode
        return decode

    def find_id(self, payload: Buffer) -> Id | None:
        """Return the id to answer when a message cannot be decoded as a whole, None if it cannot be had cheaply."""
        try:
            found = self._only_id(payload).id
        except RecursionError:
            # Skipping what is nested recurses too. Nearly every peer writes the id first, so look there; what is there
            # has just been decoded once, before the nesting was reached.
            member = self._first_member(payload)
            found = None if member is None else self._decoder(Any).decode(member)
        except UNDECODABLE:
            return None
        return found if is_id(found) and not self._is_credit(payload) else None

    def _is_credit(self, payload: Buffer) -> bool:
        try:
            self._only_credit(payload)
        except UNREADABLE:
            return False
        return True


def detect(payload: Buffer) -> Codec:
    """Return the codec that a first payload is written in: a MessagePack map cannot begin as JSON does."""
    first = payload[0] if payload else 0
    return MSGPACK if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF) else JSON


def _check_json(payload: Buffer, limits: Limits, at_worker: bool) -> bool:
    return check_json(payload, limits)


def _check_msgpack(payload: Buffer, limits: Limits, at_worker: bool) -> bool:
    return check_msgpack(payload, limits, plain_limit=limits.max_msgpack_bytes if at_worker else None)


_JSON_ID = re.compile(
    rb'[ \t\r\n]*\{[ \t\r\n]*"id"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.){0,500}"|[-+.0-9eE]{1,50})(?=[ \t\r\n]*,)'
)


def _first_json(payload: Buffer) -> Buffer | None:
    found = _JSON_ID.match(payload)
    return found[1] if found else None


def _first_msgpack(payload: Buffer) -> Buffer | None:
    start = {0xDE: 3, 0xDF: 5}.get(payload[0], 1) + 3
    if payload[start - 3 : start] != b"\xa2id":
        return None
    return payload[start : start + token_size(payload, start)]


def _refuse_extension(code: int, data: memoryview) -> NoReturn:
    raise ValueError(f"MessagePack extension type {code} has no meaning here")


JSON = Codec(
    name="json",
    encode_into=msgspec.json.Encoder().encode_into,
    decoder=msgspec.json.Decoder,
    check=_check_json,
    first_member=_first_json,
)
MSGPACK = Codec(
    name="msgpack",
    encode_into=msgspec.msgpack.Encoder().encode_into,
    decoder=lambda into: msgspec.msgpack.Decoder(into, ext_hook=_refuse_extension),
    check=_check_msgpack,
    first_member=_first_msgpack,
)
CODECS = {codec.name: codec for codec in (JSON, MSGPACK)}
