"""What a peer receives: answers, chunks, tool calls, events."""

from __future__ import annotations

from typing import Any

import pytest
from unit.protocol.wires import CODECS, frame, packed, peer, receive

from bridge_core.errors import RemoteError, by_reason
from bridge_core.protocol import BadMessage, Chunk, ErrorInfo, Event, Failure, Message, Response, Tool, ToolCall

both = pytest.mark.parametrize("codec", CODECS)


def only(codec: str, value: object) -> Message | BadMessage:
    (message,) = receive(peer(codec), packed(value, codec))
    return message


@pytest.mark.sentence("P-10", "P-22")
@both
def test_response_may_have_unknown_fields_and_lack_result_and_timestamp(codec: str) -> None:
    message = only(codec, {"id": 1, "success": True, "elapsed": 3, "request_id": [], "timeout_ms": "x"})
    assert message == Response(id=1, result=None, timestamp=0.0)


@pytest.mark.sentence("P-23")
@both
def test_error_of_a_simple_worker_is_one_of_an_unknown_reason(codec: str) -> None:
    message = only(codec, {"id": 1, "success": False, "error": "no"})
    assert message == Failure(id=1, error="no", error_info=ErrorInfo(), timestamp=0.0)
    assert by_reason(ErrorInfo().reason) is RemoteError


@pytest.mark.sentence("P-18")
@both
def test_error_without_an_id_is_delivered(codec: str) -> None:
    message = only(codec, {"id": None, "success": False, "error": "no", "timestamp": 1})
    assert isinstance(message, Failure)
    assert message.id is None


@both
def test_chunk_may_lack_payload_and_finality(codec: str) -> None:
    message = only(codec, {"id": 1, "chunk": {"chunk_id": 3}})
    assert message == Chunk(id=1, number=3, payload=None, final=False)


@both
def test_tool_call_may_lack_all_but_its_name(codec: str) -> None:
    message = only(codec, {"id": "t-1", "tool": {"name": "f"}, "request_id": 1, "session_id": None})
    assert message == ToolCall(
        id="t-1", tool=Tool(name="f", positional=[], keywords={}), request_id=1, session_id="anonymous", timeout_ms=None
    )


@both
def test_event_may_carry_anything(codec: str) -> None:
    assert only(codec, {"event": "log"}) == Event(name="log", data=None)
    assert only(codec, {"event": "log", "data": [1, {"a": None}]}) == Event(name="log", data=[1, {"a": None}])


@both
@pytest.mark.parametrize(
    ("value", "id", "path"),
    [
        ({}, None, "$"),
        ({"id": 1}, 1, "$"),
        ({"id": 1, "command": "x"}, 1, "$"),
        ({"success": True, "result": 1}, None, "$.id"),
        ({"id": None, "success": True}, None, "$.id"),
        ({"id": [], "success": True}, None, "$.id"),
        ({"id": 1, "success": 1}, 1, "$.success"),
        ({"id": 1, "chunk": []}, 1, "$.chunk"),
        ({"id": 1, "chunk": {}}, 1, "$.chunk"),
        ({"id": 1, "chunk": {"chunk_id": "0"}}, 1, "$.chunk.chunk_id"),
        ({"chunk": {"chunk_id": 0}}, None, "$.id"),
        ({"id": 1, "tool": {}}, 1, "$.tool"),
        ({"id": 1, "tool": {"name": "f"}, "request_id": 1}, 1, "$.id"),
        ({"id": "t-1", "tool": {"name": "f"}}, "t-1", "$.request_id"),
        ({"id": "t-1", "tool": {"name": "f"}, "request_id": 1, "timeout_ms": "a"}, "t-1", "$.timeout_ms"),
        ({"id": "t-1", "tool": {"name": "f", "args": {}}}, "t-1", "$.tool.args"),
        ({"event": 1}, None, "$.event"),
    ],
)
def test_what_no_worker_says_is_refused(codec: str, value: object, id: Any, path: str) -> None:
    message = only(codec, value)
    assert isinstance(message, BadMessage)
    assert (message.id, message.error.reason, message.error.details) == (id, "MALFORMED_MESSAGE", {"path": path})


@both
def test_peer_takes_any_number_of_answers(codec: str) -> None:
    connection = peer(codec, max_in_flight=1)
    wire = packed({"id": 1, "success": True, "result": 1}, codec)
    assert receive(connection, wire * 3) == [Response(id=1, result=1, timestamp=0.0)] * 3
    assert connection.open_ids == frozenset()


def test_negotiation_is_nothing_to_a_peer() -> None:
    connection = peer()
    (message,) = receive(connection, packed({"type": "protocol_negotiation", "supported": ["json"]}))
    assert isinstance(message, BadMessage)
    assert connection.data_to_send() == b""


def test_msgpack_peer_refuses_json() -> None:
    (message,) = receive(peer("msgpack"), frame('{"id":1,"success":true}'))
    assert isinstance(message, BadMessage)
    assert message.error.reason == "MALFORMED_MESSAGE"
