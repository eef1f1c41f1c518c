"""What the operator's configuration gives to every new session of a framework."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from canary import KEY, assert_unseen
from peer import Peer

pytestmark = [pytest.mark.capability("K10")]

PLACES = ["settings", "settings_thread", "settings_async"]


def operator(configuration: dict[str, Any]) -> tuple[str, ...]:
    """Return the flags of a worker whose operator has decided this."""
    return "--framework", "probe", "--config", json.dumps({"frameworks": {"probe": {"configuration": configuration}}})


@pytest.mark.sentence("P-94")
@pytest.mark.parametrize("operation", PLACES)
def test_each_session_is_configured_once_on_the_main_thread(operation: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    flags = operator({"key": {"$file": str(tmp_path / "key")}, "mode": {"$env": "PROBE_MODE"}})
    with Peer(*flags, environment={"PROBE_MODE": "fast"}) as peer:
        for session in ("a", "b", "anonymous", "a"):
            answer = peer.result(operation, session_id=session)
            assert answer == {"settings": {"key": KEY, "mode": "fast"}, "configured": [True]}


@pytest.mark.sentence("P-94")
def test_many_calls_at_once_configure_their_session_once() -> None:
    with Peer(*operator({"mode": "fast"})) as peer:
        asked = [peer.send(operation, session_id=f"s{number}") for number in range(20) for operation in PLACES]
        answers = [peer.response(request)["result"] for request in asked]
    assert answers == [{"settings": {"mode": "fast"}, "configured": [True]}] * len(asked)


@pytest.mark.sentence("P-94")
def test_what_the_peer_configures_comes_after_it() -> None:
    with Peer(*operator({"mode": "fast"})) as peer:
        peer.result("configure", {"config": {"mode": "slow"}}, session_id="first")
        assert peer.result("settings", session_id="first") == {"settings": {"mode": "slow"}, "configured": [True] * 2}
        peer.result("settings_thread", session_id="later")
        peer.result("configure", {"config": {"mode": "slow"}}, session_id="later")
        assert peer.result("settings_async", session_id="later")["settings"] == {"mode": "slow"}


@pytest.mark.sentence("P-94")
@pytest.mark.parametrize("operation", [*PLACES, "configure"])
def test_failure_is_that_of_the_call_and_the_next_one_tries_again(operation: str, tmp_path: Path) -> None:
    arguments = {"config": {}} if operation == "configure" else {}
    with Peer(*operator({"needs": str(tmp_path / "needed")})) as peer:
        for _ in range(2):
            error = peer.ask(operation, arguments)["error_info"]
            assert (error["reason"], error["details"]["path"]) == (
                "INVALID_CONFIG",
                "$.frameworks.probe.configuration.needs",
            )
        (tmp_path / "needed").touch()
        assert peer.ask(operation, arguments)["success"]


@pytest.mark.sentence("P-94")
def test_reference_that_leads_nowhere_is_said_with_its_place_and_without_values(tmp_path: Path) -> None:
    with Peer(*operator({"keys": [{"$secret": KEY}, {"$file": str(tmp_path / "key")}]})) as peer:
        answer = peer.ask("settings")
        assert answer["error_info"]["details"]["path"] == "$.frameworks.probe.configuration.keys[1]"
        assert_unseen(answer)
        (tmp_path / "key").write_text("late", "utf-8")
        assert peer.result("settings")["settings"] == {"keys": [KEY, "late"]}
        assert_unseen(peer.ask("slip", {"how": "every spelling"}))


def test_session_that_begins_anew_is_configured_anew() -> None:
    with Peer(*operator({"mode": "fast"})) as peer:
        peer.result("configure", {"config": {"mode": "slow"}})
        peer.result("close_session")
        assert peer.result("settings_thread") == {"settings": {"mode": "fast"}, "configured": [True]}


def test_what_needs_no_framework_does_not_wait_for_it() -> None:
    with Peer(*operator({"needs": "/nowhere"})) as peer:
        assert peer.result("ping")["status"] == "ok"
        assert peer.result("close_session")["status"] == "closed"
        assert peer.reason("settings_thread", timeout_ms=0) == "CALL_TIMEOUT"


def test_call_that_waits_for_its_session_is_answered_when_the_worker_ends() -> None:
    with Peer(*operator({"mode": "fast"})) as peer:
        peer.result("settings")
        peer.run("wait", {"name": "for ever"})
        waiting = [peer.send(operation, session_id="other") for operation in PLACES[1:]]
        peer.close_input()
        answers = {message["id"]: message["error_info"]["reason"] for message in peer.rest() if "error_info" in message}
        assert [answers[one] for one in waiting] == ["SHUTTING_DOWN"] * 2
        assert peer.wait() == 0


@pytest.mark.sentence("P-94")
def test_dynamic_calls_of_a_framework_need_it_too(tmp_path: Path) -> None:
    decided = {
        "policy": {"allow": ["probe_framework"]},
        "frameworks": {"probe": {"configuration": {"needs": str(tmp_path / "needed")}}},
    }
    with Peer("--framework", "probe", "--config", json.dumps(decided)) as peer:
        for command in ("call", "inspect"):
            assert peer.reason(command, {"target": "probe_framework.DECLARED"}) == "INVALID_CONFIG"
        (tmp_path / "needed").touch()
        assert peer.result("call", {"target": "probe_framework.DECLARED"})["result"] == "by the plugin"
        assert peer.result("settings_thread")["configured"] == [True]
