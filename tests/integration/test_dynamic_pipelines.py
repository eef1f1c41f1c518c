"""Pipelines over the raw wire: several calls in one request, each with the results of those before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

ACCOUNT = {"target": "probe_library.Account", "args": ["Ada", 5]}

pytestmark = [pytest.mark.capability("E10")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    config = {"policy": {"allow": ["probe_library", "json"]}}
    with Peer("--framework", "probe", "--config", json.dumps(config)) as running:
        yield running


def stored(peer: Peer, session: str) -> list[str]:
    """Return which of the usual ids the session has."""
    asked = {key: peer.ask("retrieve", {"id": key}, session_id=session)["success"] for key in ("a", "b", "c")}
    return [key for key, there in asked.items() if there]


@pytest.mark.sentence("P-112")
def test_steps_use_what_was_stored_and_what_earlier_steps_gave(peer: Peer) -> None:
    parts = [{"$step": 2, "path": ["all", 1, "owner"]}, {"$step": 0, "path": ["balance"]}]
    steps: list[Any] = [
        {**ACCOUNT, "store_as": "a"},
        {"target": "stored.a.pay", "args": [10]},
        {"target": "probe_library.accounts", "args": ["x", "y"], "omit": True},
        {"target": "json.dumps", "kwargs": {"obj": parts}},
        {"target": "json.loads", "args": [{"$step": 3}]},
    ]
    answer = peer.result("pipeline", {"steps": steps}, session_id="used")
    assert (answer["status"], answer["steps_completed"]) == ("ok", 5)
    first, second, third, *rest = answer["pipeline_results"]
    assert (first["stored_as"], first["result"]["$ref"], second["result"]["$ref"]) == ("a", "a", "a")
    assert third == {"status": "ok", "result": None, "stored_as": None, "target": "probe_library.accounts"}
    assert [one["result"] for one in rest] == ['["y", 15]', ["y", 15]]
    assert peer.result("list_stored", session_id="used")["stored_objects"] == ["a"]


@pytest.mark.sentence("P-112")
def test_pipeline_without_steps_is_done_at_once(peer: Peer) -> None:
    answer = peer.result("pipeline", {"steps": []})
    assert answer == {"status": "ok", "pipeline_results": [], "steps_completed": 0}


@pytest.mark.sentence("P-113")
@pytest.mark.parametrize("rollback", [False, True])
def test_failing_step_is_named_with_what_was_completed(peer: Peer, rollback: bool) -> None:
    session = f"rollback {rollback}"
    peer.result("store", {"id": "b", "value": "mine"}, session_id=session)
    steps = [
        {**ACCOUNT, "store_as": "a"},
        {"target": "stored.a.pay", "args": [1]},
        {"target": "probe_library.broken", "args": ["here"], "store_as": "c"},
        {"target": "probe_library.note", "args": ["never"]},
    ]
    answer = peer.ask("pipeline", {"steps": steps, "rollback": rollback}, session_id=session)
    info = answer["error_info"]
    assert info["reason"] == "HANDLER_RAISED"
    assert info["details"] == {
        "exception": "LookupError",
        "text": "here",
        "step": 2,
        "target": "probe_library.broken",
        "completed": [
            {"step": 0, "target": "probe_library.Account", "stored_as": "a"},
            {"step": 1, "target": "stored.a.pay", "stored_as": None},
        ],
        "rolled_back": ["a"] if rollback else [],
    }
    assert stored(peer, session) == (["b"] if rollback else ["a", "b"])
    assert peer.result("call", {"target": "probe_library.CALLS"})["result"] == []


@pytest.mark.sentence("P-113")
@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"target": "os.system", "args": ["true"]}, "TARGET_NOT_ALLOWED"),
        ({"target": "json.nothing"}, "TARGET_NOT_FOUND"),
        ({"target": ""}, "BAD_TARGET"),
        ({**ACCOUNT, "store_as": "b"}, "REF_EXISTS"),
        ({"target": "json.dumps", "args": [{"$step": 1}]}, "INVALID_ARGUMENTS"),
        ({"target": "json.dumps", "args": [{"$step": -1}]}, "INVALID_ARGUMENTS"),
        ({"target": "json.dumps", "args": [{"$step": "0"}]}, "INVALID_ARGUMENTS"),
        ({"target": "stored.nothing"}, "REF_NOT_FOUND"),
        ({"target": "probe_library.slow", "args": [0.01], "timeout_ms": 1, "store_as": "c"}, "CALL_TIMEOUT"),
        ({"target": "probe_library.leaves"}, "HANDLER_RAISED"),
    ],
)
def test_step_fails_the_pipeline_with_its_own_reason(peer: Peer, step: dict[str, Any], reason: str) -> None:
    session = f"failing {reason} {step}"
    peer.result("store", {"id": "b", "value": 1}, session_id=session)
    steps = [{**ACCOUNT, "store_as": "a"}, step]
    answer = peer.ask("pipeline", {"steps": steps, "rollback": True}, session_id=session)
    assert answer["error_info"]["reason"] == reason
    assert answer["error_info"]["details"]["step"] == 1
    assert answer["error_info"]["details"]["rolled_back"] == ["a"]
    assert stored(peer, session) == ["b"]


def test_step_that_is_written_wrong_fails_before_any_runs(peer: Peer) -> None:
    for wrong in ({"args": []}, {"target": "json.dumps", "arguments": []}, {"target": 1}, "json.dumps"):
        answer = peer.ask("pipeline", {"steps": [{"target": "probe_library.note", "args": ["x"]}, wrong]})
        assert answer["error_info"]["reason"] == "INVALID_ARGUMENTS"
        assert answer["error_info"]["details"]["path"].startswith("$.steps[1]")
    assert peer.result("call", {"target": "probe_library.CALLS"})["result"] == []


def test_deadline_of_the_request_ends_a_pipeline_between_two_steps(peer: Peer) -> None:
    steps = [{"target": "probe_library.slow", "args": [0.05]}, {"target": "probe_library.note", "args": ["late"]}]
    answer = peer.ask("pipeline", {"steps": steps}, timeout_ms=20)
    assert answer["error_info"]["reason"] == "CALL_TIMEOUT"
    assert [one["step"] for one in answer["error_info"]["details"]["completed"]] == [0]
    assert peer.result("call", {"target": "probe_library.CALLS"})["result"] == []


def test_results_that_nobody_stored_are_kept_as_references(peer: Peer) -> None:
    answer = peer.result("pipeline", {"steps": [ACCOUNT, ACCOUNT]}, session_id="kept")
    ids = [one["result"]["$ref"] for one in answer["pipeline_results"]]
    assert ids[0] != ids[1]
    assert peer.result("call", {"target": f"stored.{ids[1]}.owner"}, session_id="kept")["result"] == "Ada"
