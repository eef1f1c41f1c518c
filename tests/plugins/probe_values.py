"""Results of every kind, good and bad."""

from __future__ import annotations

import datetime as dt
import math
from collections import OrderedDict
from typing import Any

from bridge_core import Encode, JsonValue, Register


class Point:
    """A framework object that the plugin can describe."""

    def __init__(self, x: object) -> None:
        self.x = x


class Bad:
    """A framework object that the plugin fails to describe."""


class Careless:
    """A framework object that the plugin describes with something that has no form on the wire."""


def register(register: Register) -> None:
    register("echo", echo)
    register("echo_thread", echo, runs="thread")
    register("echo_async", echo_async)
    register("result", result)
    register("deep", deep)
    register("large", large)
    register("many", many)


def describe(value: object, encode: Encode) -> JsonValue:
    """Describe this framework's objects; None for those of others."""
    if isinstance(value, Point):
        return {"$type": "model", "class": "probe.Point", "fields": {"x": encode(value.x)}}
    if isinstance(value, Bad):
        raise ValueError("cannot look inside")
    if isinstance(value, Careless):
        return {"inside": object()}  # type: ignore[dict-item]
    return None


def echo(*, value: Any) -> Any:
    """Return the value."""
    return value


async def echo_async(*, value: Any) -> Any:
    """Return the value, on the event loop."""
    return value


def result(*, kind: str) -> Any:
    """Return a value of one of the kinds that JSON does not know."""
    loop: list[Any] = []
    loop.append(loop)
    both: dict[str, Any] = {}
    both["self"] = {"again": [both]}
    kinds: dict[str, Any] = {
        "none": None,
        "nan": math.nan,
        "inf": math.inf,
        "-inf": -math.inf,
        "floats": [0.5, math.nan, 1.5],
        "big": 2**64,
        "bigger": [10**30, -(2**63) - 1],
        "widest": [2**64 - 1, -(2**63)],
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"ab"),
        "tuple": (1, (2, 3)),
        "set": {3, 1, 2},
        "frozenset": frozenset(["b", "a"]),
        "numbers": {1: "one", None: "none", (1, 2): "pair"},
        "dollar": {"$type": "tuple", "items": []},
        "cycle": loop,
        "dict_cycle": both,
        "object": object(),
        "nested_object": {"rows": [{"cell": 1}, {"cell": object()}]},
        "keyed_object": {7: {"x": object()}},
        "date": dt.date(2024, 2, 29),
        "ordered": OrderedDict(a=1),
        "point": Point([Point(1), (2,)]),
        "bad": [Bad()],
        "careless": [Careless()],
        "surrogate": "half a \ud83d character",
        "function": echo,
        "class": Point,
    }
    return kinds[kind]


def deep(*, depth: int, kind: str = "list") -> Any:
    """Return lists, tuples or objects inside each other."""
    value: Any = None
    for _ in range(depth):
        value = [value] if kind == "list" else (value,) if kind == "tuple" else Point(value)
    return value


def large(*, size: int) -> str:
    """Return a long text."""
    return "x" * size


def many(*, count: int, kind: str = "numbers") -> Any:
    """Return many values."""
    return list(range(count)) if kind == "numbers" else {number: number for number in range(count)}
