"""What a worker receives: requests, credits, answers to tool calls; and which ids are the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from unit.protocol.wires import CODECS, frame, packed, receive, worker

from bridge_core.protocol import BadMessage, Connection, ErrorInfo, Failure, Message, Request, Response, StreamCredit

both = pytest.mark.parametrize("codec", CODECS)


def only(codec: str, value: object) -> Message | BadMessage:
    (message,) = receive(worker(codec), packed(value, codec))
    return message


def request(codec: str, **fields: object) -> Request:
    message = only(codec, {"id": 1, "command": "x", **fields})
    assert isinstance(message, Request), message
    return message


def refusal(message: Message | BadMessage) -> tuple[Any, str, Any]:
    assert isinstance(message, BadMessage), message
    return message.id, message.error.reason, message.error.details.get("path")


@pytest.mark.sentence("P-14")
@both
def test_request_with_nothing_else_has_the_defaults(codec: str) -> None:
    assert request(codec) == Request(
        id=1,
        operation="x",
        arguments={},
        session_id="anonymous",
        framework=None,
        timeout_ms=None,
        stream=False,
        stream_window=None,
        idempotency_key=None,
        meta=None,
    )


def test_default_arguments_are_not_shared() -> None:
    assert Request(id=1, operation="x").arguments is not Request(id=1, operation="x").arguments


@pytest.mark.sentence("P-15", "P-16")
@pytest.mark.parametrize(
    ("codec", "text"),
    [(codec, text) for codec in CODECS for text in ("1", "1.0", "-0.5", "0", '""', '"1"', "18446744073709551615")]
    + [("json", "123456789012345678901234567890"), ("json", "-9223372036854775809"), ("json", "1" + "0" * 300)],
)
def test_id_comes_back_with_its_type_and_value(codec: str, text: str) -> None:
    connection = worker(codec)
    value = msgspec.json.decode(text)
    (message,) = receive(connection, packed({"id": value, "command": "x"}, codec))
    assert isinstance(message, Request)
    assert repr(message.id) == repr(value)
    answer = connection.send(Response(id=message.id, result=None, timestamp=0.0))
    decode: Any = msgspec.json.decode if codec == "json" else msgspec.msgpack.decode
    assert repr(decode(answer[4:])["id"]) == repr(value)


@pytest.mark.sentence("P-17", "P-25")
@both
@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 1.0), ("a", "a"), (2**53, 2.0**53)])
def test_equal_ids_are_duplicates_while_the_first_is_open(codec: str, first: object, second: object) -> None:
    connection = worker(codec)
    good, bad = receive(connection, *(packed({"id": one, "command": "x"}, codec) for one in (first, second)))
    assert isinstance(good, Request)
    assert refusal(bad) == (second, "DUPLICATE_ID", None)
    assert connection.open_ids == {first}


@pytest.mark.sentence("P-17")
@both
def test_ids_of_different_type_or_value_are_different(codec: str) -> None:
    ids = [1, "1", "1.0", 1.5, "", "a", "A", 0, -1]
    connection = worker(codec)
    messages = receive(connection, *(packed({"id": one, "command": "x"}, codec) for one in ids))
    assert [type(message) for message in messages] == [Request] * len(ids)
    assert connection.open_ids == set(ids)


@pytest.mark.sentence("P-69")
@both
def test_request_beyond_the_limit_is_refused_until_another_is_answered(codec: str) -> None:
    connection = worker(codec, opened=[1, 2], max_in_flight=2)
    wire = packed({"id": 3, "command": "x"}, codec)
    (message,) = receive(connection, wire)
    assert refusal(message) == (3, "TOO_MANY_IN_FLIGHT", None)
    assert connection.open_ids == {1, 2}
    connection.send(Response(id=1, result=None, timestamp=0.0))
    (message,) = receive(connection, wire)
    assert isinstance(message, Request)


@pytest.mark.sentence("P-11")
@both
def test_null_counts_as_absent(codec: str) -> None:
    names = "args session_id framework timeout_ms stream stream_window idempotency_key _meta success type"
    assert request(codec, **dict.fromkeys(names.split())) == request(codec)


@pytest.mark.sentence("P-10")
@both
@pytest.mark.parametrize(
    "name", ["jsonrpc", "success", "result", "error", "error_info", "type", "supported", "timestamp"]
)
def test_fields_that_requests_do_not_have_are_ignored(codec: str, name: str) -> None:
    assert request(codec, **{name: [{"a": 1}]}) == request(codec)


@pytest.mark.sentence("P-14", "P-19")
@both
@pytest.mark.parametrize(
    ("given", "taken"),
    [(0, 0.0), (1, 1.0), (2.5, 2.5), (1e12, 1e12), (1e12 + 1, 1e12), (1e300, 1e12), (2**64 - 1, 1e12)],
)
def test_timeout_is_bounded(codec: str, given: float, taken: float) -> None:
    assert repr(request(codec, timeout_ms=given).timeout_ms) == repr(taken)


def test_infinite_timeout_counts_as_the_longest() -> None:
    assert request("msgpack", timeout_ms=float("inf")).timeout_ms == 1e12


@pytest.mark.sentence("P-12")
def test_last_of_two_equal_keys_counts() -> None:
    (message,) = receive(worker(), frame('{"id":1,"command":"a","id":2,"command":"b","args":{"x":1,"x":2}}'))
    assert message == Request(id=2, operation="b", arguments={"x": 2})


@both
def test_text_of_every_kind_arrives_unchanged(codec: str) -> None:
    text = '\x00\x7f é € 😀 \u2028 \\ " /' + "x" * 5000
    assert request(codec, args={text: text}).arguments == {text: text}


@pytest.mark.sentence("P-8")
def test_binary_values_and_timestamps_arrive_as_such() -> None:
    (message,) = receive(worker("msgpack"), frame(b"\x83\xa2id\x01\xa7command\xa1x\xa4args\x81\xa1a\xd6\xff\0\0\0\0"))
    assert isinstance(message, Request)
    assert str(message.arguments["a"]) == "1970-01-01 00:00:00+00:00"
    assert request("msgpack", args={"a": b"\x00"}).arguments == {"a": b"\x00"}


@pytest.mark.sentence("P-33")
@both
@pytest.mark.parametrize("beside", [{}, {"id": 9}, {"session_id": "s"}])
def test_credit_needs_no_id_of_its_own(codec: str, beside: dict[str, object]) -> None:
    message = only(codec, {**beside, "command": "stream_credit", "args": {"id": "a", "chunks": 4}})
    assert message == StreamCredit(id="a", chunks=4)


@pytest.mark.sentence("P-33")
@both
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (None, "$.args.id"),
        ({}, "$.args.id"),
        ({"id": True, "chunks": 1}, "$.args.id"),
        ({"id": 1}, "$.args.chunks"),
        ({"id": 1, "chunks": 0}, "$.args.chunks"),
        ({"id": 1, "chunks": True}, "$.args.chunks"),
        ({"id": 1, "chunks": 1.0}, "$.args.chunks"),
        ([], "$.args"),
    ],
)
def test_malformed_credit_is_answered_without_an_id(codec: str, arguments: object, path: str) -> None:
    message = only(codec, {"id": 1, "command": "stream_credit", "args": arguments})
    assert refusal(message) == (None, "MALFORMED_MESSAGE", path)


@both
def test_credit_opens_nothing(codec: str) -> None:
    connection = worker(codec)
    receive(connection, packed({"id": 5, "command": "stream_credit", "args": {"id": 1, "chunks": 1}}, codec))
    assert connection.open_ids == frozenset()


@both
def test_answer_to_a_tool_call_is_told_by_success_without_command(codec: str) -> None:
    assert only(codec, {"id": "t-1", "success": True}) == Response(id="t-1", result=None, timestamp=0.0)
    assert only(codec, {"id": "t-1", "success": True, "result": 2, "timestamp": 3.5}) == Response(
        id="t-1", result=2, timestamp=3.5
    )
    assert isinstance(only(codec, {"id": 1, "success": True, "command": "x"}), Request)


@both
@pytest.mark.parametrize("info", [None, "no", 1, {"code": 7}, []])
@pytest.mark.parametrize("error", [None, 5, {"message": "no"}])
def test_failed_tool_call_is_accepted_in_any_shape(codec: str, info: object, error: object) -> None:
    message = only(codec, {"id": "t-1", "success": False, "error": error, "error_info": info, "timestamp": "now"})
    assert message == Failure(id="t-1", error="no readable error was given", error_info=ErrorInfo(), timestamp=0.0)


@both
def test_failed_tool_call_keeps_what_was_said(codec: str) -> None:
    info = {"code": "not_found", "reason": "X_GONE", "details": {"a": [1]}, "retryable": True, "more": 1}
    message = only(codec, {"id": "t-1", "success": False, "error": "gone", "error_info": info, "timestamp": 1})
    expected = ErrorInfo(code="not_found", reason="X_GONE", details={"a": [1]}, retryable=True)
    assert message == Failure(id="t-1", error="gone", error_info=expected, timestamp=1)


@both
@pytest.mark.parametrize(
    ("value", "id", "path"),
    [
        ({"success": True}, None, "$.id"),
        ({"success": False}, None, "$.id"),
        ({"id": None, "success": False}, None, "$.id"),
        ({"id": "t-1", "success": "yes"}, "t-1", "$.success"),
        ({"id": "t-1", "success": 0}, "t-1", "$.success"),
    ],
)
def test_malformed_answers_to_tool_calls_are_refused(codec: str, value: object, id: object, path: str) -> None:
    assert refusal(only(codec, value)) == (id, "MALFORMED_MESSAGE", path)


def test_worker_sees_the_end_after_the_last_message() -> None:
    connection = Connection("worker")
    connection.receive_data(packed({"id": 1, "command": "x"}))
    connection.receive_data(b"")
    assert not connection.closed
    assert isinstance(connection.next_message(), Request)
    assert connection.next_message() is None
    assert connection.closed
