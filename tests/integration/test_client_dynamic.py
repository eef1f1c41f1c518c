"""Calls of any library from Python: the verbs, what they send, and what they give back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bridges import WIRES, opened

from bridge_core import Bridge, Ref, Step
from bridge_core.errors import (
    BridgeError,
    CallTimeoutError,
    HandlerRaisedError,
    InvalidArgumentsError,
    RefExistsError,
    RefNotFoundError,
    SessionNotFoundError,
    TargetNotAllowedError,
    TargetNotFoundError,
)

pytestmark = pytest.mark.capability("E16")

ALLOWED = ["collections", "copy", "decimal", "json.*", "probe_things", "statistics", "string", "xml.dom.minidom"]
XML = "<list><item>one</item><item>two</item></list>"


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def running(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param, policy={"allow": ALLOWED}) as bridge:
        yield bridge


@pytest.fixture
def session(running: Bridge) -> Iterator[Any]:
    with running.session() as opened_session:
        yield opened_session


def test_call_returns_what_the_target_returns(session: Any) -> None:
    assert session.call("statistics.mean", [1, 2, 6]) == 3
    assert session.call("json.dumps", {"b": 1, "a": 2}, sort_keys=True) == '{"a": 2, "b": 1}'
    assert session.call("string.digits") == "0123456789"
    assert type(session.call("statistics.mean", attribute=True)) is Ref


def test_keywords_of_a_target_may_have_any_name(session: Any) -> None:
    names = ["attribute", "by_value", "framework", "kwargs", "store_as", "timeout"]
    given = dict.fromkeys(names, 1)
    told = session.call("probe_things.keywords", self=1, target=1, args=1, kwargs=given)
    assert told == [[name, "1"] for name in sorted(["args", "self", "target", *names])]
    assert session.pipeline([Step("probe_things.keywords", self=1, kwargs={"omit": 1})]) == [
        [["omit", "1"], ["self", "1"]]
    ]
    with pytest.raises(InvalidArgumentsError):
        session.call("probe_things.keywords", kwargs={"a": 1}, a=2)
    with pytest.raises(InvalidArgumentsError):
        session.call("probe_things.keywords", kwargs={"$a": 1})


@pytest.mark.parametrize(
    "data",
    [
        "stored.x",
        ["stored.x"],
        {"$ref": "x"},
        {"$ref": "x", "path": []},
        {"$value": 1},
        [{"a": {"$step": 0}}],
        {"$type": "set"},
    ],
)
def test_data_is_never_mistaken_for_an_object(session: Any, data: Any) -> None:
    session.store("x", 1)
    text = session.call("json.dumps", data)
    assert session.call("json.loads", text, store_as="y") is not None
    assert session.call("json.dumps", session.ref("y")) == text
    session.store("z", data)
    assert session.call("json.dumps", session.ref("z")) == text
    assert session.pipeline([Step("json.dumps", data)]) == [text]


def test_data_that_looks_like_a_ref_is_none_in_a_result(session: Any) -> None:
    looks = {"$ref": "x", "type": "t", "repr": "r"}
    pairs = {"$type": "dict", "pairs": [["$ref", "x"], ["type", "t"], ["repr", "r"]]}
    assert session.call("copy.copy", looks) == pairs
    assert session.call("copy.copy", [looks]) == [pairs]


def test_what_has_no_form_comes_back_as_a_ref_wherever_it_is(session: Any) -> None:
    node = session.call("xml.dom.minidom.parseString", XML)
    assert (type(node), node.type, node.framework) == (Ref, "xml.dom.minidom.Document", "probe")
    assert node.repr.startswith("<xml.dom.minidom.Document")
    nested = session.call("copy.copy", {"deep": [1, {"er": node}], "plain": [[1], [2]]})
    assert (nested["plain"], nested["deep"][0]) == ([[1], [2]], 1)
    assert nested["deep"][1]["er"].id == node.id


def test_stored_results_come_back_as_refs_unless_they_are_plain(session: Any) -> None:
    assert session.call("statistics.mean", [1, 3], store_as="mean") == 2
    kept = session.call("decimal.Decimal", "1.5", store_as="kept")
    assert (type(kept), kept.id, kept.type) == (Ref, "kept", "decimal.Decimal")
    assert session.call("decimal.Decimal", "1.5", store_as="other", by_value=True) == {
        "$type": "decimal",
        "value": "1.5",
    }
    assert session.call("stored.kept.sqrt", by_value=True)["$type"] == "decimal"
    assert session.list_stored() == ["mean", "kept", "other"]
    with pytest.raises(RefExistsError):
        session.call("statistics.mean", [1], store_as="mean")


def test_values_are_stored_retrieved_listed_and_deleted(session: Any) -> None:
    ref = session.store("data", {"a": [1, 2], "b": "text"})
    assert (type(ref), ref.id) == (Ref, "data")
    assert session.retrieve("data") == {"a": [1, 2], "b": "text"}
    session.store("same", ref)
    session.store("part", ref.item("a"))
    assert session.retrieve("part") == [1, 2]
    assert session.list_stored() == ["data", "same", "part"] == session.list_stored(framework="probe")
    session.delete_stored("data")
    assert session.retrieve("same")["b"] == "text"
    for gone in (session.retrieve, session.delete_stored):
        with pytest.raises(RefNotFoundError):
            gone("data")


def test_session_is_cleared_and_stays_open(session: Any) -> None:
    session.store("data", 1)
    session.configure("probe", mode="fast")
    session.clear_session()
    assert session.list_stored() == []
    assert session.run("due")["settings"] is None
    session.store("data", 2)
    assert session.retrieve("data") == 2


def test_target_is_inspected(session: Any) -> None:
    told = session.inspect("statistics.mean")
    assert (told["type"], told["module"], told["callable"]) == ("function", "statistics", True)
    assert "mean" in session.inspect("statistics")["attributes"]
    with pytest.raises(TargetNotAllowedError):
        session.inspect("os.system")


def test_attribute_of_a_stored_object_is_set(session: Any) -> None:
    session.call("probe_things.Thing", 1, store_as="thing")
    session.set_attribute("stored.thing.size", 2)
    assert session.call("stored.thing.size") == 2
    other = session.call("probe_things.Thing", 3)
    session.set_attribute("stored.thing.size", other)
    assert session.call("stored.thing.size.size") == 3


def test_steps_of_a_pipeline_use_what_earlier_ones_returned(session: Any) -> None:
    lines = Step("json.loads", '[{"n": [1, 2, 3]}, {"n": [4]}]', store_as="lines")
    mean = Step("statistics.mean", lines.item(0, "n"))
    wrapped = Step("json.dumps", {"mean": mean, "lines": [lines, "stored.lines"]}, omit=True)
    stored = Step("stored.lines.copy", by_value=True)
    results = session.pipeline([lines, mean, wrapped, stored, Step("json.loads", wrapped)])
    data = [{"n": [1, 2, 3]}, {"n": [4]}]
    assert results == [data, 2, None, data, {"mean": 2, "lines": [data, "stored.lines"]}]
    assert session.list_stored() == ["lines"]


def test_failing_step_is_named_with_what_was_completed(session: Any) -> None:
    steps = [Step("json.loads", "[1]", store_as="one"), Step("json.loads", "no JSON"), Step("json.loads", "[2]")]
    for rollback, left in ((False, ["one"]), (True, [])):
        with pytest.raises(HandlerRaisedError) as raised:
            session.pipeline(steps, rollback=rollback)
        details = raised.value.details
        assert (details["step"], details["target"]) == (1, "json.loads")
        assert details["completed"] == [{"step": 0, "target": "json.loads", "stored_as": "one"}]
        assert session.list_stored() == left
        session.clear_session()


def test_step_of_another_pipeline_is_refused_before_anything_is_sent(session: Any) -> None:
    elsewhere = Step("json.loads", "[1]", store_as="one")
    with pytest.raises(InvalidArgumentsError) as raised:
        session.pipeline([Step("json.dumps", 1), Step("json.dumps", [elsewhere.item(0)])])
    assert raised.value.details["path"] == "$.steps[1].args[0][0]"
    with pytest.raises(InvalidArgumentsError) as raised:
        session.pipeline([Step("json.dumps", kwargs={"$obj": 1})])
    assert raised.value.details["path"] == "$.steps[0].kwargs"
    with pytest.raises(InvalidArgumentsError):
        session.call("json.dumps", elsewhere)
    with pytest.raises(InvalidArgumentsError) as raised:
        session.pipeline([Step("json.dumps", 1), {"target": "json.dumps"}])
    assert raised.value.details["path"] == "$.steps[1]"


def test_data_with_marked_keys_is_taken_by_calls_only_and_comes_back_tagged(session: Any) -> None:
    tagged = {"$type": "dict", "pairs": [["$ref", "y"]]}
    assert session.store("x", {"$ref": "y"}).value() == tagged
    assert session.call("copy.copy", {"$ref": "y"}) == tagged
    for ask in (lambda: session.run("echo", value={"$ref": "y"}), lambda: session.configure("probe", a={"$ref": "y"})):
        with pytest.raises(InvalidArgumentsError):
            ask()


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (lambda session: session.call("json.dumps", kwargs={1: 1}), "$.kwargs"),
        (lambda session: session.call("json.dumps", kwargs={(): 1}, indent=2), "$.kwargs"),
        (lambda session: session.call("json.dumps", kwargs=[1]), "$"),
        (lambda session: session.call("json.loads", "[]", store_as=[]), "$.store_as"),
        (lambda session: session.call("json.loads", "[]", store_as=5), "$.store_as"),
        (lambda session: session.pipeline([Step("json.loads", "[]", store_as=[])]), "$.steps[0].store_as"),
        (lambda session: session.pipeline([Step("json.loads", "[]", kwargs={None: 1})]), "$.steps[0].kwargs"),
        (lambda session: session.store([], 1), "$.id"),
        (lambda session: session.ref({}), "$.id"),
    ],
)
def test_what_is_no_name_is_refused_by_its_place(session: Any, ask: Any, path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as raised:
        ask(session)
    assert raised.value.details["path"] == path
    assert session.list_stored() == []


def test_step_has_a_deadline_of_its_own(session: Any) -> None:
    with pytest.raises(CallTimeoutError) as raised:
        session.pipeline([Step("json.loads", "[1]", timeout=60, store_as="one"), Step("json.loads", "[2]", timeout=0)])
    assert raised.value.details["step"] == 1
    with pytest.raises(InvalidArgumentsError) as refused:
        session.pipeline([Step("json.loads", "[1]", timeout=float("nan"))])
    assert refused.value.details["path"] == "$.steps[0].timeout"


@pytest.mark.parametrize(
    ("target", "kind"),
    [("os.system", TargetNotAllowedError), ("json.nothing", TargetNotFoundError), ("stored.nothing", RefNotFoundError)],
)
def test_target_that_cannot_be_called_is_a_typed_error(session: Any, target: str, kind: type[BridgeError]) -> None:
    for ask in (session.call, session.inspect, lambda name: session.pipeline([Step(name)])):
        with pytest.raises(kind):
            ask(target)


def test_closed_session_refuses_every_verb(running: Bridge) -> None:
    session = running.session()
    ref = session.store("x", 1)
    session.close()
    for ask in (
        lambda: session.call("json.dumps", 1), lambda: session.pipeline([Step("json.dumps", 1)]), session.list_stored,
        lambda: session.retrieve("x"), session.clear_session, ref.value, ref.describe,
    ):  # fmt: skip
        with pytest.raises(SessionNotFoundError):
            ask()


def test_nothing_is_allowed_by_default() -> None:
    with opened() as bridge:
        for target in ("json.dumps", "os.system", "probe_things.Thing"):
            with pytest.raises(TargetNotAllowedError):
                bridge.call(target, 1)
