"""One place that turns results into what the wire can carry, without ever changing a value silently."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ._models import JsonValue
from .errors import BridgeError, HandlerRaisedError, SerializeFailedError, ValueTooComplexError

__all__ = ["NOT_PLAIN", "QUICK_NODES", "Live", "Serializer", "plain"]

NOT_PLAIN: Any = object()
"""What `plain` answers for a value that it leaves to a `Serializer`."""

_PLAIN = frozenset([type(None), bool, str])
_TEXT, _FLOATS = frozenset([str]), frozenset([float])
_SAFE, _BEYOND = 2**63, 2**64  # integers outside ±2^63 … 2^64 have no MessagePack form
_EXACT = 2**53  # from here on 64-bit floats, which are all numbers that JavaScript has, leave integers out

# Values of the standard library that travel as text (a duration as seconds), by the class that they are exactly: by
# name, so that nothing is imported for a look.
_TEXTUAL: dict[str, tuple[str, Callable[[Any], str | float]]] = {
    "builtins.complex": ("complex", str),
    "datetime.date": ("date", lambda value: str(value.isoformat())),
    "datetime.datetime": ("datetime", lambda value: str(value.isoformat())),
    "datetime.time": ("time", lambda value: str(value.isoformat())),
    "datetime.timedelta": ("timedelta", lambda value: float(value.total_seconds())),
    "decimal.Decimal": ("decimal", str),
    "fractions.Fraction": ("fraction", str),
    "uuid.UUID": ("uuid", str),
    **dict.fromkeys(("pathlib.PosixPath", "pathlib.PurePosixPath"), ("path", str)),
    **dict.fromkeys(
        [f"ipaddress.IPv{version}{kind}" for version in (4, 6) for kind in ("Address", "Network", "Interface")],
        ("ip", str),
    ),
}

# Containers this small, and no deeper, need no list of what is open, no path and no counting: together they hold less
# than QUICK_NODES values.
_QUICK_ITEMS, _QUICK_DEPTH = 32, 3
QUICK_NODES = 40_000


def plain(value: Any, depth: int = _QUICK_DEPTH) -> Any:
    """Return a copy of a small value of JSON's own types, which is its wire form; NOT_PLAIN for any other value.

    Most results are such, and a Serializer would cost more than all the rest of an answer.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -_SAFE <= value < _BEYOND else NOT_PLAIN
    if kind is float:
        return value if math.isfinite(value) else NOT_PLAIN
    if not depth or (kind is not dict and kind is not list) or len(value) > _QUICK_ITEMS:
        return NOT_PLAIN
    if kind is list:
        items = [item if type(item) in _PLAIN else plain(item, depth - 1) for item in value]
        return NOT_PLAIN if NOT_PLAIN in items else items
    members = {}
    for key, item in value.items():
        form = item if type(item) in _PLAIN else plain(item, depth - 1)
        if form is NOT_PLAIN or type(key) is not str or key[:1] == "$":
            return NOT_PLAIN
        members[key] = form
    return members


Ask = Callable[[object, Callable[[object], JsonValue]], JsonValue]
Refer = Callable[[object, "str | None"], "dict[str, JsonValue]"]


class Live(Struct, frozen=True, eq=False):
    """An object of a session in a result: encoded as a reference, unless it is JSON's own or wanted by value."""

    value: object
    id: str
    by_value: bool = False


class Serializer:
    """Encodes one result; make a new one for each.

    JSON's own types stay as they are. Others become objects with the key `$type`, which is ours: a dict that has
    keys beginning with `$`, or keys that are not text, is sent as pairs, so data is never mistaken for a tag.

    Args:
        ask: Gives a framework object's form or None; called for what has no form here.
        refer: Gives the reference to an object, which it keeps if it has no id yet; without it, what has no form fails.
        native: Whether the codec carries bytes and every float (MessagePack) or they need tags (JSON).
        tags: Whether there may be any; without them, what needs one has no form.
        safe_integers: Whether integers that a 64-bit float cannot be relied on to hold need tags too.
        max_depth: Containers inside containers at most, in the wire form: a tuple is two of them.
        max_nodes: Values in all at most, in the wire form.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        refer: Refer | None = None,
        native: bool = False,
        tags: bool = True,
        safe_integers: bool = False,
        max_depth: int = 128,
        max_nodes: int = 1_000_000,
    ) -> None:
        self._ask = ask
        self._refer = refer
        self._ids: dict[int, str] = {}  # of objects that the session has already
        self._native = native
        self._tags = tags
        self._least, self._beyond = (1 - _EXACT, _EXACT) if safe_integers else (-_SAFE, _BEYOND)
        self._max_depth = max_depth
        self._depth = 0
        self._left = max_nodes - 1  # the result itself is one
        self._path: list[str | int] = []
        self._open: set[int] = set()  # containers being encoded: one that meets itself is a cycle

    def encode(self, value: object) -> Any:
        """Return the wire form of a result.

        Raises:
            SerializeFailedError: A part has no wire form; `details.path` says which.
            ValueTooComplexError: It refers to itself, is nested too deeply or has too many parts.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        form: Callable[[Serializer, Any], Any] = _FORMS.get(kind, Serializer._other)
        return form(self, value)

    def _int(self, value: int) -> Any:
        return value if self._least <= value < self._beyond else self._leaf("int", value=_digits(value))

    def _float(self, value: float) -> Any:
        return value if self._native or math.isfinite(value) else self._leaf("float", value=repr(value))

    def _bytes(self, value: bytes | bytearray) -> Any:
        return bytes(value) if self._native else self._leaf("bytes", base64=base64.b64encode(value).decode("ascii"))

    def _list(self, value: list[Any]) -> Any:
        return self._nested(value, self._items)

    def _tuple(self, value: tuple[Any, ...]) -> Any:
        return self._nested(value, lambda items: self._tag("tuple", items=self._items(items)), levels=2)

    def _set(self, value: set[Any] | frozenset[Any]) -> Any:
        name = type(value).__name__
        return self._nested(value, lambda items: self._tag(name, items=sorted(self._items(items), key=repr)), levels=2)

    def _dict(self, value: dict[Any, Any]) -> Any:
        plain = set(map(type, value)) <= _TEXT and ("$" not in "".join(value) or not any(map(_is_ours, value)))
        return self._nested(value, self._members) if plain else self._nested(value, self._pairs, levels=3)

    def _other(self, value: object) -> Any:
        kind = type(value)
        if textual := _TEXTUAL.get(f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"):
            name, text = textual
            return self._leaf(name, value=text(value))
        return self._foreign(value)

    def _live(self, live: Live) -> Any:
        self._ids[id(live.value)] = live.id
        if live.by_value or _is_json(live.value):
            return self.encode(live.value)
        return self._reference(live.value)

    def _reference(self, value: object) -> Any:
        """Refer to an object that has no form, or is inside itself."""
        assert self._refer is not None  # or else it was refused
        self._spend(3)
        return self._refer(value, self._ids.get(id(value)))

    def _nested(self, value: Any, encode: Callable[[Any], Any], *, levels: int = 1) -> Any:
        if id(value) in self._open:
            if self._refer is not None:
                return self._reference(value)
            raise self._error(ValueTooComplexError, "refers to itself; return the parts without the cycle")
        self._descend(levels)
        if levels > 1:
            self._spend(2)  # the tag's name and what holds the items
        self._open.add(id(value))
        try:
            return encode(value)
        finally:
            self._open.discard(id(value))
            self._depth -= levels

    def _descend(self, levels: int) -> None:
        if self._depth + levels > self._max_depth:
            raise self._error(ValueTooComplexError, f"nested more than {self._max_depth} deep")
        self._depth += levels

    def _leaf(self, name: str, **fields: Any) -> Any:
        self._descend(1)
        self._depth -= 1
        self._spend(1 + len(fields))
        return self._tag(name, **fields)

    def _tag(self, name: str, **fields: Any) -> dict[str, Any]:
        if not self._tags:
            raise self._error(SerializeFailedError, f"a value of type {name} cannot be sent as it is")
        return {"$type": name, **fields}

    def _items(self, items: Any) -> list[Any]:
        self._spend(len(items))
        kinds = set(map(type, items))
        # Long flat lists are common; one look at their types is enough.
        if kinds <= _PLAIN or (kinds == _FLOATS and (self._native or all(map(math.isfinite, items)))):
            return list(items)
        return [item if type(item) in _PLAIN else self._at(index, item) for index, item in enumerate(items)]

    def _members(self, items: dict[str, Any]) -> dict[str, Any]:
        self._spend(len(items))
        return {key: item if type(item) in _PLAIN else self._at(key, item) for key, item in items.items()}

    def _pairs(self, items: dict[Any, Any]) -> Any:
        if not self._tags:
            raise self._error(SerializeFailedError, _why_no_object(items))
        self._spend(3 * len(items))
        return self._tag("dict", pairs=[[self.encode(key), self._at(repr(key), item)] for key, item in items.items()])

    def _foreign(self, value: object) -> Any:
        """Ask the plugins; what they answer is sent as it is, and counted as an object with its fields in an object."""
        try:
            form = self._nested(value, lambda value: self._ask(value, self.encode), levels=2)
        except BridgeError:
            raise
        except Exception as exc:  # boundary: plugin call
            raise self._error(SerializeFailedError, f"its plugin failed: {HandlerRaisedError.wrapping(exc)}") from exc
        if form is None and self._refer is not None:
            return self._reference(value)
        if form is None:
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise self._error(SerializeFailedError, f"a {kind} has no form on the wire; return its parts instead")
        return form

    def _at(self, step: str | int, value: object) -> Any:
        self._path.append(step)
        try:
            return self.encode(value)
        finally:  # a plugin may catch what its `encode` raises and go on
            self._path.pop()

    def _spend(self, nodes: int) -> None:
        self._left -= nodes
        if self._left < 0:
            raise self._error(ValueTooComplexError, "the result has too many parts; stream it or ask for less")

    def _error(self, kind: type[BridgeError], what: str) -> BridgeError:
        path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self._path)
        return kind(f"{path}: {what}", path=path)


# What makes the form of a value that is not plain, by the class that it is exactly.
_FORMS: dict[type, Callable[[Serializer, Any], Any]] = {
    int: Serializer._int,
    float: Serializer._float,
    bytes: Serializer._bytes,
    bytearray: Serializer._bytes,
    list: Serializer._list,
    tuple: Serializer._tuple,
    set: Serializer._set,
    frozenset: Serializer._set,
    dict: Serializer._dict,
    Live: Serializer._live,
}


def _is_json(value: object) -> bool:
    """Whether a value is JSON's own all through."""
    try:
        Serializer(lambda leaf, encode: None, tags=False).encode(value)
    except (SerializeFailedError, ValueTooComplexError):
        return False
    return True


def _is_ours(key: str) -> bool:
    return key.startswith("$")


def _why_no_object(items: dict[Any, Any]) -> str:
    """Say which key keeps a dict from being sent as it is."""
    key = next(key for key in items if type(key) is not str or _is_ours(key))
    if type(key) is str:
        return f"keys that begin with `$`, as {key!r:.100} does, mean something else on the wire"
    return f"a key of type {type(key).__name__} cannot be sent, only text"


def _digits(value: object) -> str:
    """Write an integer in decimal; in parts, because Python refuses to write long ones at once."""
    try:
        return str(value)
    except ValueError:
        import decimal  # for numbers of more than 4,300 digits only

        return format(decimal.Decimal(value), "f")  # type: ignore[arg-type]
