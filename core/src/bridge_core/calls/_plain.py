"""What may be called on values of Python's own types: fixed lists, without what runs code or reaches attributes."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque

__all__ = ["PLAIN"]

_SEQUENCE = ["count", "index", "__contains__", "__getitem__", "__iter__", "__len__"]
_LIST = [*_SEQUENCE, "append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"]
_VIEW = ["__contains__", "__iter__", "__len__"]
_DICT = [
    "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values", "__contains__",
    "__getitem__", "__iter__", "__len__",
]  # fmt: skip
_FROZEN_SET = [
    *_VIEW, "copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference",
    "union",
]  # fmt: skip
_SET = [*_FROZEN_SET, "add", "clear", "discard", "pop", "remove", "update"]
# No `format` and `format_map`, which walk attributes, and nothing whose result is as long as an argument says.
_TEXT = [
    *_SEQUENCE, "capitalize", "endswith", "find", "isalnum", "isalpha", "isascii", "isdigit", "islower", "isspace",
    "istitle", "isupper", "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind",
    "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
    "upper",
]  # fmt: skip

PLAIN: dict[type, frozenset[str]] = {
    bool: frozenset(),
    bytes: frozenset([*_TEXT, "decode", "hex"]),
    complex: frozenset(["conjugate", "imag", "real"]),
    dict: frozenset(_DICT),
    float: frozenset(["as_integer_ratio", "hex", "is_integer"]),
    frozenset: frozenset(_FROZEN_SET),
    int: frozenset(["as_integer_ratio", "bit_count", "bit_length"]),
    list: frozenset(_LIST),
    range: frozenset(_SEQUENCE),
    set: frozenset(_SET),
    str: frozenset([*_TEXT, "casefold", "encode", "isdecimal", "isidentifier", "isnumeric", "isprintable"]),
    tuple: frozenset(_SEQUENCE),
    type(None): frozenset(),
    type({}.items()): frozenset(_VIEW),
    type({}.keys()): frozenset(_VIEW),
    type({}.values()): frozenset(_VIEW),
    Counter: frozenset([*_DICT, "elements", "most_common", "subtract", "total"]),
    OrderedDict: frozenset([*_DICT, "move_to_end"]),
    defaultdict: frozenset(_DICT),
    deque: frozenset([*_LIST, "appendleft", "extendleft", "popleft", "rotate"]),
}
"""The names that a target may have behind a value of exactly this type."""
