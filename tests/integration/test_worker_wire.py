"""Every bad input is answered as the protocol says, and serving goes on wherever the framing is intact."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer, frame

pytestmark = [pytest.mark.capability("A01", "A02", "A06")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


MALFORMED: list[tuple[str, Any, Any]] = [
    ("empty frame", b"", None),
    ("not JSON", b"{nonsense", None),
    ("not UTF-8", b'{"id":"m0","command":"\xff"}', "m0"),
    ("an array", [1, 2], None),
    ("a string", "ping", None),
    ("two messages", b'{"id":1,"command":"ping"}{"id":2,"command":"ping"}', None),
    ("no command", {"id": "m1", "args": {}}, "m1"),
    ("null command", {"id": "m2", "command": None}, "m2"),
    ("command a number", {"id": "m3", "command": 7}, "m3"),
    ("args a list", {"id": "m4", "command": "ping", "args": [1]}, "m4"),
    ("args a string", {"id": "m5", "command": "ping", "args": "x"}, "m5"),
    ("null id", {"id": None, "command": "ping"}, None),
    ("no id", {"command": "ping"}, None),
    ("id true", {"id": True, "command": "ping"}, None),
    ("id a list", {"id": [1], "command": "ping"}, None),
    ("session a number", {"id": "m6", "command": "ping", "session_id": 1}, "m6"),
    ("negative timeout", {"id": "m7", "command": "ping", "timeout_ms": -1}, "m7"),
    ("stream a string", {"id": "m8", "command": "ping", "stream": "yes"}, "m8"),
    ("bad credit", {"command": "stream_credit", "args": {"id": 1, "chunks": 0}}, None),
    ("a late negotiation", {"type": "protocol_negotiation", "supported": ["msgpack"]}, None),
]


@pytest.mark.sentence("P-7", "P-13", "P-15", "P-18", "P-33", "P-39")
@pytest.mark.parametrize(("message", "id"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_malformed_message_is_answered_and_serving_goes_on(peer: Peer, message: Any, id: Any) -> None:
    peer.result("ping")
    peer.send_bytes(frame(message))
    answer = peer.receive()
    assert (answer["id"], answer["success"]) == (id, False)
    assert answer["error_info"]["reason"] == "MALFORMED_MESSAGE"
    assert peer.result("ping")["status"] == "ok"


@pytest.mark.sentence("P-16")
@pytest.mark.parametrize("id", [0, -1, 1.5, 2.0, 2**70, "", "text", "ü\n"])
def test_id_is_echoed_with_its_type(peer: Peer, id: Any) -> None:
    answer = peer.ask("ping", id=id)
    assert (type(answer["id"]), answer["id"]) == (type(id), id)


@pytest.mark.sentence("P-14", "P-11", "P-10")
@pytest.mark.parametrize(
    "more", [{}, {"args": None}, {"args": {}, "session_id": None, "timeout_ms": None}, {"unknown": {"x": []}}]
)
def test_what_is_optional_may_be_absent_null_or_more(peer: Peer, more: dict[str, Any]) -> None:
    peer.send_bytes(frame({"id": "short", "command": "ping", **more}))
    assert peer.response("short")["success"]


@pytest.mark.capability("A03", "A04")
@pytest.mark.sentence("P-22", "P-23", "P-24")
def test_responses_have_exactly_the_fields_of_the_protocol(peer: Peer) -> None:
    good, bad = peer.ask("probe.echo", {"value": None}), peer.ask("nonsense")
    assert set(good) == {"id", "success", "result", "timestamp"}
    assert good["result"] is None
    assert set(bad) == {"id", "success", "error", "error_info", "timestamp"}
    assert set(bad["error_info"]) == {"code", "reason", "details", "retryable"}
    assert isinstance(bad["error"], str)
    assert isinstance(good["timestamp"], float)


@pytest.mark.capability("A09")
@pytest.mark.sentence("P-43")
@pytest.mark.parametrize("name", ["no_such_thing", "probe.no_such_thing", "nobody.ping", "", "a.b.c", "."])
def test_unknown_operation_is_answered_with_the_text_older_peers_look_for(peer: Peer, name: str) -> None:
    answer = peer.ask(name)
    assert answer["error"] == f"Unknown command: {name}"
    assert answer["error_info"]["reason"] == "UNKNOWN_OPERATION"
    assert "probe.echo" in answer["error_info"]["details"]["supported"]


@pytest.mark.sentence("P-59")
@pytest.mark.parametrize(
    ("args", "path"), [({}, "$.value"), ({"value": 1, "more": 2}, "$.more"), ({"valeu": 1}, "$.valeu")]
)
def test_arguments_that_do_not_fit_are_refused_with_their_path(peer: Peer, args: dict[str, Any], path: str) -> None:
    info = peer.ask("probe.echo", args)["error_info"]
    assert info["reason"] == "INVALID_ARGUMENTS"
    assert info["details"]["path"] in {path, "$.value"}


@pytest.mark.sentence("P-25")
def test_request_with_an_open_id_is_refused_and_does_not_touch_the_first(peer: Peer) -> None:
    first = peer.run("probe.wait", {"name": "twice"}, id="twice")
    peer.send("ping", id=first)
    refusal = peer.response(first)
    assert refusal["error_info"]["reason"] == "DUPLICATE_ID"
    peer.result("probe.release", {"name": "twice"})
    assert peer.response(first)["result"] == "twice"


@pytest.mark.sentence("P-26")
def test_id_may_come_again_as_soon_as_its_answer_is_there(peer: Peer) -> None:
    answers = [peer.ask("probe.echo_thread", {"value": number}, id="again") for number in range(300)]
    assert [answer.get("result") for answer in answers] == list(range(300))


@pytest.mark.sentence("P-2", "P-20")
def test_frames_may_arrive_byte_by_byte_and_many_at_once(peer: Peer) -> None:
    wire = b"".join(frame({"id": f"cut{number}", "command": "ping"}) for number in range(3))
    for byte in wire:
        peer.send_bytes(bytes([byte]))
    assert [peer.receive()["id"] for _ in range(3)] == ["cut0", "cut1", "cut2"]
    peer.send_bytes(wire)
    assert [peer.receive()["id"] for _ in range(3)] == ["cut0", "cut1", "cut2"]


def test_name_that_does_not_fit_in_an_answer_is_still_answered(peer: Peer) -> None:
    assert peer.reason("x" * (34 << 20)) == "RESULT_TOO_LARGE"
    assert peer.result("ping")["status"] == "ok"


@pytest.mark.sentence("P-15")
@pytest.mark.parametrize("id", ["i" * 1025, "i" * ((64 << 20) - 60), 10**1024])
def test_id_that_is_too_long_is_malformed(peer: Peer, id: str | int) -> None:
    quoted = f'"{id}"' if isinstance(id, str) else str(id)
    peer.send_bytes(frame(f'{{"command":"ping","id":{quoted}}}'.encode()))
    answer = peer.receive()
    assert answer["id"] is None
    assert answer["error_info"]["reason"] == "MALFORMED_MESSAGE"
    assert peer.result("ping", id="i" * 1024)["status"] == "ok"


LOST = [
    ("half a header", b"\x00\x00", "TRUNCATED_FRAME"),
    ("half a body", struct.pack(">I", 10) + b"12345", "TRUNCATED_FRAME"),
    ("a header alone", struct.pack(">I", 1), "TRUNCATED_FRAME"),
    ("a length beyond the limit", struct.pack(">I", (64 << 20) + 1), "FRAME_TOO_LARGE"),
    ("text instead of frames", b"GET / HTTP/1.1\r\n\r\n", "FRAME_TOO_LARGE"),
]


@pytest.mark.sentence("P-5", "P-6", "P-63")
@pytest.mark.parametrize(("wire", "reason"), [case[1:] for case in LOST], ids=[case[0] for case in LOST])
def test_lost_framing_is_answered_and_ends_the_worker(wire: bytes, reason: str) -> None:
    with Peer() as peer:
        served = peer.send("ping")
        peer.send_bytes(wire)
        if reason == "TRUNCATED_FRAME":
            peer.close_input()
        first, last = peer.rest()
        assert (first["id"], first["success"]) == (served, True)
        assert (last["id"], last["error_info"]["reason"]) == (None, reason)
        assert peer.wait() == 3
