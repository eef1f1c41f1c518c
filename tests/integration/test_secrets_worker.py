"""Secrets in a worker: who may refer to them, and that nothing shows them, whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import KEY, OTHER, assert_unseen, shows
from peer import Peer

pytestmark = [pytest.mark.capability("K10")]

DECIDED = {"secrets": {"env": ["PROBE_CANARY", "PROBE_MISSING"]}, "policy": {"allow": ["collections"]}}
CONFIG = json.dumps(DECIDED)
FLAGS = ("--framework", "probe", "--config", CONFIG)
ENVIRONMENT = {"PROBE_CANARY": KEY, "PROBE_HIDDEN": "sk-hidden-0123456789"}
_CHANGING = frozenset(["last_used", "created", "expires", "requests", "in_flight", "summary", "imports"])
FAILURES = ["message", "args", "every spelling", "cause", "note", "own", "at the cut", "exits", "too complex"]


@pytest.fixture(scope="module", params=[(), ("--debug",)], ids=["quiet", "debugging"])
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with Peer(*FLAGS, *request.param, environment=ENVIRONMENT) as one:
        one.result("hello", {"want": ["progress", "goodbye"]})
        yield one
        assert one.end() == 0
        assert_unseen(json.dumps(one.rest(), ensure_ascii=False))
        assert_unseen(one.log())


def configured(peer: Peer, session: str, key: Any = None) -> str:
    peer.result("configure", {"config": {"key": key or {"$env": "PROBE_CANARY"}}}, session_id=session)
    return session


def plugin_has(peer: Peer, session: str) -> Any:
    """Return what the plugin was given: the result of an operation is data, and not changed."""
    return peer.result("settings", session_id=session)["settings"]


@pytest.mark.sentence("P-90")
def test_peer_refers_to_a_listed_variable(peer: Peer) -> None:
    given = {"key": {"$env": "PROBE_CANARY"}, "nested": [{"deep": {"$env": "PROBE_CANARY"}}], "mode": "fast"}
    answer = peer.result("configure", {"config": given}, session_id="listed")
    assert answer["config"] == {"key": "[redacted]", "nested": [{"deep": "[redacted]"}], "mode": "fast"}
    assert plugin_has(peer, "listed") == {"key": KEY, "nested": [{"deep": KEY}], "mode": "fast"}


@pytest.mark.sentence("P-90")
@pytest.mark.parametrize(
    "reference",
    [{"$env": "PROBE_HIDDEN"}, {"$env": "HOME"}, {"$env": "NOWHERE_SET"}, {"$file": "/etc/hostname"}, {"$file": "x"}],
    ids=repr,
)
def test_peer_refers_to_nothing_else(peer: Peer, reference: dict[str, str]) -> None:
    for command, arguments, path in (
        ("configure", {"config": {"a": [reference]}}, "$.a[0]"),
        ("adopt", {"key": reference}, "$.key"),
    ):
        answer = peer.ask(command, arguments, session_id="refused")
        assert answer["error_info"]["reason"] == "SECRET_NOT_ALLOWED"
        assert answer["error_info"]["code"] == "permission_denied"
        assert answer["error_info"]["details"]["path"] == path
    assert plugin_has(peer, "refused") is None


@pytest.mark.sentence("P-90")
def test_without_configuration_a_peer_refers_to_nothing() -> None:
    with Peer(environment=ENVIRONMENT) as peer:
        assert peer.reason("configure", {"config": {"key": {"$env": "PROBE_CANARY"}}}) == "SECRET_NOT_ALLOWED"
        assert peer.reason("configure", {"config": {"key": {"$file": "/etc/hostname"}}}) == "SECRET_NOT_ALLOWED"


@pytest.mark.sentence("P-91")
def test_peer_says_of_a_value_that_it_is_secret(peer: Peer) -> None:
    with Peer() as other:
        assert configured(other, "marked", {"$secret": KEY}) == "marked"
        assert plugin_has(other, "marked") == {"key": KEY}
        assert_unseen(other.ask("slip", {"how": "message"}, session_id="marked"))
    configured(peer, "marked", {"$secret": OTHER})
    answer = peer.ask("slip", {"how": "message"}, session_id="marked")
    assert_unseen(answer, OTHER)
    assert "[redacted]" in answer["error"]


@pytest.mark.sentence("P-92")
@pytest.mark.parametrize(
    "reference",
    [
        {"$env": "PROBE_MISSING"},
        {"$env": "PROBE_CANARY", "default": ""},
        {"$env": None},
        {"$secret": 7},
        {"$secret": "x" * 20_000},
    ],
    ids=lambda reference: repr(reference)[:40],
)
def test_reference_that_leads_nowhere_is_a_wrong_configuration(peer: Peer, reference: dict[str, Any]) -> None:
    answer = peer.ask("configure", {"config": {"key": reference}}, session_id="nowhere")
    assert (answer["error_info"]["reason"], answer["error_info"]["details"]["path"]) == ("INVALID_CONFIG", "$.key")


@pytest.mark.sentence("P-92")
def test_elsewhere_such_an_object_is_data(peer: Peer) -> None:
    for value in ({"$env": "PROBE_HIDDEN"}, {"$env": "PROBE_CANARY"}, {"$secret": "x"}):
        assert dict(peer.result("echo", {"value": value})["pairs"]) == value


@pytest.mark.sentence("P-93")
@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("operation", ["slip", "slip_thread"])
def test_failure_shows_no_secret(peer: Peer, operation: str, how: str) -> None:
    session = configured(peer, "failing")
    answer = peer.ask(operation, {"how": how}, session_id=session)
    assert not answer["success"]
    assert_unseen(answer)


@pytest.mark.sentence("P-93")
@pytest.mark.parametrize("how", [how for how in FAILURES if how != "too complex"])
def test_failure_of_a_stream_shows_no_secret(peer: Peer, how: str) -> None:
    session = configured(peer, "streaming")
    chunks, answer = peer.stream("slip_stream", {"how": how}, session_id=session)
    assert chunks[0]["payload"] == "first"
    assert not answer["success"]
    assert_unseen(answer)


@pytest.mark.sentence("P-93")
def test_argument_that_is_wrong_is_not_repeated(peer: Peer) -> None:
    reference = {"$env": "PROBE_CANARY"}
    for arguments in ({"key": "x", "mode": reference}, {"key": [reference]}, {"key": reference, "more": reference}):
        answer = peer.ask("adopt", arguments, session_id="wrong")
        assert answer["error_info"]["reason"] == "INVALID_ARGUMENTS"
        assert_unseen(answer)


@pytest.mark.sentence("P-93")
def test_answer_of_what_configures_shows_no_secret(peer: Peer) -> None:
    answer = peer.ask("adopt", {"key": {"$env": "PROBE_CANARY"}}, session_id="adopting")
    assert answer["result"] == {
        "key": "[redacted]",
        "mode": "one",
        "header": {"Bearer [redacted]": ["[redacted]", 1, None]},
    }
    assert plugin_has(peer, "adopting") == {"key": KEY}


@pytest.mark.sentence("P-93")
def test_event_shows_no_secret(peer: Peer) -> None:
    session = configured(peer, "telling")
    request = peer.send("slip", {"how": "tells"}, session_id=session)
    event = next(message for message in iter(peer.receive, None) if message.get("data", {}).get("id") == request)
    assert event["data"] == {"id": request, "message": "using [redacted]", "fraction": 0.5}
    assert peer.response(request)["success"]


@pytest.mark.sentence("P-93")
def test_log_shows_no_secret(peer: Peer) -> None:
    session = configured(peer, "logging")
    peer.result("slip", {"how": "logs"}, session_id=session)
    assert "failed with" in peer.log()
    assert_unseen(peer.log())


@pytest.mark.sentence("P-93")
def test_what_a_worker_says_of_itself_shows_no_secret() -> None:
    with Peer(*FLAGS, "--worker-id", KEY, environment={**ENVIRONMENT, "BRIDGE_PLUGINS": "probe"}) as peer:
        for command in ("hello", "ping", "get_stats", "get_capabilities", "shutdown"):
            answer = peer.result(command)
            assert answer.get("worker_id", "[redacted]") == "[redacted]"
            assert_unseen(answer)
        assert peer.wait() == 0
        assert_unseen(peer.log())


@pytest.mark.sentence("P-93")
@pytest.mark.parametrize("word", ["framework", "configured", "probe.adopt", "get_stats", "arguments", "session_id"])
def test_secret_that_is_a_word_of_the_protocol_changes_no_answer_but_the_setting(word: str) -> None:
    asked = [
        ("hello", {}), ("get_capabilities", {}), ("describe", {"framework": "probe"}), ("list_sessions", {}),
        ("describe", {"operation": "probe.adopt"}), ("describe", {"operation": "configure"}), ("get_session", {}),
    ]  # fmt: skip
    with Peer(*FLAGS, "--worker-id", "w", environment=ENVIRONMENT) as peer:
        before = [likeness(peer.result(command, arguments)) for command, arguments in asked]
        answer = peer.result("configure", {"config": {"key": {"$secret": word}, word: 1}})
        assert answer["status"] == "configured"
        assert answer["framework"] == "probe"
        assert answer["config"]["key"] == "[redacted]"
        after = [likeness(peer.result(command, arguments)) for command, arguments in asked]
        assert after == before
        assert {"framework", "frameworks_available"} <= peer.result("ping").keys()
        assert {"configure", "get_capabilities"} <= peer.result("get_stats")["commands"].keys()
        assert peer.result("clear_session")["session_id"] == "anonymous"


def likeness(answer: Any) -> Any:
    """Return an answer without what the time, the requests before it and texts of a plugin change."""
    if isinstance(answer, dict):
        return {key: likeness(value) for key, value in answer.items() if key not in _CHANGING}
    return [*map(likeness, answer)] if isinstance(answer, list) else answer


@pytest.mark.sentence("P-93")
def test_default_and_documentation_of_an_operation_show_no_secret() -> None:
    environment = {**ENVIRONMENT, "PROBE_DOCUMENTED": KEY}
    with Peer(*FLAGS, environment=environment) as peer:
        for answer in (
            peer.result("describe", {"operation": "probe.documented"}),
            peer.result("get_capabilities")["operations"]["probe.documented"],
        ):
            assert_unseen(answer)
            assert answer["arguments"]["properties"]["key"]["default"] == "[redacted]"
            assert answer["summary"] == "Use [redacted]."


@pytest.mark.sentence("P-93")
def test_worker_that_does_not_start_shows_no_secret(tmp_path: Path) -> None:
    with Peer(*FLAGS, "--framework", KEY, environment=ENVIRONMENT) as peer:
        (message,) = peer.rest()
        assert message["error_info"]["reason"] == "FRAMEWORK_NOT_FOUND"
        assert peer.wait() == 1
        assert_unseen(message)
        assert_unseen(peer.log())


@pytest.mark.sentence("P-93")
def test_message_that_is_none_does_not_repeat_a_secret(peer: Peer) -> None:
    configured(peer, "malformed")
    for command in (KEY, f"{KEY}.{KEY}", f"probe.{KEY}"):
        answer = peer.ask(command)
        assert answer["error_info"]["reason"] == "UNKNOWN_OPERATION"
        assert_unseen({**answer, "id": None})
    answer = peer.ask("describe", {"operation": KEY})
    assert_unseen(answer)
    answer = peer.ask("ping", session_id=7)
    assert answer["error_info"]["reason"] == "MALFORMED_MESSAGE"
    assert_unseen(answer)


def test_result_that_cannot_be_sent_shows_no_secret(peer: Peer) -> None:
    answer = peer.ask("slip", {"how": "unserializable"}, session_id=configured(peer, "unserializable"))
    assert answer["error_info"]["reason"] == "SERIALIZE_FAILED"
    assert_unseen(answer)


@pytest.mark.sentence("P-93")
@pytest.mark.parametrize("before", [0, 190, 1990])
def test_text_of_a_live_object_shows_no_secret(peer: Peer, before: int) -> None:
    session = f"live{before}"
    arguments = {"target": "collections.UserString", "args": ["x" * before + KEY], "store_as": "text"}
    answer = peer.ask("call", arguments, session_id=session)
    assert answer["result"]["result"]["$ref"] == "text"
    assert_unseen(answer)
    answer = peer.ask("inspect", {"target": "stored.text"}, session_id=session)
    assert answer["success"]
    assert_unseen(answer)


def test_results_of_other_operations_are_data(peer: Peer) -> None:
    configured(peer, "data")
    assert peer.result("echo", {"value": [KEY, "embedded"]}) == [KEY, "embedded"]


def test_short_value_is_not_redacted() -> None:
    with Peer() as peer:
        answer = peer.result("configure", {"config": {"key": {"$secret": "1234567"}}})
        assert answer["config"] == {"key": "1234567"}
        assert shows(json.dumps(answer)) is None
