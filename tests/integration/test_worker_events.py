"""Events come only to a peer that asked for them."""

from __future__ import annotations

import pytest
from peer import Peer

pytestmark = [pytest.mark.sentence("P-36")]


def test_peer_that_asked_for_progress_hears_of_the_import_and_of_the_handlers_own() -> None:
    with Peer() as peer:
        peer.result("hello", {"want": ["progress", "nonsense"]})
        request = peer.send("probe.progress")
        assert peer.response(request)["success"]
        events = [peer.receive() for _ in range(3)]
        assert {event["event"] for event in events} == {"progress"}
        assert {event["data"]["id"] for event in events} == {request}
        messages = [event["data"]["message"] for event in events]
        assert messages[0] == "importing probe_framework"
        assert messages[1].startswith("imported probe_framework in")
        assert events[2]["data"] == {"id": request, "message": "half-time", "fraction": 0.5}


@pytest.mark.parametrize("hello", [None, {}, {"want": []}, {"want": ["log"]}])
def test_peer_that_did_not_ask_for_progress_hears_nothing(hello: dict[str, list[str]] | None) -> None:
    with Peer() as peer:
        if hello is not None:
            peer.result("hello", hello)
        peer.send("probe.progress")
        assert peer.receive()["success"]
        peer.close_input()
        assert peer.rest() == []
