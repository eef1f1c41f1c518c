"""How complex a message may be: limits on its number of values and on its depth, as cheap as they can be had."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from bridge_core.errors import ValueTooComplexError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._frames import Buffer
    from ._limits import Limits

__all__ = ["check_depth", "check_json", "check_msgpack", "token_size"]

# Below this size walking the decoded values costs less than scanning the bytes.
_SCAN_FROM = 4096
# Tokens looked at before a MessagePack scan that is only about depth gives up.
_SCAN_TOKENS = 256
# Below this size counting a byte costs less than finding where it is, and so it does if it occurs this often.
_FIND_FROM = 16 * 1024
_MOST_FINDS = 1000
# Arrays from this length on are tried as a run of equally long scalars.
_RUN_FROM = 16

_CONTAINERS = frozenset({dict, list})


def check_json(payload: Buffer, limits: Limits) -> bool:
    """Check the number of values in JSON before it is decoded, and say whether its depth must be checked after.

    Raises:
        ValueTooComplexError: There are more values than `limits.max_nodes`.
    """
    size = len(payload)
    if size <= limits.max_nodes:  # a value costs at least a byte
        return _openers(payload, limits.max_depth + 1) > limits.max_depth
    # Counting also what is inside strings gives at least the number of values, so mostly there is nothing more to do.
    openers = _openers(payload, limits.max_nodes)
    if openers + _count(payload, b",", limits.max_nodes) >= limits.max_nodes:
        _check_json_exactly(payload, limits.max_nodes)
    return openers > limits.max_depth


def _openers(payload: Buffer, enough: int) -> int:
    return _count(payload, b"[", enough) + _count(payload, b"{", enough)


def _count(payload: Buffer, byte: bytes, enough: int) -> int:
    """Return how often the byte occurs, or at least `enough` if it does that often."""
    if len(payload) < _FIND_FROM:
        return payload.count(byte)
    # `find` passes over bytes that it does not look for about ten times as fast as `count` does.
    position = -1
    for found in range(min(enough, _MOST_FINDS)):
        position = payload.find(byte, position + 1)
        if position < 0:
            return found
    return enough if enough <= _MOST_FINDS else payload.count(byte)


def _check_json_exactly(payload: Buffer, limit: int) -> None:
    # Backslashes exist only inside strings, and a pair of them starts at the first of a run: without the pairs and the
    # escaped quotes every quote left begins or ends a string. Five passes at the speed of memchr, whatever the input.
    text = payload.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A value has at most two strings, its key and itself. This bounds the list that split makes.
    if text.count(b'"') > 4 * limit:
        raise _too_many(limit)
    outside = b'"'.join(text.split(b'"')[::2]).translate(None, b" \t\r\n")
    nodes = 1 + sum(map(outside.count, (b"[", b"{", b","))) - outside.count(b"[]") - outside.count(b"{}")
    if nodes > limit:
        raise _too_many(limit)


def check_msgpack(payload: Buffer, limits: Limits, *, plain_limit: int | None = None) -> bool:
    """Check the number of values in MessagePack before it is decoded, and say whether its depth must be checked after.

    Args:
        plain_limit: How many bytes there may be outside binary values, None for any number.

    Raises:
        ValueTooComplexError: There are more values, or more bytes outside binary ones, than allowed.
    """
    size = len(payload)
    if size > limits.max_nodes or (plain_limit is not None and size > plain_limit):
        scan = _Scan(payload, limits.max_nodes)
        if scan.nodes > limits.max_nodes:
            raise _too_many(limits.max_nodes)
        if plain_limit is not None and size - scan.binary > plain_limit:
            raise ValueTooComplexError(
                f"{size - scan.binary} bytes of MessagePack outside binary values, at most {plain_limit} are accepted",
                limit=plain_limit,
            )
        return scan.openers > limits.max_depth
    if size < _SCAN_FROM:
        return True
    scan = _Scan(payload, limits.max_nodes, tokens=_SCAN_TOKENS)
    return not scan.complete or scan.openers > limits.max_depth


def check_depth(values: Iterable[Any], allowed: int) -> None:
    """Check how deep decoded values are nested, level by level, without recursion.

    Raises:
        ValueTooComplexError: Arrays and objects are nested more than `allowed` deep.
    """
    level = [value for value in values if type(value) in _CONTAINERS]
    if not level:
        return
    for _ in range(allowed):
        # Long flat lists are cheap: one pass in C, and no second one unless that found a container.
        if _CONTAINERS.isdisjoint(map(type, _children(level))):
            return
        level = [child for child in _children(level) if type(child) in _CONTAINERS]
    raise ValueTooComplexError("arrays and objects are nested too deeply", limit=allowed)


def _children(level: list[Any]) -> Iterable[Any]:
    return chain.from_iterable(item if type(item) is list else item.values() for item in level)


def _too_many(limit: int) -> ValueTooComplexError:
    return ValueTooComplexError(f"the message holds more than {limit} values", limit=limit)


# MessagePack: how long the token with this first byte is, 0 where the bytes after it say so.
_WIDTHS = tuple(
    1 + (byte & 0x1F) if 0xA0 <= byte <= 0xBF  # short string
    else 0 if 0x80 <= byte <= 0x9F  # short map or array
    else {
        0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9,
        0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18,
    }.get(byte, 0 if 0xC4 <= byte <= 0xDF else 1)
    for byte in range(256)
)  # fmt: skip
# Strings, binaries and extensions: how long their length is, and what comes between it and the data.
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_BINARY = frozenset({0xC4, 0xC5, 0xC6})
_EXTENSIONS = frozenset({0xC7, 0xC8, 0xC9})
# Arrays and maps: how long their length is.
_ARRAYS = {0xDC: 2, 0xDD: 4}
_MAPS = {0xDE: 2, 0xDF: 4}


def token_size(payload: Buffer, position: int) -> int:
    """Return how many bytes the MessagePack scalar at this position takes, 0 if it is no scalar."""
    first = payload[position]
    if first in _LENGTHS:
        digits = _LENGTHS[first]
        length = int.from_bytes(payload[position + 1 : position + 1 + digits], "big")
        return 1 + digits + length + (first in _EXTENSIONS)
    return _WIDTHS[first]


class _Scan:
    """The tokens of one MessagePack value, counted without decoding it.

    Ends early when there are more values than the limit or `tokens` tokens were seen. What makes no sense as
    MessagePack is left for the decoder to refuse.
    """

    def __init__(self, payload: Buffer, max_nodes: int, *, tokens: int | None = None) -> None:
        self.nodes = 1
        self.openers = 0
        self.binary = 0
        self.complete = False
        self._run(payload, max_nodes, len(payload) if tokens is None else tokens)

    def _run(self, payload: Buffer, max_nodes: int, tokens: int) -> None:
        position, pending, size = 0, 1, len(payload)
        for _ in range(tokens):
            if not pending or position >= size:
                self.complete = True
                return
            pending -= 1
            first = payload[position]
            width = _WIDTHS[first]
            if not width and first in _LENGTHS:
                width = token_size(payload, position)
                if first in _BINARY:
                    self.binary += width
            if width:
                position += width
                continue
            length, header, is_map = _container(payload, position)
            position += header
            self.openers += 1
            self.nodes += length
            if self.nodes > max_nodes:
                return
            run = 0 if is_map or length < _RUN_FROM else _equal_scalars(payload, position, length)
            if run:
                position += run
            else:
                pending += 2 * length if is_map else length


def _container(payload: Buffer, position: int) -> tuple[int, int, bool]:
    """Return the number of entries of an array or map, the size of its header, and whether it is a map."""
    first = payload[position]
    if first < 0xA0:
        return first & 0x0F, 1, first < 0x90
    is_map = first in _MAPS
    digits = _MAPS[first] if is_map else _ARRAYS[first]
    return int.from_bytes(payload[position + 1 : position + 1 + digits], "big"), 1 + digits, is_map


def _equal_scalars(payload: Buffer, position: int, length: int) -> int:
    """Return how many bytes `length` scalars that all begin alike take, 0 if they do not: arrays of floats, mostly."""
    first = payload[position : position + 1]
    width = _WIDTHS[first[0]] if first else 0
    end = position + width * length
    if width and end <= len(payload) and payload[position:end:width].count(first) == length:
        return end - position
    return 0
