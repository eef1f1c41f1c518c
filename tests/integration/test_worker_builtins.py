"""What every worker answers, whichever frameworks it serves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from peer import Peer


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer("--framework", "probe", "--mode", "pool-worker", "--worker-id", "w-1") as running:
        yield running


@pytest.mark.capability("A07", "A10", "A15", "A19")
@pytest.mark.sentence("P-53")
def test_ping_tells_who_is_there(peer: Peer) -> None:
    result = peer.result("ping")
    assert result.pop("uptime") > 0
    assert result.pop("timestamp") > 1_600_000_000
    assert result.pop("requests_handled") > 0
    assert isinstance(result.pop("stored_objects"), int)
    assert result == {
        "status": "ok",
        "mode": "pool-worker",
        "worker_id": "w-1",
        "framework": "probe",
        "frameworks_available": ["probe"],
        "bridge_type": "python",
        "failures": [],
    }


@pytest.mark.capability("A07", "A11")
@pytest.mark.sentence("P-54")
def test_each_request_frame_is_counted_once() -> None:
    with Peer() as peer:
        peer.ask("ping")
        peer.ask("probe.fail", {"how": "value"})
        peer.ask("nonsense")
        peer.ask("probe.echo", {})
        peer.send_bytes(b"\x00\x00\x00\x00")
        peer.receive()
        result = peer.result("get_stats")
        assert (result["command_count"], result["error_count"]) == (6, 4)
        counted = {name: (one["count"], one["errors"]) for name, one in result["commands"].items()}
        assert counted == {"ping": (1, 0), "probe.fail": (1, 1), "probe.echo": (1, 1)}
        assert result["in_flight"] == 1
        assert {"uptime", "started", "framework", "mode", "worker_id"} <= set(result)


@pytest.mark.capability("A13")
@pytest.mark.sentence("P-55")
def test_capabilities_list_operations_with_their_schemas(peer: Peer) -> None:
    result = peer.result("get_capabilities")
    assert (result["framework"], result["mode"]) == ("probe", "pool-worker")
    assert {"ping", "hello", "configure", "probe.echo", "probe.count_thread"} <= set(result["supported_operations"])
    assert (result["protocol"], result["codecs"], result["hook_api"]) == ([1, 1], ["json", "msgpack"], 1)
    echo = result["operations"]["probe.echo"]
    assert echo["arguments"]["required"] == ["value"]
    assert (echo["runs"], echo["streaming"]) == ("main", False)
    assert result["operations"]["probe.count_thread"]["streaming"]
    assert result["plugins"]["probe"]["plugin"] == "bridge-probe 0.1.0"
    assert result["failures"] == []


@pytest.mark.sentence("P-57")
def test_describe_says_of_one_operation_what_capabilities_say(peer: Peer) -> None:
    described = peer.result("describe", {"operation": "probe.echo"})
    assert described == peer.result("get_capabilities")["operations"]["probe.echo"]
    assert peer.result("describe", {"operation": "echo", "framework": "probe"}) == described
    assert peer.result("describe", {"operation": "describe"})["summary"]


@pytest.mark.sentence("P-57")
def test_describe_lists_the_operations_of_a_framework(peer: Peer) -> None:
    result = peer.result("describe", {"framework": "probe"})
    assert result["version"] == "0.1.0"
    assert "probe.echo" in [one["name"] for one in result["operations"]]


def test_describe_of_nothing_is_refused(peer: Peer) -> None:
    assert peer.reason("describe") == "INVALID_ARGUMENTS"
    assert peer.reason("describe", {"operation": "nonsense"}) == "UNKNOWN_OPERATION"
    assert peer.reason("describe", {"framework": "nonsense"}) == "FRAMEWORK_NOT_FOUND"


@pytest.mark.sentence("P-56")
def test_configure_reaches_the_plugin_for_this_session_and_redacts_secrets(peer: Peer) -> None:
    config = {"model": "m", "secret": "s-123"}
    result = peer.result("configure", {"framework": "probe", "config": config}, session_id="configured")
    assert result == {"status": "configured", "framework": "probe", "config": {"model": "m", "secret": "***"}}
    assert peer.result("probe.due", session_id="configured")["settings"] == config
    assert peer.result("probe.due", session_id="other")["settings"] is None


def test_configure_means_the_default_framework_when_none_is_named(peer: Peer) -> None:
    assert peer.result("configure", {"config": {}})["framework"] == "probe"
    assert peer.reason("configure", {"framework": "nonsense", "config": {}}) == "FRAMEWORK_NOT_FOUND"
    assert peer.reason("configure", {"framework": "probe"}) == "INVALID_ARGUMENTS"


@pytest.mark.sentence("P-41")
@pytest.mark.parametrize(
    ("name", "fields"),
    [("echo", {}), ("probe.echo", {}), ("echo", {"framework": "probe"}), ("probe.echo", {"framework": "nobody"})],
)
def test_operation_is_found_by_every_name_it_has(peer: Peer, name: str, fields: dict[str, str]) -> None:
    assert peer.result(name, {"value": 1}, **fields) == 1


def test_operation_of_a_framework_that_is_not_served_is_refused(peer: Peer) -> None:
    assert peer.reason("echo", {"value": 1}, framework="nobody") == "FRAMEWORK_NOT_FOUND"


def test_handler_knows_its_call(peer: Peer) -> None:
    assert peer.result("due", id="i-1", session_id="s-1", timeout_ms=60_000) == {
        "operation": "probe.due",
        "request_id": "i-1",
        "streaming": False,
        "cancelled": False,
        "has_deadline": True,
        "session": "s-1",
        "settings": None,
    }


@pytest.mark.capability("A12")
@pytest.mark.sentence("P-58")
def test_shutdown_answers_and_then_really_stops() -> None:
    with Peer("--framework", "probe", "--worker-id", "w-1") as peer:
        result = peer.result("shutdown")
        assert result == {
            "status": "shutting_down",
            "worker_id": "w-1",
            "mode": "standalone",
        }
        assert peer.wait() == 0
