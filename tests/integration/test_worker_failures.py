"""Whatever a handler raises is one typed answer, and the worker keeps serving."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from peer import Peer

pytestmark = [pytest.mark.sentence("P-21", "P-29")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


@pytest.fixture(scope="module")
def debugged() -> Iterator[Peer]:
    with Peer("--framework", "probe", "--debug") as running:
        yield running


RAISED = {
    "value": ("ValueError", "the value is wrong"),
    "exit": ("SystemExit", "7"),
    "interrupt": ("KeyboardInterrupt", ""),
    "generator": ("GeneratorExit", ""),
    "memory": ("MemoryError", ""),
    "deep": ("RecursionError", "too deep"),
    "mute": ("probe_calls.MuteError", "its text cannot be had: RuntimeError"),
    "deadly": ("probe_calls.DeadlyError", "its text cannot be had: SystemExit"),
    "long": ("ValueError", "x" * 2000),
}


@pytest.mark.parametrize("operation", ["probe.fail", "probe.fail_async"])
@pytest.mark.parametrize("how", RAISED)
def test_whatever_is_raised_is_answered_with_its_type_and_text(peer: Peer, operation: str, how: str) -> None:
    exception, text = RAISED[how]
    info = peer.ask(operation, {"how": how})["error_info"]
    assert info == {
        "code": "unknown",
        "reason": "HANDLER_RAISED",
        "details": {"exception": exception, "text": text},
        "retryable": False,
    }
    assert peer.result("probe.echo", {"value": how}) == how


@pytest.mark.capability("C03")
def test_error_class_of_a_plugin_reaches_the_peer_as_it_is(peer: Peer) -> None:
    answer = peer.ask("probe.fail", {"how": "typed"})
    assert answer["error"] == "the probe is broken as ordered"
    assert answer["error_info"] == {
        "code": "unavailable",
        "reason": "PROBE_BROKEN",
        "details": {"part": "lens"},
        "retryable": True,
    }


@pytest.mark.parametrize(
    ("how", "code", "reason", "text"),
    [
        ("careless", "aborted", "CARELESS", "carelessly made"),
        ("wrong_parts", "unknown", "5", "carelessly made"),
        ("no_parts", "unknown", "HANDLER_RAISED", "probe_calls.CarelessError: carelessly made"),
    ],
)
@pytest.mark.parametrize("debugging", [False, True])
def test_error_class_that_is_made_carelessly_is_answered_all_the_same(
    peer: Peer, debugged: Peer, debugging: bool, how: str, code: str, reason: str, text: str
) -> None:
    answer = (debugged if debugging else peer).ask("probe.fail", {"how": how})
    info = answer["error_info"]
    assert (answer["error"], info["code"], info["reason"], info["retryable"]) == (text, code, reason, False)
    assert isinstance(info["details"], dict)


@pytest.mark.parametrize("how", ["live_details", "surrogate"])
@pytest.mark.parametrize("debugging", [False, True])
def test_error_that_cannot_be_sent_becomes_one_that_can(peer: Peer, debugged: Peer, how: str, debugging: bool) -> None:
    worker = debugged if debugging else peer
    assert worker.reason("probe.fail", {"how": how}) == "SERIALIZE_FAILED"
    assert worker.result("probe.echo", {"value": how}) == how


@pytest.mark.parametrize("how", [*RAISED, "typed"])
def test_traceback_is_sent_only_when_debugging(peer: Peer, debugged: Peer, how: str) -> None:
    without = peer.ask("probe.fail", {"how": how})
    details = debugged.ask("probe.fail", {"how": how})["error_info"]["details"]
    assert "Traceback" not in str(without)
    assert "Traceback" in details["traceback"]
    assert "in fail" in details["traceback"]
