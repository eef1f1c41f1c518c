"""A request whose deadline passes before its turn is answered without being run."""

from __future__ import annotations

from pathlib import Path

import pytest
from peer import Peer

pytestmark = [pytest.mark.sentence("P-19")]


def test_request_that_is_late_before_its_turn_is_never_run(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with Peer(environment={"PROBE_JOURNAL": str(journal)}) as peer:
        blocked = peer.run("probe.wait", {"name": "b"})
        late = peer.send("probe.note", {"line": "late"}, timeout_ms=0.001)
        patient = peer.send("probe.note", {"line": "patient"}, timeout_ms=600_000)
        peer.result("probe.release", {"name": "b"})
        assert peer.response(blocked)["success"]
        assert peer.response(late)["error_info"]["reason"] == "CALL_TIMEOUT"
        assert peer.response(patient)["success"]
        lines = journal.read_text().splitlines()
        assert "late" not in lines
        assert "patient" in lines


@pytest.mark.parametrize("name", ["echo", "echo_thread", "echo_async"])
def test_request_without_time_is_refused_wherever_it_would_run(name: str) -> None:
    with Peer() as peer:
        assert peer.reason(f"probe.{name}", {"value": 1}, timeout_ms=0) == "CALL_TIMEOUT"
        assert "thank you for importing" not in peer.log(), "nothing was imported for it"
        assert peer.result(f"probe.{name}", {"value": 1}, timeout_ms=1e300) == 1


@pytest.mark.parametrize("name", ["count_thread", "count_async"])
def test_stream_whose_time_is_over_ends_with_an_error(name: str) -> None:
    with Peer() as peer:
        peer.result("probe.echo", {"value": 1})
        chunks, answer = peer.stream(f"probe.{name}", {"to": 10**9}, timeout_ms=50)
        assert answer["error_info"]["reason"] == "CALL_TIMEOUT"
        assert answer["error_info"]["details"].get("chunks", 0) == len(chunks)


def test_endless_iterator_that_nobody_streams_ends_with_its_time() -> None:
    with Peer() as peer:
        assert peer.reason("probe.count_thread", {"to": 10**9}, timeout_ms=50) in {"CALL_TIMEOUT", "VALUE_TOO_COMPLEX"}
