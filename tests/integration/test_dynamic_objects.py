"""Live objects over the raw wire: references in arguments, values that are kept, attributes that are set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

POLICY = {"allow": ["probe_library", "json"]}
TREE = {"list": [10, {"name": "deep"}], "tuple": [1]}


def started(**policy: Any) -> Peer:
    return Peer("--framework", "probe", "--config", json.dumps({"policy": {**POLICY, **policy}}))


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with started() as running:
        running.result("store", {"id": "tree", "value": TREE})
        running.result("call", {"target": "probe_library.Account", "args": ["Ada", 5], "store_as": "ada"})
        yield running


def dumped(peer: Peer, value: Any) -> Any:
    """Return what a function is given for an argument."""
    return json.loads(peer.result("call", {"target": "json.dumps", "args": [value]})["result"])


@pytest.mark.capability("E05")
@pytest.mark.capability("E18")
@pytest.mark.sentence("P-108")
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ({"$ref": "tree"}, TREE),
        ({"$ref": "tree", "type": "dict", "repr": "{…}"}, TREE),
        ({"$ref": "tree", "path": []}, TREE),
        ({"$ref": "tree", "path": ["list", 0]}, 10),
        ({"$ref": "tree", "path": ["list", -1, "name"]}, "deep"),
        ({"$ref": "ada", "path": ["owner"]}, "Ada"),
        ({"deep": [{"er": {"$ref": "tree", "path": ["tuple"]}}]}, {"deep": [{"er": [1]}]}),
        ({"$value": {"$ref": "tree"}}, {"$ref": "tree"}),
        ({"$value": [{"$value": 1}]}, [{"$value": 1}]),
        ({"not $ref": "tree"}, {"not $ref": "tree"}),
    ],
)
def test_reference_in_an_argument_is_the_object_or_a_part_of_it(peer: Peer, argument: Any, value: Any) -> None:
    assert dumped(peer, argument) == value


@pytest.mark.sentence("P-108")
@pytest.mark.capability("E05")
@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ({"$ref": "nothing"}, "REF_NOT_FOUND"),
        ({"$ref": 7}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "other": 1}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "path": "list"}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "path": ["list", 9]}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "path": ["absent"]}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "path": [True]}, "INVALID_ARGUMENTS"),
        ({"$ref": "tree", "path": [None]}, "INVALID_ARGUMENTS"),
        ({"$ref": "ada", "path": ["absent"]}, "TARGET_NOT_FOUND"),
        ({"$ref": "ada", "path": ["__class__"]}, "TARGET_NOT_ALLOWED"),
        ({"$type": "tuple", "items": []}, "INVALID_ARGUMENTS"),
        ({"$step": 0}, "INVALID_ARGUMENTS"),
        ({"$env": "HOME"}, "INVALID_ARGUMENTS"),
    ],
)
def test_reference_that_is_none_is_refused_with_the_reason(peer: Peer, argument: Any, reason: str) -> None:
    for args in ([argument], [[{"deep": argument}]]):
        assert peer.reason("call", {"target": "json.dumps", "args": args}) == reason
    assert peer.reason("store", {"id": "never", "value": argument}) == reason
    assert peer.reason("retrieve", {"id": "never"}) == "REF_NOT_FOUND"


@pytest.mark.sentence("P-108")
def test_message_says_where_a_wrong_reference_is(peer: Peer) -> None:
    kwargs = {"target": "json.dumps", "kwargs": {"obj": [1, {"a": {"$ref": 7}}]}}
    assert peer.ask("call", kwargs)["error_info"]["details"]["path"] == "$.kwargs.obj[1].a"


@pytest.mark.sentence("P-109")
@pytest.mark.capability("E05")
def test_text_is_an_object_only_for_peers_that_expect_it(peer: Peer) -> None:
    assert dumped(peer, ["stored.tree", "stored.nothing", {"$value": "stored.tree"}]) == [
        TREE,
        "stored.nothing",
        "stored.tree",
    ]
    with started() as polite:
        polite.result("store", {"id": "x", "value": 1})
        polite.result("hello", {})
        assert dumped(polite, "stored.x") == "stored.x"
        polite.result("hello", {"resolve_strings": True})
        assert dumped(polite, "stored.x") == 1


@pytest.mark.sentence("P-109")
def test_operator_may_have_texts_resolved_for_everybody() -> None:
    with started(resolve_strings=True) as peer:
        peer.result("hello", {})
        peer.result("store", {"id": "x", "value": 1})
        assert dumped(peer, "stored.x") == 1


@pytest.mark.capability("E06")
@pytest.mark.capability("E07")
@pytest.mark.sentence("P-110")
def test_stored_value_is_retrieved_as_it_was(peer: Peer) -> None:
    session = {"session_id": "values"}
    for number, value in enumerate([None, False, 0, "", [], {}, {"a": [1.5, None]}, "stored.tree"], 1):
        stored = peer.result("store", {"id": f"v{number}", "value": value}, **session)
        assert stored == {"status": "ok", "message": f"stored 'v{number}'", "stored_objects": number}
        assert peer.result("retrieve", {"id": f"v{number}"}, **session) == {"status": "ok", "object": value}


@pytest.mark.sentence("P-110")
@pytest.mark.capability("E06")
def test_stored_reference_is_another_name_of_the_object(peer: Peer) -> None:
    peer.result("store", {"id": "alias", "value": {"$ref": "ada"}})
    peer.result("call", {"target": "stored.alias.pay", "args": [1]})
    assert peer.result("call", {"target": "stored.ada"})["result"] == 6


@pytest.mark.sentence("P-110")
@pytest.mark.capability("E20")
def test_id_that_is_taken_or_empty_or_absent_is_refused(peer: Peer) -> None:
    assert peer.reason("store", {"id": "tree", "value": 1}) == "REF_EXISTS"
    assert peer.reason("store", {"id": "", "value": 1}) == "INVALID_ARGUMENTS"
    assert peer.reason("retrieve", {"id": ""}) == "INVALID_ARGUMENTS"
    assert peer.reason("retrieve", {"id": "nothing"}) == "REF_NOT_FOUND"


@pytest.mark.capability("I03")
@pytest.mark.sentence("P-111")
def test_attribute_of_an_object_is_set(peer: Peer) -> None:
    session = {"session_id": "changed"}
    peer.result("call", {"target": "probe_library.Account", "args": ["Bob"], "store_as": "bob"}, **session)
    peer.result("store", {"id": "list", "value": [1, 2]}, **session)
    answer = peer.result("set_attribute", {"target": "stored.bob.balance", "value": 7}, **session)
    assert answer == {"status": "ok", "target": "stored.bob.balance"}
    assert peer.result("call", {"target": "stored.bob"}, **session)["result"] == 7
    peer.result("set_attribute", {"target": "stored.bob.owner", "value": {"$ref": "list"}}, **session)
    assert peer.result("call", {"target": "stored.bob.owner.pop"}, **session)["result"] == 2
    assert peer.result("retrieve", {"id": "list"}, **session)["object"] == [1]


@pytest.mark.capability("I03")
@pytest.mark.sentence("P-111")
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("probe_library.LIMIT", "BAD_TARGET"),
        ("stored.ada", "BAD_TARGET"),
        ("balance", "BAD_TARGET"),
        ("stored.ada.__class__", "TARGET_NOT_ALLOWED"),
        ("stored.ada._secret", "TARGET_NOT_ALLOWED"),
        ("stored.tree.keys", "TARGET_NOT_ALLOWED"),
        ("stored.class.kind", "TARGET_NOT_ALLOWED"),
        ("stored.nothing.balance", "REF_NOT_FOUND"),
    ],
)
def test_attribute_of_what_is_no_allowed_object_is_not_set(peer: Peer, target: str, reason: str) -> None:
    if target.startswith("stored.class"):
        peer.result("call", {"target": "probe_library.Account", "attribute": True, "store_as": "class"})
    assert peer.reason("set_attribute", {"target": target, "value": 1}) == reason


def test_object_of_another_session_is_not_seen(peer: Peer) -> None:
    other = {"session_id": "other"}
    assert peer.reason("retrieve", {"id": "ada"}, **other) == "REF_NOT_FOUND"
    assert peer.reason("call", {"target": "stored.ada.owner"}, **other) == "REF_NOT_FOUND"
    assert peer.reason("call", {"target": "json.dumps", "args": [{"$ref": "ada"}]}, **other) == "REF_NOT_FOUND"
    assert peer.reason("inspect", {"target": "stored.ada"}, **other) == "REF_NOT_FOUND"
