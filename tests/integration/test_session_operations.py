"""What a peer can ask of its sessions and of the objects in them, and that nobody else's are touched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer, frame


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def details(peer: Peer, command: str, args: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Send a request that does not go well and return the details of its error."""
    found: dict[str, Any] = peer.ask(command, args, **fields)["error_info"]["details"]
    return found


@pytest.mark.capability("F01")
@pytest.mark.sentence("P-80")
def test_opened_session_is_there_with_a_name_that_nobody_can_guess(peer: Peer) -> None:
    opened = [peer.result("open_session", {"ttl": 60, "metadata": {"user": [7]}}) for _ in range(2)]
    one, two = (answer["session_id"] for answer in opened)
    assert one != two
    assert len(one) >= 32
    assert opened[0] == {
        "status": "opened",
        "session_id": one,
        "ttl": 60,
        "created": pytest.approx(time.time(), abs=60),
    }
    assert peer.result("get_session", {"session_id": one})["metadata"] == {"user": [7]}
    assert peer.result("probe.due", session_id=one)["session"] == one


@pytest.mark.sentence("P-80")
def test_session_lives_no_longer_than_the_operator_has_set(peer: Peer) -> None:
    assert peer.result("open_session", {"ttl": 1e9})["ttl"] == peer.result("open_session")["ttl"] == 3600
    for wrong in ({"ttl": 0}, {"ttl": "long"}, {"metadata": [1]}, {"metadata": {"much": "x" * 10_000}}):
        assert peer.reason("open_session", wrong) == "INVALID_ARGUMENTS"


@pytest.mark.capability("F02")
@pytest.mark.sentence("P-81")
def test_session_is_described_with_times_and_counts() -> None:
    with Peer() as peer:
        before = time.time() - 1
        for _ in range(2):
            peer.result("probe.put", {"value": 1}, session_id="s")
        answer = peer.result("get_session", session_id="s")
        created, used, expires = (answer.pop(name) for name in ("created", "last_used", "expires"))
        assert before <= created <= used <= time.time() + 1
        assert expires == pytest.approx(used + 3600, abs=1)
        assert answer == {
            "status": "ok",
            "session_id": "s",
            "ttl": 3600,
            "objects": 2,
            "requests": 2,
            "in_flight": 0,
            "metadata": {},
        }
        anonymous = peer.result("get_session")
        assert (anonymous["session_id"], anonymous["ttl"], anonymous["expires"]) == ("anonymous", None, None)


@pytest.mark.capability("F02")
@pytest.mark.sentence("P-81")
def test_describing_a_session_neither_opens_nor_uses_it(peer: Peer) -> None:
    for ask in ({"session_id": "unheard of"}, {}):
        assert peer.reason("get_session", ask, session_id="unheard of") == "SESSION_NOT_FOUND"
    peer.result("probe.due", session_id="described")
    first = peer.result("get_session", {"session_id": "described"})
    again = peer.result("get_session", session_id="described")
    assert first.pop("metadata") == again.pop("metadata") == {}
    assert again == pytest.approx(first, abs=0.1)
    peer.result("close_session", session_id="described")
    assert details(peer, "get_session", {}, session_id="described")["gone"] == "closed"


@pytest.mark.capability("F02")
@pytest.mark.sentence("P-82")
def test_all_open_sessions_are_listed() -> None:
    with Peer() as peer:
        for name in ("a", "b", "closed"):
            peer.result("probe.put", {"value": 1}, session_id=name)
        peer.result("close_session", session_id="closed")
        answer = peer.result("list_sessions", session_id="not opened by this")
        assert (answer["status"], answer["count"]) == ("ok", 3)
        assert [one["session_id"] for one in answer["sessions"]] == ["anonymous", "a", "b"]
        one = peer.result("get_session", session_id="a")
        del one["status"], one["metadata"]
        assert answer["sessions"][1] == pytest.approx(one, abs=0.1)


@pytest.mark.capability("F02")
@pytest.mark.sentence("P-81", "P-82")
def test_sessions_are_described_while_a_handler_runs_in_them(peer: Peer) -> None:
    running = peer.run("probe.wait", {"name": "described"}, session_id="runs")
    behind = peer.send("probe.echo", {"value": 1}, session_id="runs")
    answer = peer.result("get_session", session_id="runs")
    assert (answer["in_flight"], answer["requests"]) == (2, 2)
    assert answer["expires"] > time.time() + 3000
    assert {one["session_id"]: one["in_flight"] for one in peer.result("list_sessions")["sessions"]}["runs"] == 2
    assert peer.result("open_session")["status"] == "opened"
    peer.result("probe.release", {"name": "described"})
    assert peer.response(running)["result"] == "described"
    assert peer.response(behind)["result"] == 1


@pytest.mark.capability("E08")
@pytest.mark.sentence("P-83")
def test_ids_of_stored_objects_are_listed_in_order_for_one_session(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "other"}, session_id="list other")
    requests = [
        {"id": f"list {name}", "command": "probe.put", "args": {"value": 1, "id": name}, "session_id": "list"}
        for name in ("b", "a.b")
    ]
    asked = {"id": "list all", "command": "list_stored", "session_id": "list"}
    peer.send_bytes(b"".join(map(frame, [*requests, asked])))
    assert peer.response("list all")["result"] == {"status": "ok", "stored_objects": ["b", "a.b"], "count": 2}
    assert peer.result("list_stored", session_id="list nothing") == {"status": "ok", "stored_objects": [], "count": 0}


@pytest.mark.capability("E09", "I03")
@pytest.mark.sentence("P-83", "P-86")
def test_deleted_object_is_freed_and_others_are_not(peer: Peer) -> None:
    for session in ("delete", "delete other"):
        peer.result("probe.keep", {"name": session, "id": "x"}, session_id=session)
    assert peer.result("delete_stored", {"id": "x"}, session_id="delete")["status"] == "ok"
    assert peer.result("probe.freed", {"name": "delete"}) == "MainThread"
    assert peer.result("list_stored", session_id="delete other")["stored_objects"] == ["x"]
    assert not peer.result("probe.is_freed", {"name": "delete other"})
    for command in ("delete_stored", "probe.get"):
        answer = peer.ask(command, {"id": "x"}, session_id="delete")
        assert answer["error_info"]["reason"] == "REF_NOT_FOUND"
        assert answer["error_info"]["details"] == {"id": "x", "session": "delete", "gone": "deleted"}
    assert "gone" not in details(peer, "delete_stored", {"id": "never"}, session_id="delete")
    assert peer.reason("delete_stored", {"id": "x"}, session_id="delete nothing") == "REF_NOT_FOUND"


@pytest.mark.sentence("P-86")
def test_plugins_own_error_says_what_has_become_of_the_object_too(peer: Peer) -> None:
    peer.result("probe.put", {"value": 1, "id": "x"}, session_id="own words")
    peer.result("delete_stored", {"id": "x"}, session_id="own words")
    answer = peer.ask("probe.find", {"id": "x"}, session_id="own words")
    assert answer["error_info"]["reason"] == "PROGRAM_NOT_FOUND"
    assert answer["error_info"]["details"] == {"program_id": "x", "gone": "deleted"}
    assert details(peer, "probe.find", {"id": "never"}, session_id="own words") == {"program_id": "never"}


@pytest.mark.capability("E12", "F03")
@pytest.mark.sentence("P-84")
def test_cleared_session_is_empty_and_open_and_no_other_is_touched(peer: Peer) -> None:
    for session in ("clear", "clear other", "anonymous"):
        peer.result("probe.keep", {"name": f"in {session}", "id": "x"}, session_id=session)
        peer.result("configure", {"framework": "probe", "config": {"of": session}}, session_id=session)
    answer = peer.result("clear_session", session_id="clear")
    assert isinstance(answer.pop("message"), str)
    assert answer == {"status": "ok", "session_id": "clear", "released": 1}
    assert peer.result("probe.freed", {"name": "in clear"}) == "MainThread"
    assert details(peer, "probe.get", {"id": "x"}, session_id="clear")["gone"] == "deleted"
    assert peer.result("probe.due", session_id="clear")["settings"] is None
    assert peer.result("get_session", session_id="clear")["objects"] == 0
    for session in ("clear other", "anonymous"):
        assert not peer.result("probe.is_freed", {"name": f"in {session}"})
        assert "x" in peer.result("list_stored", session_id=session)["stored_objects"]
        assert peer.result("probe.due", session_id=session)["settings"] == {"of": session}


@pytest.mark.capability("E12")
@pytest.mark.sentence("P-84")
def test_session_is_cleared_for_what_was_sent_behind_and_not_for_what_was_sent_before(peer: Peer) -> None:
    def ask(number: int, command: str, **args: Any) -> bytes:
        return frame({"id": f"cleared {number}", "command": command, "args": args, "session_id": "ordered"})

    peer.result("probe.put", {"value": 1, "id": "old"}, session_id="ordered")
    peer.send_bytes(
        ask(1, "probe.get", id="old")
        + ask(2, "clear_session")
        + ask(3, "probe.get", id="old")
        + ask(4, "probe.put", id="old", value=2)
        + ask(5, "clear_session", now=True)
        + ask(6, "list_stored")
    )
    answers = [peer.response(f"cleared {number}") for number in range(1, 7)]
    reasons = [answer.get("error_info", {}).get("reason") for answer in answers]
    assert reasons == [None, None, "REF_NOT_FOUND", None, "INVALID_ARGUMENTS", None]
    assert answers[5]["result"]["stored_objects"] == ["old"]


@pytest.mark.capability("F03")
@pytest.mark.sentence("P-72", "P-84")
@pytest.mark.parametrize("command", ["close_session", "clear_session"])
def test_objects_outlive_the_end_of_their_session_while_a_call_runs_in_it(peer: Peer, command: str) -> None:
    peer.result("probe.keep", {"name": command}, session_id=command)
    running = peer.run("probe.wait_thread", {"name": f"in {command}"}, session_id=command)
    assert peer.result(command, session_id=command)["session_id"] == command
    assert not peer.result("probe.is_freed", {"name": command})
    peer.result("probe.release", {"name": f"in {command}"})
    assert peer.response(running)["success"]
    assert peer.result("probe.freed", {"name": command})


@pytest.mark.sentence("P-87")
@pytest.mark.parametrize("length", [1024, 1025])
def test_names_are_as_long_as_ids_of_requests_at_most(length: int) -> None:
    name = "n" * length
    with Peer() as peer:
        fits = length == 1024
        assert peer.ask("probe.echo", {"value": 1}, session_id=name)["success"] is fits
        assert peer.ask("store", {"id": name, "value": 1})["success"] is fits
        assert peer.ask("close_session", session_id=name)["success"] is fits
        assert peer.result("ping")["status"] == "ok"
