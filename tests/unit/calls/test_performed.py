"""What is left behind by dynamic calls that fail, what they are made inside of, and what is said of odd objects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import attacked
import pytest
from unit.calls.desk import Desk, plugin

from bridge_core import hookimpl
from bridge_core.calls import Keeper, described, shown
from bridge_core.config import configuration_of
from bridge_core.errors import (
    BridgeError,
    FrameworkUnavailableError,
    InvalidArgumentsError,
    InvalidConfigError,
    RefExistsError,
    RefNotFoundError,
    TargetNotAllowedError,
    TargetNotFoundError,
)
from bridge_core.sessions import MemoryObjectStore

HALF = chr(0xD800)


class Odd:
    """What a library may make of an object."""

    __module__ = "unit.odd"

    def __init__(self, text: object) -> None:
        self.text = text

    def __repr__(self) -> str:
        if isinstance(self.text, BaseException):
            raise self.text
        return self.text  # type: ignore[return-value]

    def __dir__(self) -> list[str]:
        if isinstance(self.text, BaseException):
            raise ValueError("no names")
        return ["shown", "_hidden", f"half{HALF}"]


class Undocumented:
    """Nothing of it can be read."""

    @property
    def __module__(self) -> str:  # type: ignore[override]
        raise ValueError("no module")

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


@contextmanager
def _inside(name: str, journal: list[str]) -> Iterator[None]:
    journal.append(f"enter {name}")
    try:
        yield
    finally:
        journal.append(f"leave {name}")


def noting(name: str, journal: list[str], **info: Any) -> Any:
    """Return a plugin that notes when its call context is entered and left, and takes a configuration."""

    @hookimpl
    def bridge_call_context(session: Any) -> Any:
        return _inside(name, journal)

    @hookimpl
    def bridge_configure(config: Any, session: Any) -> Any:
        session.settings[name] = config
        return config

    made = plugin(name, **info)
    made.bridge_call_context, made.bridge_configure = bridge_call_context, bridge_configure
    return made


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("no"), RecursionError()])
def test_object_that_cannot_be_shown_is_described_anyway(error: BaseException) -> None:
    assert shown(Odd(error)).endswith(f"its repr raises {type(error).__name__}>")
    assert described(Odd(error))["attributes"] == []


def test_description_is_bounded_and_can_be_sent() -> None:
    assert len(shown("x" * 10_000)) == 200
    assert len(described(Odd("x" * 10_000))["string_repr"]) == 2000
    assert shown(Odd(f"half {HALF}")) == "half \\ud800"
    assert described(Odd("é"))["attributes"] == ["half\\ud800", "shown"]
    assert described(Undocumented())["docstring"] == "Nothing of it can be read."
    assert described(ModuleType("made"))["module"] == "made"
    assert described(len)["signature"] == "(obj, /)"
    long = type("Long", (), {"__doc__": "x" * 100_000})
    assert len(described(long)["docstring"]) == 20_000


def test_secrets_are_taken_out_of_a_description_before_it_is_cut() -> None:
    long = type("Long", (), {"__doc__": "x" * 19_995 + "sk-CANARY"})
    assert "sk-" not in described(long, redact=lambda text: text.replace("sk-CANARY", ""))["docstring"]


def test_what_is_kept_for_a_result_is_released_with_it() -> None:
    objects = MemoryObjectStore("s")
    objects.put("mine", kind="python.object", id="mine")
    keeper, value = Keeper(objects), object()
    first, second = keeper.refer(value, None), keeper.refer(value, None)
    assert first == second
    assert keeper.refer("mine", "mine")["$ref"] == "mine"
    assert len(objects) == 2
    keeper.release()
    keeper.release()
    assert objects.ids() == ["mine"]
    keeper.refer(value, None)
    objects.delete(objects.ids()[-1])
    keeper.release()


def test_taken_id_is_refused_before_the_call_is_made_and_before_imports() -> None:
    desk = Desk(allow=["attacked", "attacked.unwanted"])
    desk.keep("taken", 1)
    for target in ("attacked.unwanted.x", "os.system", "", "attacked.double"):
        with pytest.raises(RefExistsError):
            desk.ask("call", target=target, args=[1], store_as="taken")


def test_call_that_fails_stores_nothing() -> None:
    desk = Desk(allow=["attacked", "json"])
    for arguments in (
        {"target": "attacked.double"},
        {"target": "attacked.nothing"},
        {"target": "attacked.system"},
        {"target": "attacked.double", "args": [{"$ref": "nothing"}]},
        {"target": "attacked.Shape.sides", "args": [1]},
        {"target": "json.loads", "args": ["{"]},
    ):
        with pytest.raises((BridgeError, TypeError, ValueError)):
            desk.ask("call", **arguments, store_as="x")
        with pytest.raises(BridgeError):
            desk.ask("pipeline", steps=[{**arguments, "store_as": "x"}], rollback=True)
    assert desk.sessions.get("a").objects.ids() == []


def test_pipeline_rolls_back_what_it_stored_and_bounds_what_it_repeats() -> None:
    desk = Desk(allow=["attacked"])
    steps = [
        {"target": "attacked.double", "args": [1], "store_as": "one"},
        {"target": "stored.one.__class__" + "x" * 100_000},
    ]
    with pytest.raises(BridgeError) as caught:
        desk.ask("pipeline", steps=steps, rollback=True)
    assert len(caught.value.message) < 5000
    assert len(caught.value.details["target"]) == 1000
    assert caught.value.details["rolled_back"] == ["one"]
    steps[1] = {"target": "attacked.double", "args": [{"$step": 0}], "timeout_ms": 0, "store_as": "two"}
    with pytest.raises(BridgeError) as caught:
        desk.ask("pipeline", steps=steps)
    assert caught.value.reason == "CALL_TIMEOUT"
    assert desk.sessions.get("a").objects.ids() == ["one"]


def test_step_that_is_interrupted_fails_the_pipeline_like_any_other() -> None:
    desk = Desk(allow=["attacked"])
    steps = [{"target": "attacked.double", "args": [1], "store_as": "one"}, {"target": "attacked.interrupted"}]
    with pytest.raises(BridgeError) as caught:
        desk.ask("pipeline", steps=steps, rollback=True)
    told = caught.value.details
    assert (caught.value.reason, told["step"], told["rolled_back"]) == ("HANDLER_RAISED", 1, ["one"])
    assert desk.sessions.get("a").objects.ids() == []


def test_keys_that_are_no_texts_make_no_reference() -> None:
    desk = Desk()
    thing = object()
    desk.keep("thing", thing)
    desk.ask("store", id="made", value={1: {"$ref": "thing"}, None: 2, b"$ref": 3})
    assert desk.sessions.get("a").objects.get("made") == {1: thing, None: 2, b"$ref": 3}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"$ref": "none"}, RefNotFoundError),
        ({"$ref": "x" * 100_000}, RefNotFoundError),
        ({"$ref": "dict", "path": [["a"]]}, InvalidArgumentsError),
        ({"$ref": "dict", "path": [{}]}, InvalidArgumentsError),
        ({"$ref": "dict", "path": [1.0]}, InvalidArgumentsError),
        ({"$ref": "dict", "path": [True]}, InvalidArgumentsError),
        ({"$ref": "dict", "path": ["\0\n" * 10_000]}, InvalidArgumentsError),
        ({"$ref": "dict", "path": "a"}, InvalidArgumentsError),
        ({"$ref": "dict", "path": None}, InvalidArgumentsError),
        ({"$ref": "list", "path": [9]}, InvalidArgumentsError),
        ({"$ref": "list", "path": [-9]}, InvalidArgumentsError),
        ({"$ref": "list", "path": [2**70]}, InvalidArgumentsError),
        ({"$ref": "list", "path": ["x"]}, TargetNotAllowedError),
        ({"$ref": "shape", "path": ["nothing"]}, TargetNotFoundError),
        ({"$ref": "shape", "path": ["x" * 5000]}, BridgeError),
        ({"$ref": "dict", "extra": 1}, InvalidArgumentsError),
        ({"$ref": "dict", "$value": 1}, InvalidArgumentsError),
        ({"$value": 1, "path": []}, InvalidArgumentsError),
        ({"$ref": None}, InvalidArgumentsError),
        ({"$step": -1}, InvalidArgumentsError),
        ({"$step": 1}, InvalidArgumentsError),
        ({"$step": True}, InvalidArgumentsError),
        ({"$step": 0, "type": "int"}, InvalidArgumentsError),
        ({"$": 1}, InvalidArgumentsError),
        ({"a": 1, "$b": 2}, InvalidArgumentsError),
    ],
)
def test_reference_that_means_nothing_is_a_typed_refusal(value: Any, error: type[BridgeError]) -> None:
    desk = Desk(allow=["attacked"])
    for key, held in (("dict", {"a": 1}), ("list", [1, 2]), ("shape", attacked.Shape())):
        desk.keep(key, held)
    steps = [{"target": "attacked.double", "args": [1]}, {"target": "attacked.applied", "args": [[value]]}]
    for operation, arguments in (
        ("store", {"id": "new", "value": [value]}),
        ("call", {"target": "attacked.applied", "kwargs": {"x": {"y": value}}}),
        ("pipeline", {"steps": steps}),
    ):
        with pytest.raises(error) as caught:
            desk.ask(operation, **arguments)
        assert len(caught.value.message) < 200_000
    assert "new" not in desk.sessions.get("a").objects.ids()


def test_references_are_resolved_wherever_they_are_and_literals_are_left_alone() -> None:
    desk = Desk(allow=["json"])
    desk.keep("list", [1, [2]])
    given = [{"$ref": "list", "path": [1, 0]}, "stored.list", "stored.none", {"$value": {"$ref": "list"}}, {"a": None}]
    assert desk.call("json.dumps", given) == '[2, [1, [2]], "stored.none", {"$ref": "list"}, {"a": null}]'


def test_contexts_that_were_entered_are_left_when_another_framework_cannot_be_imported() -> None:
    journal: list[str] = []
    fine = noting("attacked", journal, callables=("attacked.applied",))
    broken = noting("broken", journal, callables=("unit.x",), imports=("absent_for_ever",))
    desk = Desk(fine, broken, allow=["attacked", "unit.odd"])
    desk.keep("odd", Odd("odd"))
    desk.call("attacked.double", 2)
    assert journal == ["enter attacked", "leave attacked"]
    with pytest.raises(FrameworkUnavailableError):
        desk.call("attacked.double", {"$ref": "odd"})
    assert journal.count("enter attacked") == journal.count("leave attacked")


def test_target_that_configures_a_framework_configures_the_session_as_far_as_that_is_allowed() -> None:
    configuring = noting("attacked", [], configuration_targets=("attacked.configure", "attacked.settings.configure"))
    desk = Desk(configuring)
    desk.keep("value", [1])
    answer = desk.ask("call", target="attacked.settings.configure", kwargs={"limit": {"$ref": "value"}})
    assert (answer["result"], answer["configured"]) == ({"limit": [1]}, "attacked")
    assert desk.sessions.get("a").settings == {"attacked": {"limit": [1]}}
    for wrong in ({"args": [1]}, {"attribute": True}, {"store_as": "x"}):
        with pytest.raises(InvalidArgumentsError):
            desk.ask("call", target="attacked.configure", **wrong)
    for deny in ("attacked", "attacked.*", "attacked.settings", "attacked.settings.configure"):
        with pytest.raises(TargetNotAllowedError):
            Desk(configuring, deny=[deny]).call("attacked.settings.configure")


def test_module_that_is_allowed_and_cannot_be_imported_is_not_found() -> None:
    desk = Desk(allow=["absent_for_ever", "attacked_broken.*", "json"])
    for target in ("absent_for_ever.x", "absent_for_ever.x.y", "json.nothing", "attacked_broken.a.b.c"):
        assert {desk.tried(verb, target) for verb in ("call", "attribute", "pipeline", "inspect")} == {
            "TARGET_NOT_FOUND"
        }


@pytest.mark.parametrize(
    "entry",
    ["", "*", ".", "a.", ".a", "a..b", "a.*.b", "a.*.*", "*.a", "a b", "a\n", "a.*\n", "\na", "1a", "a-b", "a.1"],
)
@pytest.mark.parametrize("key", ["allow", "deny"])
def test_entry_of_the_policy_that_is_no_name_is_refused_at_the_start(key: str, entry: str) -> None:
    with pytest.raises(InvalidConfigError):
        configuration_of({"policy": {key: [entry]}})


def test_operators_of_odd_modules_are_answered_not_crashed() -> None:
    made: Any = ModuleType("attacked_made")
    made.thing = SimpleNamespace(__module__="attacked_made")
    made.raises = Undocumented()
    sys.modules["attacked_made"] = made
    try:
        desk = Desk(allow=["attacked_made"])
        assert desk.tried("call", "attacked_made.thing") == "OK"
        assert desk.tried("inspect", "attacked_made.raises") == "OK"
        assert desk.tried("call", "attacked_made.thing.x") == "TARGET_NOT_ALLOWED"
    finally:
        del sys.modules["attacked_made"]


def test_coroutine_is_awaited_and_a_stand_in_that_yields_is_run_to_its_end() -> None:
    desk = Desk(plugin(stand_ins={"attacked.Tool": "attacked:counted"}), allow=["attacked.later"])
    assert desk.call("attacked.later", 5) == 5
    assert desk.call("attacked.Tool", 3) == "counted to 3"


def test_policy_reads_nothing_of_modules_that_are_not_there_yet() -> None:
    desk = Desk(allow=["attacked.nothing", "attacked.inner.nothing.more", "elsewhere.f"], deny=["attacked.lazy.x.y"])
    desk.keep("double", attacked.double)
    assert desk.tried("call", "stored.double") == "TARGET_NOT_ALLOWED"
