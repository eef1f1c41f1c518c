"""How a connection begins: the codec, the older negotiation, the events that a hello asks for."""

from __future__ import annotations

import json

import msgspec
import pytest
from unit.protocol.wires import CODECS, drain, frame, packed, peer, receive, worker

from bridge_core.errors import UnsupportedProtocolError
from bridge_core.protocol import CODEC_NAMES, BadMessage, Connection, Failure, Request, Response

START = ("json", "msgpack", "auto")
started = pytest.mark.parametrize("codec", START)
PING = {"id": 1, "command": "ping"}


def greeting(supported: object, preferred: object = None) -> bytes:
    return packed({"type": "protocol_negotiation", "supported": supported, "preferred": preferred})


def selected(answer: bytes) -> str:
    assert answer[:4] == (len(answer) - 4).to_bytes(4, "big")
    decoded = json.loads(answer[4:])
    assert decoded.pop("type") == "protocol_selected"
    ((name, codec),) = decoded.items()
    assert name == "protocol"
    return str(codec)


@pytest.mark.sentence("P-37", "P-38")
@pytest.mark.capability("A17")
@started
@pytest.mark.parametrize(
    ("supported", "preferred", "expected"),
    [
        (["json", "msgpack"], "msgpack", "msgpack"),
        (["json", "msgpack"], "json", "json"),
        (["msgpack", "json"], None, "msgpack"),
        (["cbor", "msgpack", "json"], "cbor", "msgpack"),
        (["json"], "msgpack", "msgpack"),
        (["cbor"], "cbor", "json"),
        ([], None, "json"),
    ],
)
def test_codec_is_negotiated(codec: str, supported: list[str], preferred: str | None, expected: str) -> None:
    connection = worker(codec)
    assert receive(connection, greeting(supported, preferred)) == []
    assert selected(connection.data_to_send()) == expected == connection.codec
    assert connection.data_to_send() == b""
    (request,) = receive(connection, packed(PING, expected))
    assert request == Request(id=1, operation="ping")
    answer = connection.send(Response(id=1, result=b"\x01" if expected == "msgpack" else "1", timestamp=0.0))
    assert [type(one) for one in receive(peer(expected), answer)] == [Response]


@pytest.mark.sentence("P-38")
@started
@pytest.mark.parametrize("expected", CODECS)
def test_requests_behind_the_negotiation_are_in_the_selected_codec(codec: str, expected: str) -> None:
    connection = worker(codec)
    connection.receive_data(
        greeting([expected], expected) + packed(PING, expected) + packed({**PING, "id": 2}, expected)
    )
    assert connection.next_message() == Request(id=1, operation="ping")
    assert selected(connection.data_to_send()) == expected
    assert drain(connection) == [Request(id=2, operation="ping")]


@pytest.mark.sentence("P-37")
def test_answer_to_the_negotiation_goes_before_any_other() -> None:
    connection = worker()
    receive(connection, greeting(["msgpack"]) + packed(PING, "msgpack"))
    sent = connection.send(Response(id=1, result=None, timestamp=0.0))
    first, rest = sent[: 4 + int.from_bytes(sent[:4], "big")], sent[4 + int.from_bytes(sent[:4], "big") :]
    assert selected(first) == "msgpack"
    assert receive(peer("msgpack"), rest) == [Response(id=1, result=None, timestamp=0.0)]
    assert connection.data_to_send() == b""


@pytest.mark.sentence("P-38")
def test_negotiation_may_itself_be_in_msgpack() -> None:
    connection = worker("auto")
    assert receive(connection, packed({"type": "protocol_negotiation", "supported": ["msgpack"]}, "msgpack")) == []
    assert selected(connection.data_to_send()) == "msgpack"


@pytest.mark.sentence("P-39")
@started
@pytest.mark.parametrize("supported", [None, "json", {"json": 1}, [1], 5])
def test_malformed_negotiation_is_refused_and_changes_nothing(codec: str, supported: object) -> None:
    connection = worker(codec)
    (bad,) = receive(connection, greeting(supported, "msgpack"))
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.reason, bad.fatal) == (None, "MALFORMED_MESSAGE", False)
    assert connection.data_to_send() == b""
    assert connection.codec == ("json" if codec == "auto" else codec)
    (late,) = receive(connection, packed({"type": "protocol_negotiation", "supported": ["json"]}, connection.codec))
    assert isinstance(late, BadMessage)


@pytest.mark.sentence("P-39")
def test_malformed_preference_is_refused() -> None:
    (bad,) = receive(worker(), greeting(["json"], 7))
    assert isinstance(bad, BadMessage)
    assert (bad.error.reason, bad.error.details) == ("MALFORMED_MESSAGE", {"path": "$.preferred"})


@pytest.mark.sentence("P-39")
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("first", [PING, [], {"id": 1}])
def test_late_negotiation_is_refused_and_changes_nothing(codec: str, first: object) -> None:
    connection = worker(codec)
    negotiation = {"type": "protocol_negotiation", "supported": ["json", "msgpack"], "preferred": "msgpack"}
    _, bad = receive(connection, packed(first, codec) + packed(negotiation, codec))
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.reason) == (None, "MALFORMED_MESSAGE")
    assert (connection.codec, connection.data_to_send()) == (codec, b"")


@pytest.mark.sentence("P-39")
def test_second_negotiation_is_refused() -> None:
    connection = worker()
    (bad,) = receive(connection, greeting(["json"]) + greeting(["json"]))
    assert isinstance(bad, BadMessage)
    assert selected(connection.data_to_send()) == "json"
    assert connection.data_to_send() == b""


@pytest.mark.sentence("P-10", "P-37")
def test_request_with_the_type_of_a_negotiation_is_a_request() -> None:
    wire = packed({**PING, "type": "protocol_negotiation", "supported": ["msgpack"]})
    assert receive(worker(), wire) == [Request(id=1, operation="ping")]


def test_object_of_an_unknown_type_is_no_message() -> None:
    (bad,) = receive(worker(), packed({"id": 4, "type": "protocol_selected", "protocol": "json"}))
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.details) == (4, {"path": "$.command"})


@pytest.mark.sentence("P-9")
@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (msgspec.json.encode(PING), "json"),
        (b" \n" + msgspec.json.encode(PING), "json"),
        (msgspec.msgpack.encode(PING), "msgpack"),
        (b"\xde\x00\x02" + msgspec.msgpack.encode(PING)[1:], "msgpack"),
        (b"\xdf\x00\x00\x00\x02" + msgspec.msgpack.encode(PING)[1:], "msgpack"),
    ],
)
def test_first_byte_decides_the_codec(payload: bytes, expected: str) -> None:
    connection = worker("auto")
    assert connection.codec == "json"
    assert receive(connection, frame(payload)) == [Request(id=1, operation="ping")]
    assert connection.codec == expected
    (other,) = receive(connection, packed({"id": 2, "command": "x"}, "json" if expected == "msgpack" else "msgpack"))
    assert isinstance(other, BadMessage)


@pytest.mark.sentence("P-9")
@pytest.mark.parametrize("payload", [b"", b"\xc3", b"[1]", b"\x91\x01", b"ping"])
def test_codec_is_json_when_the_first_byte_is_of_neither(payload: bytes) -> None:
    connection = worker("auto")
    (bad, good) = receive(connection, frame(payload) + packed(PING))
    assert isinstance(bad, BadMessage)
    assert good == Request(id=1, operation="ping")


@pytest.mark.sentence("P-9")
def test_peer_follows_the_codec_of_the_worker() -> None:
    connection = peer("auto")
    connection.send(Request(id=1, operation="x"))
    sent = worker("msgpack", opened=[1]).send(Response(id=1, result=1, timestamp=0.0))
    assert receive(connection, sent) == [Response(id=1, result=1, timestamp=0.0)]
    assert connection.codec == "msgpack"


@pytest.mark.sentence("P-38")
def test_json_request_on_a_msgpack_connection_is_refused_and_the_codec_stays() -> None:
    connection = worker("msgpack")
    bad, good = receive(connection, packed(PING) + packed(PING, "msgpack"))
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.reason) == (None, "MALFORMED_MESSAGE")
    assert good == Request(id=1, operation="ping")
    assert connection.codec == "msgpack"


@pytest.mark.sentence("P-40")
@pytest.mark.parametrize("codec", CODECS)
def test_initialisation_ping_is_a_request(codec: str) -> None:
    arguments = {"initialization": True, "worker_id": "w-1"}
    (request,) = receive(worker(codec), packed({"id": "i", "command": "ping", "args": arguments}, codec))
    assert request == Request(id="i", operation="ping", arguments=arguments)


@pytest.mark.sentence("P-36")
def test_connection_remembers_which_events_the_peer_wants() -> None:
    connection = Connection("worker")
    assert connection.wants == frozenset()
    connection.accept_hello(want=["log", "progress"])
    assert connection.wants == {"log", "progress"}
    connection.accept_hello()
    assert connection.wants == frozenset()


def test_codecs_are_those_that_can_be_asked_for() -> None:
    assert CODEC_NAMES == CODECS


def test_error_can_be_answered_before_anything_was_understood() -> None:
    connection = Connection("worker", codec="auto")
    answer = connection.send(Failure.of(None, UnsupportedProtocolError("no"), 1.0), closes=False)
    assert json.loads(answer[4:])["error"] == "no"
