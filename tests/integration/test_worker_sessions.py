"""What one session keeps, no other sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer, frame

pytestmark = [pytest.mark.sentence("P-44")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


@pytest.mark.sentence("P-45")
def test_object_lives_in_its_session_only(peer: Peer) -> None:
    assert peer.result("probe.put", {"value": 1, "id": "shared"}, session_id="a") == {"id": "shared"}
    assert peer.result("probe.put", {"value": 2, "id": "shared"}, session_id="b") == {"id": "shared"}
    assert peer.result("probe.get", {"id": "shared"}, session_id="a") == 1
    assert peer.result("probe.get", {"id": "shared"}, session_id="b") == 2
    assert peer.reason("probe.get", {"id": "shared"}, session_id="c") == "REF_NOT_FOUND"


def test_request_without_a_session_is_in_the_anonymous_one(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "nameless"})
    assert peer.result("probe.get", {"id": "nameless"}, session_id="anonymous") == 1


@pytest.mark.sentence("P-45")
def test_generated_ids_name_the_framework_and_differ(peer: Peer) -> None:
    ids = {peer.result("probe.put", {"value": 1}, session_id="generated")["id"] for _ in range(10)}
    assert len(ids) == 10
    assert all(one.startswith("probe:") and len(one) > 20 for one in ids)


def test_id_that_is_taken_or_empty_is_refused(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "x"}, session_id="taken")
    assert peer.reason("probe.put", {"value": 2, "id": "x"}, session_id="taken") == "REF_EXISTS"
    assert peer.reason("probe.put", {"value": 2, "id": ""}, session_id="taken") == "INVALID_ARGUMENTS"
    assert peer.result("probe.get", {"id": "x"}, session_id="taken") == 1


def test_session_that_is_full_refuses_and_leaves_others_alone(peer: Peer) -> None:
    ids = [peer.send("probe.put", {"value": 1}, session_id="full") for _ in range(1001)]
    answers = [peer.response(request) for request in ids]
    assert [answer["success"] for answer in answers] == [True] * 1000 + [False]
    assert answers[-1]["error_info"]["reason"] == "STORE_FULL"
    assert peer.result("probe.put", {"value": 1}, session_id="not full")


@pytest.mark.capability("A10")
def test_worker_that_has_no_room_for_a_session_still_answers_for_itself() -> None:
    with Peer() as peer:
        sent = [peer.send("probe.echo", {"value": 1}, session_id=f"s{number}") for number in range(10_001)]
        reasons = [peer.response(one).get("error_info", {}).get("reason") for one in sent]
        assert reasons == [None] * 10_000 + ["STORE_FULL"]
        assert peer.result("ping", session_id="one more")["status"] == "ok"
        assert peer.result("shutdown", session_id="one more")["status"] == "shutting_down"
        assert peer.wait() == 0


def test_ping_counts_the_objects_of_all_sessions() -> None:
    with Peer() as peer:
        for session in ("a", "b"):
            peer.result("probe.put", {"value": 1}, session_id=session)
        assert peer.result("ping")["stored_objects"] == 2


@pytest.mark.sentence("P-72")
def test_closed_session_is_gone_with_all_that_it_held_and_others_are_not(peer: Peer) -> None:
    for session in ("closing", "staying"):
        peer.result("probe.put", {"value": session, "id": "x"}, session_id=session)
        peer.result("configure", {"framework": "probe", "config": {"of": session}}, session_id=session)
    before = peer.result("ping")["stored_objects"]
    answer = peer.result("close_session", session_id="closing")
    assert answer == {"status": "closed", "session_id": "closing"}
    assert peer.result("ping")["stored_objects"] == before - 1
    assert peer.reason("probe.get", {"id": "x"}, session_id="closing") == "SESSION_NOT_FOUND"
    assert peer.result("probe.get", {"id": "x"}, session_id="staying") == "staying"
    assert peer.result("probe.due", session_id="staying")["settings"] == {"of": "staying"}


@pytest.mark.sentence("P-72")
def test_closed_session_is_not_opened_again_by_whatever_names_it(peer: Peer) -> None:
    peer.result("close_session", session_id="never used")
    for command in ("probe.due", "close_session", "configure"):
        args = {"framework": "probe", "config": {}} if command == "configure" else {}
        assert peer.reason(command, args, session_id="never used") == "SESSION_NOT_FOUND"


@pytest.mark.sentence("P-72")
def test_call_that_runs_in_a_session_outlives_its_closing(peer: Peer) -> None:
    running = peer.run("probe.wait_thread", {"name": "outlives"}, session_id="busy")
    assert peer.result("close_session", session_id="busy")["status"] == "closed"
    peer.result("probe.release", {"name": "outlives"})
    assert peer.response(running)["result"] == "outlives"


@pytest.mark.sentence("P-73")
def test_anonymous_session_is_empty_after_it_was_closed_and_stays_open(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "kept"})
    peer.result("configure", {"framework": "probe", "config": {"depth": 3}})
    assert peer.result("close_session") == {"status": "closed", "session_id": "anonymous"}
    assert peer.reason("probe.get", {"id": "kept"}) == "REF_NOT_FOUND"
    assert peer.result("probe.due")["settings"] is None
    assert peer.result("probe.put", {"value": 2, "id": "kept"}) == {"id": "kept"}
    assert peer.result("close_session")["status"] == "closed"


@pytest.mark.sentence("P-72")
def test_closing_a_session_makes_room_for_another() -> None:
    with Peer() as peer:
        sent = [peer.send("probe.echo", {"value": 1}, session_id=f"s{number}") for number in range(10_000)]
        assert all(peer.response(one)["success"] for one in sent)
        assert peer.reason("probe.echo", {"value": 1}, session_id="one more") == "STORE_FULL"
        peer.result("close_session", session_id="s5000")
        assert peer.result("probe.echo", {"value": 1}, session_id="one more") == 1


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("probe.get", {"id": "old"}),
    ("close_session", {}),
    ("probe.get", {"id": "old"}),
    ("probe.put", {"value": 2, "id": "new"}),
]


def pipelined(peer: Peer, session: str) -> list[str | None]:
    """Take the steps in a session that has an object, without waiting, and return the reasons of those that fail."""
    peer.result("probe.put", {"value": 1, "id": "old"}, session_id=session)
    requests = [
        {"id": f"{session} {number}", "command": command, "args": args, "session_id": session}
        for number, (command, args) in enumerate(STEPS)
    ]
    peer.send_bytes(b"".join(map(frame, requests)))
    answers = [peer.response(request["id"]) for request in requests]
    return [answer.get("error_info", {}).get("reason") for answer in answers]


@pytest.mark.sentence("P-72")
def test_session_is_closed_for_what_was_sent_behind_without_waiting_and_not_for_what_was_sent_before(
    peer: Peer,
) -> None:
    assert pipelined(peer, "ordered") == [None, None, "SESSION_NOT_FOUND", "SESSION_NOT_FOUND"]


@pytest.mark.sentence("P-73")
def test_anonymous_session_keeps_what_was_put_behind_its_closing_without_waiting() -> None:
    with Peer() as peer:
        assert pipelined(peer, "anonymous") == [None, None, "REF_NOT_FOUND", None]
        assert peer.result("probe.get", {"id": "new"}) == 2


@pytest.mark.sentence("P-72")
def test_closing_that_is_refused_closes_nothing(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "x"}, session_id="refused")
    assert peer.reason("close_session", {"now": True}, session_id="refused") == "INVALID_ARGUMENTS"
    assert peer.reason("close_session", stream=True, session_id="refused") == "STREAMING_UNSUPPORTED"
    assert peer.result("probe.get", {"id": "x"}, session_id="refused") == 1
