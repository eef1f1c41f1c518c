"""What a hostile peer tries: every way around the policy that we know of is refused, and by every verb alike."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import attacked
import attacked.inner
import attacked.lazy
import pytest
from unit.calls.desk import VERBS, Desk, plugin
from unit.calls.tables import (
    CHANGES,
    NAMED,
    NOT_ALLOWED,
    ODD,
    POLICIES,
    REFERENCES,
    STAND_INS,
    STORED,
    TARGETS,
    VOUCHED,
    things,
)

from bridge_core.errors import BridgeError, TargetNotAllowedError

pytestmark = [pytest.mark.capability("K07")]


def desk_of(name: str) -> Desk:
    vouching = plugin(callables=VOUCHED, stand_ins=STAND_INS)
    desk = Desk(vouching, **POLICIES[name])
    for key, value in things().items():
        desk.keep(key, value)
    return desk


@pytest.fixture(scope="module")
def desks() -> dict[str, Desk]:
    return {name: desk_of(name) for name in POLICIES}


def targets_of(table: str, policy: str) -> list[str]:
    """Return the targets of the lines `policies: targets` that have the policy."""
    lines = [line.partition(":") for line in table.splitlines() if line and not line.startswith("#")]
    return [target for names, _, targets in lines if policy in names.split() for target in targets.split()]


def refusals(desk: Desk, targets: list[str], verbs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return for every target that is not refused as it should be what each verb says."""
    tried = {target: {verb: desk.tried(verb, target) for verb in verbs} for target in targets}
    return {target: reasons for target, reasons in tried.items() if set(reasons.values()) != {NOT_ALLOWED}}


@pytest.mark.parametrize("policy", POLICIES)
def test_named_attack_is_refused_alike_by_every_verb(desks: dict[str, Desk], policy: str) -> None:
    assert refusals(desks[policy], targets_of(NAMED, policy), TARGETS) == {}


@pytest.mark.parametrize("policy", POLICIES)
def test_attack_through_a_stored_object_is_refused_alike(desks: dict[str, Desk], policy: str) -> None:
    desk, targets = desks[policy], targets_of(STORED, policy)
    assert refusals(desk, targets, TARGETS) == {}
    keyed = ("stored.record.", "stored.detailed.", "stored.dict.", "stored.forged.")  # texts are keys of these
    assert refusals(desk, [target for target in targets if not target.startswith(keyed)], ["reference"]) == {}
    for target in targets:
        if target.count(".") == 1:
            with pytest.raises(BridgeError) as caught:
                desk.ask("store", id="stolen", value=[{"deep": target}])
            assert caught.value.reason == NOT_ALLOWED


@pytest.mark.parametrize("policy", POLICIES)
def test_part_of_an_object_is_no_way_around(desks: dict[str, Desk], policy: str) -> None:
    for reference in [{"$ref": key, "path": path} for policies, key, path in REFERENCES if policy in policies.split()]:
        requests: list[tuple[str, dict[str, Any]]] = [
            ("retrieve", {"id": reference["$ref"], "path": reference["path"]}),
            ("store", {"id": "stolen", "value": reference}),
            ("store", {"id": "stolen", "value": {"deep": [reference]}}),
            ("set_attribute", {"target": "stored.mapped.size", "value": reference}),
            ("call", {"target": "stored.list.index", "args": [reference]}),
            ("call", {"target": "stored.list.sort", "kwargs": {"key": reference}}),
            ("pipeline", {"steps": [{"target": "stored.list.count", "args": [reference]}]}),
        ]
        for operation, arguments in requests:
            with pytest.raises(BridgeError) as caught:
                desks[policy].ask(operation, **arguments)
            assert caught.value.reason == NOT_ALLOWED, (operation, reference)


@pytest.mark.parametrize("policy", POLICIES)
def test_attribute_of_what_is_closed_is_not_set(desks: dict[str, Desk], policy: str) -> None:
    for target in targets_of(CHANGES, policy):
        with pytest.raises(BridgeError) as caught:
            desks[policy].ask("set_attribute", target=target, value=1)
        assert caught.value.reason == NOT_ALLOWED, target


@pytest.mark.parametrize("policy", POLICIES)
def test_name_that_is_not_written_as_one_is_refused(desks: dict[str, Desk], policy: str) -> None:
    for name in ODD:
        named = [f"json.{name}", f"{name}.dumps", f"json.{name}.real", f"stored.shape.{name}", f"stored.list.{name}"]
        assert refusals(desks[policy], named, TARGETS) == {}
        assert refusals(desks[policy], [f"stored.shape.{name}"], ["reference"]) == {}
        with pytest.raises(BridgeError) as caught:
            desks[policy].ask("set_attribute", target=f"stored.shape.{name}", value=1)
        assert caught.value.reason == NOT_ALLOWED


def test_tables_are_as_long_as_they_should_be_and_no_attack_is_there_twice() -> None:
    tried = {(table, policy): targets_of(table, policy) for table in (NAMED, STORED, CHANGES) for policy in POLICIES}
    assert [one for one in tried.values() if sorted(set(one)) != sorted(one)] == []
    assert len({target for targets in tried.values() for target in targets}) > 250


@pytest.mark.parametrize("argument", ["eval", "system", "popen", "partial", "bound", "mod", "cached", "kind"])
def test_forbidden_callable_is_no_argument(desks: dict[str, Desk], argument: str) -> None:
    given = [{"$ref": argument}, f"stored.{argument}", {"a": [{"$ref": argument}]}, {"$ref": argument, "path": []}]
    for target in ("attacked.applied", "attacked.double", "stored.list.sort", "stored.fn"):
        for arguments in [{"args": [one]} for one in given] + [{"kwargs": {"key": one}} for one in given]:
            with pytest.raises(BridgeError) as caught:
                desks["module"].ask("call", target=target, **arguments)
            assert caught.value.reason == NOT_ALLOWED


def test_earlier_step_gives_no_way_around(desks: dict[str, Desk]) -> None:
    for first in (
        {"target": "stored.dict.get", "args": ["os"]},
        {"target": "stored.dict.get", "args": ["run"]},
        {"target": "stored.list.__getitem__", "args": [0]},
        {"target": "stored.list.copy", "attribute": True},
    ):
        for path in ([], ["system"], ["__self__"], ["__call__", "__self__"]):
            if first.get("attribute") and not path:
                continue  # a method of a list may be handed on
            steps = [{**first, "omit": True}, {"target": "attacked.applied", "args": [{"$step": 0, "path": path}]}]
            with pytest.raises(BridgeError) as caught:
                desks["module"].ask("pipeline", steps=steps)
            assert caught.value.reason == NOT_ALLOWED


def test_what_a_call_gives_is_judged_when_it_is_used(desks: dict[str, Desk]) -> None:
    desk = desk_of("module")
    desk.ask("call", target="stored.dict.get", args=["run"], store_as="got")
    assert [desk.tried(verb, "stored.got") for verb in VERBS] == [NOT_ALLOWED] * len(VERBS)


def test_id_that_looks_like_a_path_is_only_an_id() -> None:
    desk = desk_of("default")
    for key in (
        "shape.__class__",
        "mod.system",
        "a.b.c",
        "\0",
        "a\nb",
        "__class__",
        "$ref",
        " ",
        "stored.x",
        "x" * 900,
    ):
        desk.ask("store", id=key, value=5)
        assert desk.call(f"stored.{key}") == 5
        assert desk.tried("call", f"stored.{key}.real") == NOT_ALLOWED
        assert desk.tried("call", f"stored.{key}.__class__") == NOT_ALLOWED
        assert desk.tried("call", f"stored.{key}.") == "BAD_TARGET"
    assert desk.tried("call", "stored.shape.__class__.__mro__") == NOT_ALLOWED


def test_object_of_another_session_is_not_there() -> None:
    desk = desk_of("any")
    for verb in VERBS:
        for target in ("stored.theirs", "stored.theirs.real"):
            desk.keep(f"theirs-{verb}-{target}", 1, session="b")
            assert desk.tried(verb, target) == "REF_NOT_FOUND"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.capability("E20")
def test_target_that_is_no_name_is_refused_and_soon(desks: dict[str, Desk], policy: str) -> None:
    long = ["a" * 1001, "a." * 1_000_000, "stored." + "a." * 1_000_000, "stored." + "x" * 1001]
    for target in ("", " ", "\n", ".", "..", "json.", ".json", "json..dumps", "stored.", "stored.fn.", *long):
        assert {desks[policy].tried(verb, target) for verb in TARGETS} == {"BAD_TARGET"}, target[:50]


def test_target_that_is_refused_imports_nothing() -> None:
    policies: list[dict[str, Any]] = [{}, {"allow": ["attacked"], "deny": ["attacked.unwanted"]}]
    for policy in policies:
        desk = Desk(plugin(callables=("attacked.unwanted.fine",)), **policy)
        before = set(sys.modules)
        beside = ["attacked.unwanted.x", "attacked.unwanted.os.system", "antigravity.x", "this.s", "idlelib.idle"]
        assert refusals(desk, beside, TARGETS) == {}
        assert set(sys.modules) == before


def test_name_that_is_refused_is_not_even_read() -> None:
    attacked.lazy.ASKED.clear()
    denied = Desk(allow=["attacked.*"], deny=["attacked.lazy.number"])
    vouched = Desk(plugin(callables=("attacked.lazy.number",)))
    assert refusals(denied, ["attacked.lazy.number"], TARGETS) == {}
    assert refusals(vouched, ["attacked.lazy.module"], TARGETS) == {}
    assert attacked.lazy.ASKED == []


def test_plugin_vouches_for_nothing_but_exactly_what_it_names() -> None:
    for name in ("attacked", "attacked.*", "attacked.inner", "json"):
        desk = Desk(plugin(callables=(name,)))
        for target in ("attacked.double", "attacked.inner.start", "attacked.os.system", "json.dumps"):
            assert desk.tried("call", target) == NOT_ALLOWED


def test_operator_denies_what_a_plugin_vouches_for() -> None:
    for deny in (["attacked"], ["attacked.*"], list(VOUCHED)):
        desk = Desk(plugin(callables=VOUCHED, configuration_targets=("attacked.configure",)), deny=deny)
        desk.keep("record", attacked.Record(a=1))
        elsewhere = "attacked.inner.Engine.start"  # which denying the module `attacked` alone leaves
        vouched = [target for target in VOUCHED if target != elsewhere or deny != ["attacked"]]
        assert refusals(desk, [*vouched, "stored.record.a", "stored.record.get"], TARGETS) == {}


@pytest.mark.parametrize(
    ("target", "args"),
    [
        ("stored.tool", [1]),
        ("stored.tool.__call__", [1]),
        ("attacked.Tool.__call__", [{"$ref": "tool"}, 1]),
    ],
)
def test_stand_in_is_called_whatever_the_way_to_the_object(target: str, args: list[Any]) -> None:
    assert desk_of("default").call(target, *args) == "checked (1,)"
    denied = Desk(plugin(stand_ins=STAND_INS), deny=["attacked.Tool.__call__"])
    denied.keep("tool", attacked.Tool())
    assert refusals(denied, [target], TARGETS) == {}


def test_partial_of_what_has_a_stand_in_is_refused() -> None:
    desk = Desk(plugin(callables=VOUCHED, stand_ins=STAND_INS), allow=["functools"])
    desk.keep("tool", attacked.Tool())
    desk.keep("part", functools.partial(attacked.Tool(), 1))
    assert {desk.tried(verb, "stored.part") for verb in VERBS} == {NOT_ALLOWED}


@pytest.mark.parametrize("held", [{"$ref": "tool"}, [{"$ref": "tool"}], {"deep": [{"$ref": "tool"}]}, {"$ref": "list"}])
def test_object_with_a_stand_in_is_not_handed_to_what_would_call_it(held: Any) -> None:
    desk = Desk(plugin(callables=VOUCHED, stand_ins=STAND_INS), allow=["functools", "json"])
    desk.keep("tool", attacked.Tool())
    desk.ask("store", id="list", value=[[{"$ref": "tool"}]])
    assert desk.ask("store", id="alias", value={"$ref": "tool"})["status"] == "ok"
    with pytest.raises(TargetNotAllowedError):
        desk.call("json.dumps", held)
    with pytest.raises(TargetNotAllowedError):
        desk.call("functools.partial", held)


def test_what_all_objects_of_a_class_share_is_not_changed_by_a_session() -> None:
    desk = Desk(plugin(callables=VOUCHED, stand_ins=STAND_INS))
    desk.keep("record", attacked.Record())
    for target in ("stored.record.registry", "stored.record.registry.clear"):
        assert {desk.tried(verb, target) for verb in ("call", "attribute", "inspect", "pipeline")} == {NOT_ALLOWED}
