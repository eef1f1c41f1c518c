"""Dynamic calls over the raw wire: what targets mean, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

POLICY = {"allow": ["probe_library", "json", "statistics.mean", "xml.dom.minidom", "os.path.join", "absent"]}


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "probe", "--config", json.dumps({"policy": POLICY})) as running:
        yield running


def called(peer: Peer, target: str, *args: Any, **fields: Any) -> Any:
    return peer.result("call", {"target": target, "args": list(args), **fields})["result"]


def refused(peer: Peer, target: str, *args: Any, **fields: Any) -> str:
    return peer.reason("call", {"target": target, "args": list(args), **fields})


@pytest.mark.capability("E01")
@pytest.mark.sentence("P-100")
def test_answer_says_what_was_called_and_what_came_of_it(peer: Peer) -> None:
    answer = peer.result("call", {"target": "json.dumps", "args": [[1, "a"]], "kwargs": {"indent": None}})
    assert isinstance(answer.pop("timestamp"), float)
    assert answer == {"status": "ok", "result": '[1, "a"]', "stored_as": None, "target": "json.dumps"}


@pytest.mark.capability("E02")
@pytest.mark.sentence("P-101")
@pytest.mark.parametrize(
    ("target", "args", "result"),
    [
        ("statistics.mean", [[1, 2, 3]], 2),
        ("os.path.join", ["a", "b"], "a/b"),
        ("probe_library.Account.shared", ["a", "b"], "probe_library.Account"),
        ("probe_library.Account.fee", [250], 2),
        ("probe_library.later", [7], 7),
    ],
)
def test_longest_importable_prefix_is_the_module_and_the_rest_are_attributes(
    peer: Peer, target: str, args: list[Any], result: Any
) -> None:
    found = called(peer, target, *args)
    assert (found["type"] if isinstance(found, dict) else found) == result


@pytest.mark.capability("E02")
def test_module_far_below_its_package_is_imported(peer: Peer) -> None:
    called(peer, "xml.dom.minidom.parseString", "<a><b/></a>", store_as="document")
    assert called(peer, "stored.document.documentElement.tagName") == "a"
    assert called(peer, "stored.document.documentElement.firstChild.toxml") == "<b/>"


@pytest.mark.sentence("P-101")
@pytest.mark.capability("E20")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("", "BAD_TARGET"),
        ("  ", "BAD_TARGET"),
        (".", "BAD_TARGET"),
        ("json.", "BAD_TARGET"),
        (".json", "BAD_TARGET"),
        ("json..dumps", "BAD_TARGET"),
        ("stored.", "BAD_TARGET"),
        ("x" * 1001, "BAD_TARGET"),
        ("json.nothing", "TARGET_NOT_FOUND"),
        ("json.dumps.nothing", "TARGET_NOT_ALLOWED"),
        ("json.decoder.scanstring", "TARGET_NOT_ALLOWED"),
        ("absent.thing", "TARGET_NOT_FOUND"),
        ("json", "TARGET_NOT_ALLOWED"),
        ("stored", "TARGET_NOT_ALLOWED"),
    ],
)
def test_target_that_means_nothing_is_refused_with_the_reason(peer: Peer, target: str, reason: str) -> None:
    assert refused(peer, target) == reason


@pytest.mark.capability("E03")
@pytest.mark.capability("I02")
@pytest.mark.sentence("P-104")
def test_stored_object_is_called_and_so_are_its_methods(peer: Peer) -> None:
    session = {"session_id": "methods"}
    peer.result("call", {"target": "probe_library.Account", "args": ["Ada", 5], "store_as": "acc"}, **session)
    for target, kwargs, result in [
        ("stored.acc", {}, 5),
        ("stored.acc.__call__", {"doubled": True}, 10),
        ("stored.acc.__len__", {}, 5),
        ("stored.acc.shown", {}, "Ada: 5"),
        ("stored.acc.kind", {}, "current"),
        ("stored.acc.owner.upper", {}, "ADA"),
    ]:
        assert peer.result("call", {"target": target, "kwargs": kwargs}, **session)["result"] == result
    assert peer.result("call", {"target": "stored.acc.__getitem__", "args": ["owner"]}, **session)["result"] == "Ada"


@pytest.mark.capability("E03")
@pytest.mark.sentence("P-104")
def test_longest_id_that_fits_is_meant(peer: Peer) -> None:
    peer.result("store", {"id": "a", "value": {"b": 1}})
    peer.result("store", {"id": "a.b.c", "value": ["long"]})
    assert called(peer, "stored.a.b.c.__getitem__", 0) == "long"
    assert called(peer, "stored.a.__getitem__", "b") == 1
    assert refused(peer, "stored.a.b") == "TARGET_NOT_ALLOWED"  # of a dict only the listed methods
    assert refused(peer, "stored.nothing") == "REF_NOT_FOUND"
    assert refused(peer, "stored.nothing.at.all") == "REF_NOT_FOUND"


@pytest.mark.capability("E04")
@pytest.mark.sentence("P-105")
def test_what_cannot_be_called_is_read_and_what_can_only_if_asked(peer: Peer) -> None:
    assert called(peer, "probe_library.LIMIT") == 3
    assert called(peer, "probe_library.Account.kind", attribute=True) == "current"
    read = called(peer, "probe_library.note", attribute=True)
    assert read["type"] == "function"
    assert called(peer, "probe_library.CALLS") == []
    assert refused(peer, "probe_library.LIMIT", 1) == "INVALID_ARGUMENTS"
    assert refused(peer, "probe_library.note", "x", attribute=True) == "INVALID_ARGUMENTS"


@pytest.mark.capability("I01")
@pytest.mark.capability("E01")
@pytest.mark.sentence("P-106")
def test_result_that_is_stored_comes_back_as_its_reference(peer: Peer) -> None:
    made = peer.result("call", {"target": "probe_library.Account", "args": ["Bob"], "store_as": "bob"})
    assert made["stored_as"] == "bob"
    assert made["result"]["$ref"] == "bob"
    assert made["result"]["type"] == "probe_library.Account"
    assert made["result"]["repr"].startswith("<probe_library.Account")
    assert called(peer, "json.loads", "[1, 2]", store_as="plain") == [1, 2]
    assert called(peer, "json.loads", "[NaN]", store_as="odd")["$ref"] == "odd"
    assert called(peer, "json.loads", "[NaN]", store_as="odder", by_value=True) == [{"$type": "float", "value": "nan"}]


@pytest.mark.sentence("P-106")
def test_taken_or_empty_id_is_refused_before_anything_is_called(peer: Peer) -> None:
    before = called(peer, "probe_library.CALLS")
    peer.result("store", {"id": "taken", "value": 1})
    assert refused(peer, "probe_library.note", "x", store_as="taken") == "REF_EXISTS"
    assert refused(peer, "probe_library.note", "x", store_as="") == "INVALID_ARGUMENTS"
    assert called(peer, "probe_library.CALLS") == before


@pytest.mark.capability("E14")
@pytest.mark.sentence("P-107")
def test_only_what_has_no_form_becomes_a_reference_and_containers_keep_their_shape(peer: Peer) -> None:
    result = called(peer, "probe_library.accounts", "a", "b")
    first, second = result.pop("all")
    assert result == {"count": 2}
    assert first["$ref"] != second["$ref"]
    assert called(peer, f"stored.{second['$ref']}.owner") == "b"


@pytest.mark.sentence("P-107")
def test_object_that_the_session_has_keeps_its_id(peer: Peer) -> None:
    session = {"session_id": "same"}
    peer.result("call", {"target": "probe_library.Account", "args": ["Eve"], "store_as": "eve"}, **session)
    paid = peer.result("call", {"target": "stored.eve.pay", "args": [3]}, **session)
    assert paid["result"]["$ref"] == "eve"
    assert peer.result("retrieve", {"id": "eve"}, **session)["object"]["$ref"] == "eve"
    assert peer.result("store", {"id": "other", "value": 1}, **session)["stored_objects"] == 2


@pytest.mark.sentence("P-107")
def test_value_inside_itself_becomes_a_reference_there(peer: Peer) -> None:
    one, inner = called(peer, "probe_library.ring")
    assert one == 1
    assert inner["type"] == "list"
    assert called(peer, f"stored.{inner['$ref']}.__len__") == 2


@pytest.mark.sentence("P-107")
def test_answer_that_is_too_long_leaves_nothing_behind() -> None:
    config = {"policy": POLICY, "limits": {"max_frame_bytes": 10_000}}
    with Peer("--framework", "probe", "--config", json.dumps(config)) as peer:
        assert called(peer, "probe_library.large", 100)[0]["type"] == "probe_library.Account"
        assert refused(peer, "probe_library.large", 20_000) == "RESULT_TOO_LARGE"
        assert peer.result("ping")["stored_objects"] == 1


@pytest.mark.sentence("P-107")
def test_session_without_room_for_what_a_result_refers_to_is_left_as_it_was() -> None:
    config = {"policy": POLICY, "limits": {"max_objects_per_session": 2}}
    with Peer("--framework", "probe", "--config", json.dumps(config)) as peer:
        assert refused(peer, "probe_library.accounts", "a", "b", "c") == "STORE_FULL"
        assert peer.result("ping")["stored_objects"] == 0
        assert len(called(peer, "probe_library.accounts", "a", "b")["all"]) == 2


def test_what_the_target_raises_is_the_error_and_serving_goes_on(peer: Peer) -> None:
    answer = peer.ask("call", {"target": "probe_library.broken", "args": ["gone"]})
    assert answer["error_info"]["reason"] == "HANDLER_RAISED"
    assert answer["error_info"]["details"]["exception"] == "LookupError"
    assert refused(peer, "probe_library.leaves") == "HANDLER_RAISED"
    assert refused(peer, "json.dumps") == "HANDLER_RAISED"
    assert called(peer, "json.dumps", 1) == "1"


@pytest.mark.sentence("P-102")
def test_without_a_configuration_nothing_is_allowed() -> None:
    with Peer() as peer:
        assert refused(peer, "json.dumps", 1) == "TARGET_NOT_ALLOWED"
        assert peer.reason("inspect", {"target": "json"}) == "TARGET_NOT_ALLOWED"
        assert peer.reason("pipeline", {"steps": [{"target": "json.dumps"}]}) == "TARGET_NOT_ALLOWED"


@pytest.mark.sentence("P-103")
@pytest.mark.capability("K07")
def test_policy_that_allows_any_module_says_so_and_keeps_the_rules_of_names() -> None:
    with Peer(
        "--framework", "probe", "--config", json.dumps({"policy": {"allow_any": True, "deny": ["os.system"]}})
    ) as peer:
        assert called(peer, "operator.add", 1, 2) == 3
        assert refused(peer, "os.system", "true") == "TARGET_NOT_ALLOWED"
        assert refused(peer, "posix.system", "true") == "TARGET_NOT_ALLOWED"
        assert refused(peer, "operator.add.__self__") == "TARGET_NOT_ALLOWED"
        peer.result("shutdown")
        peer.rest()
        assert "allow_any" in peer.log()


@pytest.mark.capability("E11")
@pytest.mark.sentence("P-114")
def test_inspection_imports_on_demand_and_describes(peer: Peer) -> None:
    answer = peer.result("inspect", {"target": "probe_library.Account"})
    assert (answer["status"], answer["target"]) == ("ok", "probe_library.Account")
    inspection = answer["inspection"]
    assert inspection.pop("string_repr") == "<class 'probe_library.Account'>"
    assert inspection == {
        "type": "type",
        "module": "probe_library",
        "callable": True,
        "docstring": "An account with a balance.",
        "signature": "(owner: 'str', balance: 'int' = 0) -> 'None'",
        "attributes": ["fee", "kind", "pay", "shared", "shown"],
    }
    module = peer.result("inspect", {"target": "probe_library"})["inspection"]
    assert (module["type"], module["module"], module["signature"]) == ("module", "probe_library", None)
    assert "accounts" in module["attributes"]


@pytest.mark.capability("E11")
def test_inspection_of_what_is_stored_calls_nothing(peer: Peer) -> None:
    called(peer, "probe_library.Account", "Ida", 9, store_as="ida")
    described = peer.result("inspect", {"target": "stored.ida.pay"})["inspection"]
    assert described["signature"] == "(amount: 'int') -> 'Account'"
    assert called(peer, "stored.ida") == 9
    assert peer.result("inspect", {"target": "stored.ida"})["inspection"]["type"] == "probe_library.Account"


@pytest.mark.sentence("P-107")
def test_answer_that_cannot_be_sent_leaves_nothing_of_what_it_stored() -> None:
    config = {"policy": POLICY, "limits": {"max_frame_bytes": 10_000}}
    large = {"target": "json.dumps", "args": ["x"], "kwargs": {"indent": 20_000}}
    with Peer("--framework", "probe", "--config", json.dumps(config)) as peer:
        call = {"target": "probe_library.large", "args": [20_000], "store_as": "kept", "by_value": True}
        assert peer.reason("call", call) == "RESULT_TOO_LARGE"
        steps = [{"target": "probe_library.Account", "args": ["Ada"], "store_as": "kept"}, call | {"store_as": "more"}]
        assert peer.reason("pipeline", {"steps": steps}) == "RESULT_TOO_LARGE"
        assert peer.result("ping")["stored_objects"] == 0
        assert peer.result("call", {**large, "kwargs": {}, "store_as": "kept"})["stored_as"] == "kept"


def test_call_is_not_made_when_there_is_no_room_for_its_result() -> None:
    config = {"policy": POLICY, "limits": {"max_objects_per_session": 1}}
    with Peer("--framework", "probe", "--config", json.dumps(config)) as peer:
        peer.result("store", {"id": "list", "value": []})
        assert refused(peer, "stored.list.append", 1, store_as="more") == "STORE_FULL"
        assert called(peer, "stored.list") == []


def test_text_of_containers_inside_containers_is_bounded_before_it_is_made(peer: Peer) -> None:
    session = {"session_id": "towers"}
    peer.result("store", {"id": "t0", "value": ["x" * 100] * 100}, **session)
    for level in range(40):  # each holds the one below twice: the whole text would not fit in any memory
        twice = [{"$ref": f"t{level}"}, {"$ref": f"t{level}"}]
        peer.result("store", {"id": f"t{level + 1}", "value": twice}, **session)
    shown = peer.result("inspect", {"target": "stored.t40"}, **session)["inspection"]["string_repr"]
    assert len(shown) <= 2000
