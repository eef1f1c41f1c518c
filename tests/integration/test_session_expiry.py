"""Sessions and objects expire when the operator's time is over, in a worker that is asked nothing meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("F04")]


@contextmanager
def limited(**limits: Any) -> Iterator[Peer]:
    """Start a worker whose operator has set these limits."""
    with Peer("--framework", "probe", "--config", json.dumps({"limits": limits})) as peer:
        yield peer


def missing(peer: Peer, command: str, args: dict[str, Any] | None = None, **fields: Any) -> tuple[str, str]:
    """Send a request for what is not there, and return the reason and what has become of it."""
    info = peer.ask(command, args, **fields)["error_info"]
    return info["reason"], info["details"]["gone"]


@pytest.mark.sentence("P-85")
def test_session_expires_with_all_that_it_held_and_the_anonymous_one_stays() -> None:
    with limited(session_ttl=0.2) as peer:
        for session in ("s", "anonymous"):
            peer.result("probe.keep", {"name": session, "id": "x"}, session_id=session)
        assert peer.result("probe.freed", {"name": "s"}) == "bridge-sweeper"
        for command in ("probe.due", "get_session", "close_session", "clear_session", "list_stored"):
            assert missing(peer, command, session_id="s") == ("SESSION_NOT_FOUND", "expired")
        assert [one["session_id"] for one in peer.result("list_sessions")["sessions"]] == ["anonymous"]
        assert peer.result("list_stored")["stored_objects"] == ["x"]
        assert peer.end() == 0


@pytest.mark.sentence("P-85")
@pytest.mark.parametrize("waits", ["running", "queued"])
def test_session_does_not_expire_under_a_request(waits: str) -> None:
    with limited(session_ttl=0.2) as peer:
        peer.result("probe.put", {"value": "kept", "id": "x"}, session_id="busy")
        if waits == "running":
            running = peer.run("probe.wait", {"name": "w"}, session_id="busy")
        else:
            running = peer.run("probe.wait", {"name": "w"})
            behind = peer.send("probe.get", {"id": "x"}, session_id="busy")
        opened = peer.result("open_session")["session_id"]
        peer.result("probe.release", {"name": "later"}, session_id=opened)  # used after the busy one was
        while peer.ask("get_session", session_id=opened)["success"]:
            assert peer.result("get_session", session_id="busy")["in_flight"] == 1
        peer.result("probe.release", {"name": "w"})
        assert peer.response(running)["success"]
        if waits == "queued":
            assert peer.response(behind)["result"] == "kept"
        assert peer.result("probe.get", {"id": "x"}, session_id="busy") == "kept"


@pytest.mark.capability("F01")
@pytest.mark.sentence("P-80", "P-85")
def test_session_may_ask_for_less_time_than_others_have() -> None:
    with limited() as peer:
        opened = peer.result("open_session", {"ttl": 0.2})["session_id"]
        other = peer.result("open_session")["session_id"]
        while (answer := peer.ask("get_session", session_id=opened))["success"]:
            continue
        assert answer["error_info"]["details"] == {"session": opened, "gone": "expired"}
        assert peer.result("get_session", session_id=other)["requests"] == 0


@pytest.mark.sentence("P-85")
def test_expired_sessions_make_room_and_existing_ones_are_never_refused() -> None:
    with limited(max_sessions=1, session_ttl=0.2) as peer:
        first = peer.result("open_session")["session_id"]
        while peer.ask("get_session", session_id=first)["success"]:
            continue
        second = peer.result("open_session")["session_id"]
        running = peer.run("probe.wait_thread", {"name": "w"}, session_id=second)
        assert peer.reason("open_session") == peer.reason("probe.due", session_id="third") == "STORE_FULL"
        assert peer.result("probe.due", session_id=second)["session"] == second
        assert peer.result("probe.due")["session"] == "anonymous"
        peer.result("probe.release", {"name": "w"})
        assert peer.response(running)["success"]


@pytest.mark.sentence("P-86")
def test_object_expires_in_a_worker_that_is_asked_nothing() -> None:
    with limited(object_ttl=0.2) as peer:
        peer.result("probe.keep", {"name": "kept", "id": "x"})
        assert peer.result("probe.freed", {"name": "kept"}) == "bridge-sweeper"
        for command in ("probe.get", "delete_stored"):
            assert missing(peer, command, {"id": "x"}) == ("REF_NOT_FOUND", "expired")
        assert peer.result("list_stored")["count"] == peer.result("ping")["stored_objects"] == 0
        assert peer.result("probe.put", {"value": 1, "id": "x"}) == {"id": "x"}


@pytest.mark.sentence("P-86")
def test_full_session_evicts_only_if_that_is_configured() -> None:
    with limited(max_objects_per_session=2, evict=True) as peer:
        for name in ("a", "b"):
            peer.result("probe.keep", {"name": name, "id": name})
        peer.reason("probe.get", {"id": "a"})  # of another kind, so it is not used
        peer.result("probe.put", {"value": 1, "id": "c"})
        assert peer.result("probe.freed", {"name": "a"}) == "MainThread"
        assert missing(peer, "probe.get", {"id": "a"}) == ("REF_NOT_FOUND", "evicted")
        assert peer.result("list_stored")["stored_objects"] == ["b", "c"]
    with limited(max_objects_per_session=2) as peer:
        for _ in range(2):
            peer.result("probe.put", {"value": 1})
        assert peer.reason("probe.put", {"value": 1}) == "STORE_FULL"
        assert peer.result("delete_stored", {"id": peer.result("list_stored")["stored_objects"][0]})
        assert peer.result("probe.put", {"value": 1})


def test_worker_ends_in_time_although_something_never_stops_being_freed() -> None:
    with limited(object_ttl=0.1) as peer:
        peer.result("probe.keep", {"name": "stuck", "stuck": True})
        assert peer.result("probe.freed", {"name": "stuck"}) == "bridge-sweeper"
        assert peer.result("probe.put", {"value": 1, "id": "x"}) == {"id": "x"}
        assert peer.end() == 0
