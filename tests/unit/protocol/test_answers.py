"""What goes out: one terminal response for each request, within the limits, and nothing that the codec cannot say."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import msgspec
import pytest
from unit.protocol.wires import CODECS, packed, peer, receive, worker

from bridge_core.errors import (
    BridgeError,
    FrameTooLargeError,
    HandlerRaisedError,
    InternalError,
    PoolBusyError,
    ResultTooLargeError,
    SerializeFailedError,
)
from bridge_core.protocol import (
    Chunk,
    Connection,
    ErrorInfo,
    Event,
    Failure,
    Message,
    Request,
    Response,
    StreamCredit,
    Tool,
    ToolCall,
)

both = pytest.mark.parametrize("codec", CODECS)


def ok(id: Any, result: Any = None) -> Response:
    return Response(id=id, result=result, timestamp=1.5)


def failed(id: Any) -> Failure:
    return Failure.of(id, HandlerRaisedError("no"), 1.5)


def chunk(id: Any, payload: Any = "a") -> Chunk:
    return Chunk(id=id, number=0, payload=payload, final=False)


def decoded(codec: str, sent: bytes) -> Any:
    decode: Any = msgspec.json.decode if codec == "json" else msgspec.msgpack.decode
    return decode(sent[4:])


@pytest.mark.sentence("P-22")
@pytest.mark.capability("A03")
@both
def test_result_is_there_also_when_it_is_null(codec: str) -> None:
    sent = worker(codec, opened=[1]).send(ok(1))
    assert decoded(codec, sent) == {"id": 1, "success": True, "result": None, "timestamp": 1.5}


@pytest.mark.sentence("P-23", "P-24")
@pytest.mark.capability("A04")
@both
def test_error_is_a_string_with_everything_else_beside_it(codec: str) -> None:
    exc = PoolBusyError("the queue is full", retryable=True, queue=7)
    sent = worker(codec, opened=[1]).send(Failure.of(1, exc, 1.5))
    assert decoded(codec, sent) == {
        "id": 1,
        "success": False,
        "error": "the queue is full",
        "error_info": {
            "code": "resource_exhausted",
            "reason": "POOL_BUSY",
            "details": {"queue": 7},
            "retryable": True,
        },
        "timestamp": 1.5,
    }


@pytest.mark.sentence("P-21")
@both
@pytest.mark.parametrize("first", [ok(1), failed(1)])
@pytest.mark.parametrize("second", [ok(1), failed(1), chunk(1)])
def test_nothing_follows_the_terminal_response(codec: str, first: Message, second: Message) -> None:
    connection = worker(codec, opened=[1, 2])
    connection.send(first)
    assert connection.open_ids == {2}
    with pytest.raises(InternalError):
        connection.send(second)
    assert connection.open_ids == {2}


@pytest.mark.sentence("P-31")
@both
def test_chunks_leave_their_request_open(codec: str) -> None:
    connection = worker(codec, opened=[1])
    for _ in range(3):
        connection.send(chunk(1))
    assert connection.open_ids == {1}


@both
@pytest.mark.parametrize("message", [ok(9), failed(9), failed(None), chunk(9)])
def test_answer_to_what_was_never_asked_is_refused(codec: str, message: Message) -> None:
    with pytest.raises(InternalError):
        worker(codec, opened=[1]).send(message)


@pytest.mark.sentence("P-25")
@both
def test_answer_to_a_duplicate_leaves_the_open_request_alone(codec: str) -> None:
    connection = worker(codec, opened=[1])
    connection.send(failed(1), closes=False)
    assert connection.open_ids == {1}
    connection.send(ok(1))
    assert connection.open_ids == frozenset()


@pytest.mark.sentence("P-26")
@both
def test_id_may_be_used_again_after_its_answer(codec: str) -> None:
    connection, wire = worker(codec), packed({"id": 1, "command": "x"}, codec)
    for _ in range(3):
        (request,) = receive(connection, wire)
        assert isinstance(request, Request)
        connection.send(ok(request.id))


@pytest.mark.sentence("P-20")
@both
def test_answers_may_go_out_in_any_order(codec: str) -> None:
    connection, receiver = worker(codec, opened=[1, 2, 3]), peer(codec)
    messages: list[Message] = [ok(3), ok(1), failed(2)]
    assert receive(receiver, b"".join(map(connection.send, messages))) == messages
    assert connection.open_ids == frozenset()


@pytest.mark.sentence("P-21")
def test_of_threads_that_answer_at_once_one_succeeds() -> None:
    rounds, threads = 200, 4
    connection = worker(opened=range(rounds))
    outcomes: list[tuple[int, bool]] = []
    barrier = threading.Barrier(threads)

    def answer() -> None:
        for number in range(rounds):
            barrier.wait(5)
            try:
                connection.send(ok(number))
            except InternalError:
                outcomes.append((number, False))
            else:
                outcomes.append((number, True))

    running = [threading.Thread(target=answer, name=f"answer-{number}") for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(5)
    assert sorted(number for number, sent in outcomes if sent) == list(range(rounds))
    assert len(outcomes) == rounds * threads


@pytest.mark.sentence("P-21")
@both
def test_answer_is_refused_when_another_was_given_while_it_was_encoded(codec: str) -> None:
    connection = worker(codec, opened=[1])

    @dataclasses.dataclass
    class Fields:
        a: int

    class Slow(Fields):
        @property
        def a(self) -> int:
            connection.send(failed(1))
            return 1

        @a.setter
        def a(self, value: int) -> None:
            pass

    with pytest.raises(InternalError):
        connection.send(ok(1, Slow(1)))
    assert connection.open_ids == frozenset()


@pytest.mark.sentence("P-3", "P-27")
@both
def test_answer_over_the_limit_names_size_and_limit_and_leaves_the_request_open(codec: str) -> None:
    connection = worker(codec, opened=[1], max_frame_bytes=200)
    messages: list[Message] = [
        ok(1, "x" * 200),
        chunk(1, "x" * 200),
        Failure.of(1, HandlerRaisedError("x" * 200), 1.5),
    ]
    for message in messages:
        with pytest.raises(ResultTooLargeError) as caught:
            connection.send(message)
        assert caught.value.details["limit"] == 200
        assert isinstance(size := caught.value.details["size"], int)
        assert size > 200
        assert connection.open_ids == {1}
    sent = connection.send(failed(1))
    assert decoded(codec, sent)["success"] is False


@pytest.mark.sentence("P-3")
@both
def test_answer_may_be_exactly_as_long_as_a_frame(codec: str) -> None:
    size = len(worker(codec, opened=[1]).send(ok(1, "x" * 100))) - 4
    worker(codec, opened=[1], max_frame_bytes=size).send(ok(1, "x" * 100))
    with pytest.raises(ResultTooLargeError):
        worker(codec, opened=[1], max_frame_bytes=size - 1).send(ok(1, "x" * 100))


@pytest.mark.sentence("P-3")
@both
def test_request_over_the_limit_is_not_sent(codec: str) -> None:
    with pytest.raises(FrameTooLargeError):
        peer(codec, max_frame_bytes=100).send(Request(id=1, operation="x", arguments={"a": "x" * 100}))


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.sentence("P-28")
@both
@pytest.mark.parametrize("value", [object(), 1j, "\ud800", endless(), {frozenset(): 1}, lambda: None])
def test_what_the_codec_cannot_say_is_refused_and_the_request_stays_open(codec: str, value: object) -> None:
    if codec == "msgpack" and value == {frozenset(): 1}:
        value = {object(): 1}
    connection = worker(codec, opened=[1])
    with pytest.raises(SerializeFailedError):
        connection.send(ok(1, {"a": [value]}))
    assert connection.open_ids == {1}
    connection.send(failed(1))


@pytest.mark.sentence("P-28")
def test_integer_beyond_64_bits_has_no_form_in_msgpack() -> None:
    with pytest.raises(SerializeFailedError):
        worker("msgpack", opened=[1]).send(ok(1, 2**64))


TOOL = ToolCall(id="t-1", tool=Tool(name="f"), request_id=1)


@both
@pytest.mark.parametrize("message", [ok(1), failed(1), chunk(1), TOOL, Event(name="log", data={})])
def test_worker_sends_what_workers_send(codec: str, message: Message) -> None:
    assert receive(peer(codec), worker(codec, opened=[1]).send(message)) == [message]


@both
@pytest.mark.parametrize(
    "message", [Request(id=1, operation="x"), StreamCredit(id=1, chunks=2), ok("t-1"), failed("t-1")]
)
def test_peer_sends_what_peers_send(codec: str, message: Message) -> None:
    assert receive(worker(codec), peer(codec).send(message)) == [message]


@both
@pytest.mark.parametrize("message", [Request(id=1, operation="x"), StreamCredit(id=1, chunks=2)])
def test_worker_does_not_send_what_peers_send(codec: str, message: Message) -> None:
    with pytest.raises(InternalError):
        worker(codec, opened=[1]).send(message)


@both
@pytest.mark.parametrize("message", [chunk(1), TOOL, Event(name="log", data={})])
def test_peer_does_not_send_what_workers_send(codec: str, message: Message) -> None:
    with pytest.raises(InternalError):
        peer(codec).send(message)


def test_tool_call_has_an_id_that_no_request_has() -> None:
    with pytest.raises(InternalError):
        worker().send(ToolCall(id="1", tool=Tool(name="f"), request_id=1))


@both
def test_request_says_no_more_than_it_must(codec: str) -> None:
    sent = peer(codec).send(Request(id=1, operation="x"))
    assert decoded(codec, sent) == {"id": 1, "command": "x", "args": {}}


def test_failure_describes_an_error_of_ours() -> None:
    assert Failure.of("a", BridgeError("broken", at=1), 2.0) == Failure(
        id="a",
        error="broken",
        error_info=ErrorInfo(code="internal", reason="INTERNAL", details={"at": 1}, retryable=False),
        timestamp=2.0,
    )


def test_answers_are_sent_while_others_are_received() -> None:
    connection, count = Connection("worker"), 2000
    wire = b"".join(packed({"id": number, "command": "x"}) for number in range(count))
    arrived = threading.Semaphore(0)
    failures: list[BaseException] = []

    def answer() -> None:
        try:
            for number in range(count):
                assert arrived.acquire(timeout=5)
                connection.send(ok(number))
        except BaseException as exc:
            failures.append(exc)

    thread = threading.Thread(target=answer, name="answer")
    thread.start()
    for at in range(0, len(wire), 1000):
        for _ in receive(connection, wire[at : at + 1000]):
            arrived.release()
        assert connection.open_ids <= set(range(count))
    thread.join(5)
    assert failures == []
    assert connection.open_ids == frozenset()
