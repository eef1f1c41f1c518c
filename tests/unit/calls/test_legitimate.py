"""What an honest peer does: a policy that refuses this would be as bad as one that refuses nothing."""

from __future__ import annotations

import datetime as dt
import functools
import logging
import random
import re
from typing import Any

import attacked
import attacked.inner
import pytest
from unit.calls.desk import VERBS, Desk, plugin

ALLOWED = [
    "attacked",
    "json",
    "os",
    "os.path",
    "random",
    "math",
    "datetime",
    "itertools",
    "re",
    "operator.add",
    "collections",
]

NAMED: list[tuple[str, list[Any], Any]] = [
    ("attacked.double", [2], 4),
    ("attacked.cubed", [3], 27),  # an lru_cache
    ("attacked.start", [], "engine runs"),  # from another module of the same package
    ("attacked.engine.start", [], "shared runs"),
    ("attacked.engine.power", [], 3),
    ("attacked.engine", [], "shared runs"),  # can be called itself
    ("attacked.Shape.sides", [], 4),
    ("attacked.Shape.angle", [4], 90),
    ("attacked.Shape.described", [], "class Shape"),  # of the library's own metaclass
    ("attacked.Square.described", [], "class Square"),
    ("attacked.Color.RED.value", [], "red"),
    ("attacked.Color.RED.name", [], "RED"),
    ("attacked.Color.RED.shown", [], "<red>"),
    ("json.dumps", [[1]], "[1]"),
    ("json.loads", ["[1]"], [1]),
    ("math.hypot", [3, 4], 5.0),  # written in C
    ("math.inf", [], float("inf")),
    ("os.path.basename", ["a/b"], "b"),  # posixpath's
    ("os.fspath", ["a"], "a"),  # posix's
    ("os.sep", [], "/"),
    ("operator.add", [1, 2], 3),
    ("re.escape", ["."], "\\."),
    ("datetime.date.fromordinal.__call__", [1], None),
    ("collections.Counter", ["aa"], {"a": 2}),
    ("collections.OrderedDict.fromkeys", ["ab"], {"a": None, "b": None}),
]

STORED: list[tuple[str, list[Any], Any]] = [
    ("stored.shape", [2], 4),
    ("stored.shape.__call__", [], 2),
    ("stored.shape.area", [], 4),
    ("stored.shape.square", [], 4),  # a partialmethod
    ("stored.shape.wrapped", [], "wrapped"),
    ("stored.shape.angle", [3], 60),
    ("stored.shape.diagonal", [], 3.0),
    ("stored.shape.cached", [], [2]),
    ("stored.shape.cached.__getitem__", [0], 2),
    ("stored.shape.items.pop", [], 3),
    ("stored.shape.join", [["a", "b"]], "a-b"),
    ("stored.shape.__len__", [], 2),
    ("stored.shape.__getitem__", [4], 8),
    ("stored.shape.__contains__", [2], True),
    ("stored.shape.sides", [], 4),
    ("stored.square.area", [], 4),
    ("stored.square.unit", [], None),
    ("stored.text.upper", [], "TEXT"),
    ("stored.mapped.total", [], 3),
    ("stored.mapped.get", ["a"], 1),
    ("stored.mapped.__len__", [], 2),
    ("stored.handler.createLock", [], None),  # inherited from a library that is not allowed
    ("stored.handler.level", [], 0),
    ("stored.error.args", [], ("as expected",)),
    ("stored.red.shown", [], "<red>"),
    ("stored.function", [5], 10),
    ("stored.kind", [], None),
    ("stored.kind.angle", [3], 60),
    ("stored.random.random", [], 0.13436424411240122),  # of a class written in C
    ("stored.random.choice", [[1]], 1),
    ("stored.match.group", [0], "a"),
    ("stored.date.isoformat", [], "0001-01-01"),
    ("stored.late", [], 14),
    ("stored.list.__len__", [], 2),
    ("stored.plain.replace", ["a", "b"], "b"),
]

VOUCHED: list[tuple[str, list[Any], Any]] = [
    ("attacked.Record", [], None),
    ("attacked.Record.get", [{"$ref": "record"}, "a"], 1),
    ("attacked.Record.joined", ["a", "b"], "ab"),
    ("attacked.Record.empty", [], None),
    ("attacked.inner.start", [], "engine runs"),
    ("stored.record.a", [], 1),
    ("stored.record.kinds", [], ("good", "bad")),
    ("stored.record.get", ["a"], 1),
    ("stored.record.joined", ["a"], "a"),
    ("stored.record.empty", [], None),
    ("stored.engine.start", [], "one runs"),
]


def values() -> dict[str, Any]:
    return {
        "shape": attacked.Shape(), "square": attacked.Square(), "text": attacked.Text("text"), "plain": "a",
        "mapped": attacked.Mapped(a=1, b=2), "handler": attacked.Registered(), "error": attacked.failed(),
        "red": attacked.Color.RED, "function": attacked.double, "kind": attacked.Shape, "random": random.Random(1),
        "match": re.match("a", "a"), "date": dt.date.min, "late": functools.partial(attacked.double, 7),
        "list": [1, 2], "record": attacked.Record(a=1), "engine": attacked.Engine("one"),
    }  # fmt: skip


def desk_with(*plugins: Any, **policy: Any) -> Desk:
    desk = Desk(*plugins, **policy)
    for key, value in values().items():
        desk.keep(key, value)
    return desk


@pytest.mark.capability("E02", "K07")
@pytest.mark.parametrize("policy", [{"allow": ALLOWED}, {"allow": [f"{one}.*" for one in ALLOWED] + ["operator.add"]}])
def test_what_is_allowed_works(policy: dict[str, Any]) -> None:
    desk = desk_with(**policy)
    for target, args, result in [*NAMED, *STORED]:
        given = desk.call(target, *args)
        assert result is None or given == result, target
        assert [desk.tried(verb, target) for verb in ("attribute", "inspect")] == ["OK", "OK"], target


@pytest.mark.parametrize("allow", [[], ["attacked.Shape", "attacked.Engine.stop"]])
def test_what_a_plugin_vouches_for_works(allow: list[str]) -> None:
    names = [f"attacked.Record{name}" for name in ("", ".get", ".joined", ".empty")]
    vouching = plugin(callables=(*names, "attacked.inner.start", "attacked.Engine.start"))
    desk = desk_with(vouching, allow=allow)
    for target, args, result in VOUCHED:
        given = desk.call(target, *args)
        assert result is None or given == result, target
    if allow:
        assert desk.call("stored.engine.stop") == "one stands"
        assert desk.call("stored.shape.area") == 4


def test_methods_that_the_operator_allows_one_by_one_work_and_no_other() -> None:
    desk = desk_with(allow=["attacked.Shape.area", "attacked.Shape.unit", "attacked.Shape.diagonal"])
    assert desk.call("stored.shape.area") == 4
    assert desk.call("attacked.Shape.unit").size == 1
    assert desk.call("stored.shape.diagonal") == 3.0
    for target in ("stored.shape.angle", "stored.square.area", "attacked.Shape", "stored.shape.size", "stored.shape"):
        assert {desk.tried(verb, target) for verb in VERBS[:4]} == {"TARGET_NOT_ALLOWED"}, target


def test_name_of_what_is_never_allowed_by_itself_is_when_the_operator_writes_it() -> None:
    for name in ("operator.attrgetter", "string.Formatter.format", "builtins.str.format"):
        module = name.split(".")[0]
        assert Desk(allow=[module]).tried("attribute", name) == "TARGET_NOT_ALLOWED"
        assert Desk(allow=[module, name]).tried("attribute", name) == "OK"


def test_objects_are_handed_on_and_so_are_callables_that_are_allowed() -> None:
    desk = desk_with(allow=["attacked", "json"])
    assert desk.call("attacked.applied", {"$ref": "function"}, 4) == 8
    assert desk.call("attacked.applied", {"$ref": "shape", "path": ["area"]}) == 4
    assert desk.call("attacked.applied", {"$ref": "kind", "path": ["angle"]}, 3) == 60
    assert desk.call("json.dumps", [{"deep": {"$ref": "shape", "path": ["items", -1]}}]) == '[{"deep": 3}]'
    assert desk.call("stored.list.sort", key={"$ref": "function"}) is None


def test_item_of_what_the_library_made_is_found_by_index_and_by_name() -> None:
    desk = desk_with(plugin(callables=("attacked.Record", "json.dumps")))
    assert desk.call("json.dumps", [{"$ref": "record", "path": ["a"]}]) == "[1]"


def test_attribute_of_an_object_of_the_library_is_set() -> None:
    desk = desk_with(allow=["attacked"])
    desk.ask("set_attribute", target="stored.shape.size", value=5)
    desk.ask("set_attribute", target="stored.engine.name", value={"$ref": "plain"})
    assert desk.call("stored.shape.area") == 25
    assert desk.call("stored.engine.start") == "a runs"
    vouching = plugin(callables=("attacked.Record", "attacked.Record.__setattr__"))
    desk = desk_with(vouching)
    desk.ask("set_attribute", target="stored.record.a", value=2)
    assert desk.call("stored.record.a") == 2


def test_module_may_be_inspected_and_so_may_what_leads_to_something() -> None:
    desk = Desk(plugin(callables=("attacked.inner.start",)), allow=["json"])
    for target in ("json", "attacked", "attacked.inner", "json.dumps"):
        assert desk.ask("inspect", target=target)["inspection"]["string_repr"]
    assert desk.tried("inspect", "logging") == "TARGET_NOT_ALLOWED"


def test_deny_leaves_the_rest_alone() -> None:
    deny = ["attacked.double", "attacked.Engine.stop", "attacked.Color", "builtins", "logging.Handler.close", "os"]
    desk = desk_with(allow=["attacked.*"], deny=deny)
    for target in ("attacked.start", "stored.shape.area", "stored.engine.start", "stored.handler.createLock"):
        assert desk.tried("call", target) == "OK", target
    assert desk.tried("call", "stored.list.__len__") == "OK"
    assert desk.tried("call", "stored.handler.close") == "TARGET_NOT_ALLOWED"
    assert isinstance(attacked.Registered(), logging.Handler)
