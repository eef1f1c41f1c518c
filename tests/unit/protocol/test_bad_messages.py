"""Frames that hold no message: each is answered, with id and place if they can be made out, and serving goes on."""

from __future__ import annotations

import msgspec
import pytest
from unit.protocol.wires import CODECS, frame, packed, receive, worker

from bridge_core.protocol import BadMessage, Failure, Request

both = pytest.mark.parametrize("codec", CODECS)
PING = {"id": "next", "command": "ping"}


def refused(codec: str, wire: bytes) -> BadMessage:
    """Feed one bad frame and a good one; return the bad one."""
    bad, good = receive(worker(codec), wire + packed(PING, codec))
    assert good == Request(id="next", operation="ping")
    assert isinstance(bad, BadMessage)
    assert not bad.fatal
    assert bad.error.reason == "MALFORMED_MESSAGE"
    return bad


@pytest.mark.sentence("P-18")
@both
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"command": None}, "$.command"),
        ({"command": 1}, "$.command"),
        ({"command": ["ping"]}, "$.command"),
        ({"args": []}, "$.args"),
        ({"args": "a"}, "$.args"),
        ({"args": 0}, "$.args"),
        ({"session_id": 1}, "$.session_id"),
        ({"framework": {}}, "$.framework"),
        ({"timeout_ms": -1}, "$.timeout_ms"),
        ({"timeout_ms": -0.5}, "$.timeout_ms"),
        ({"timeout_ms": "1"}, "$.timeout_ms"),
        ({"timeout_ms": True}, "$.timeout_ms"),
        ({"stream": 1}, "$.stream"),
        ({"stream": "true"}, "$.stream"),
        ({"stream_window": -1}, "$.stream_window"),
        ({"stream_window": 1.5}, "$.stream_window"),
        ({"idempotency_key": 1}, "$.idempotency_key"),
        ({"_meta": []}, "$._meta"),
    ],
)
def test_field_of_the_wrong_type_is_named_under_the_id(codec: str, fields: dict[str, object], path: str) -> None:
    bad = refused(codec, packed({"id": 7, "command": "ping", **fields}, codec))
    assert bad.id == 7
    assert bad.error.details == {"path": path}
    assert bad.error.message.startswith(path)


@pytest.mark.sentence("P-15", "P-18")
@both
@pytest.mark.parametrize("id", [None, True, False, [], {}, ["a"]])
def test_what_is_no_id_is_answered_with_null(codec: str, id: object) -> None:
    bad = refused(codec, packed({"id": id, "command": "ping"}, codec))
    assert (bad.id, bad.error.details) == (None, {"path": "$.id"})


@pytest.mark.sentence("P-15", "P-18")
@both
def test_missing_id_is_answered_with_null(codec: str) -> None:
    bad = refused(codec, packed({"command": "ping"}, codec))
    assert (bad.id, bad.error.details) == (None, {"path": "$.id"})


@pytest.mark.sentence("P-15")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_number_that_json_cannot_express_is_no_id(value: float) -> None:
    bad = refused("msgpack", packed({"id": value, "command": "ping"}, "msgpack"))
    assert (bad.id, bad.error.details) == (None, {"path": "$.id"})
    bad = refused("msgpack", packed({"id": value, "command": 5}, "msgpack"))
    assert bad.id is None


@pytest.mark.sentence("P-13")
@both
@pytest.mark.parametrize("value", [None, True, 1, 1.5, "ping", [], [1]])
def test_other_values_than_objects_are_refused(codec: str, value: object) -> None:
    bad = refused(codec, packed(value, codec))
    assert (bad.id, bad.error.details) == (None, {"path": "$"})


@pytest.mark.sentence("P-7")
@both
def test_empty_frame_is_refused_and_not_fatal(codec: str) -> None:
    assert refused(codec, frame(b"")).id is None


@pytest.mark.sentence("P-13")
@pytest.mark.parametrize(
    ("payload", "id"),
    [
        (b"\xef\xbb\xbf" + b'{"id":1,"command":"x"}', None),
        (b'{"id":1,"command":"x"} {}', None),
        (b'{"id":1,"command":"x"}\x00', None),
        (b'{"id":1,"command":"x",}', None),
        (b"{'id':1,'command':'x'}", None),
        (b'{"id":1,"command":"x" /* why */}', None),
        (b'{"id":1,"command":"x"', None),
        (b'{"id":1,"command":"x","args":{"a":NaN}}', None),
        (b'{"id":1,"command":"x","args":{"a":Infinity}}', None),
        (b'{"id":1,"command":"x","args":{"a":1e400}}', 1),
        (b'{"id":1,"command":"x","args":{"a":"\xff"}}', 1),
        (b'{"id":1,"command":"x","args":{"a":"\xed\xa0\x80"}}', 1),
        (b'{"id":1,"command":"x","args":{"\xff":1}}', 1),
        (b'{"id":1,"command":"\xff"}', 1),
        (b'{"id":"\xff","command":"x"}', None),
        (b'{"id":1,"command":"x","args":{"a":"\\ud800"}}', None),
        (b'{"id":1,"command":"x","args":{"a":"\\udc00\\ud800"}}', None),
        (b'{"id":1,"command":"x","args":{"a":"\\ud800 and more text"}}', None),
        (b'{"id":1e400,"command":"x"}', None),
        (b'{"id":' + b"9" * 5000 + b',"command":"x"}', None),
        (b'{"id":1,"command":"x","args":{"a":"\n"}}', None),
        (b"\x81\xa2id\x01", None),
    ],
)
def test_what_is_no_json_object_is_refused(payload: bytes, id: object) -> None:
    assert refused("json", frame(payload)).id == id


HEAD = b"\xa2id\x01\xa7command\xa1x"


@pytest.mark.sentence("P-13")
@pytest.mark.parametrize(
    ("payload", "id"),
    [
        (b"\x82" + HEAD + b"\x00", None),
        (b"\x82" + HEAD[:-1], None),
        (b"\x82\xa2id\xc1\xa7command\xa1x", None),
        (b"\x82\xa2id\xa1\xff\xa7command\xa1x", None),
        (b"\x82\xa2id\x01\xa7command\xa1\xff", 1),
        (b"\x83" + HEAD + b"\xa4args\xd4\x05\x00", 1),
        (b"\x83" + HEAD + b"\xa4args\x81\xa1a\xd4\x05\x00", 1),
        (b"\x83" + HEAD + b"\xa4args\x81\xa1a\xc7\x03\xff123", 1),
        (b"\x83" + HEAD + b"\xa4args\x81\x01\x02", 1),
        (b"\x83" + HEAD + b"\xa4args\x81\xa1a\x81\x81\x01\x02\x04", 1),
        (b"\x83\x01\x02" + HEAD, None),
        (b"\x83\xc4\x01a\x02" + HEAD, None),
        (b"\x82\xa2id\xd4\x05\x00\xa7command\xa1x", None),
        (b"\x82\xa2id\xc4\x01a\xa7command\xa1x", None),
        (b"\xdf\xff\xff\xff\xff", None),
        (b"\xdd\xff\xff\xff\xff", None),
        (b"\x83" + HEAD + b"\xa4args\x81\xa1a\xdd\xff\xff\xff\xff", None),
        (b"\x83" + HEAD + b"\xa4args\x81\xa1a\xdb\xff\xff\xff\xff", None),
    ],
)
def test_what_is_no_msgpack_map_is_refused(payload: bytes, id: object) -> None:
    assert refused("msgpack", frame(payload)).id == id


@pytest.mark.sentence("P-13")
def test_timeout_that_is_not_a_number_is_refused() -> None:
    bad = refused("msgpack", packed({"id": 1, "command": "x", "timeout_ms": float("nan")}, "msgpack"))
    assert (bad.id, bad.error.details) == (1, {"path": "$.timeout_ms"})


@pytest.mark.sentence("P-13")
def test_place_of_a_key_that_is_no_string_is_named() -> None:
    bad = refused("msgpack", packed({"id": 1, "command": "x", "args": {1: 2}}, "msgpack"))
    assert (bad.id, bad.error.details) == (1, {"path": "$.args"})


@pytest.mark.sentence("P-13")
def test_place_of_a_number_out_of_range_is_named() -> None:
    bad = refused("json", frame(b'{"id":1,"command":"x","args":{"a":1e400}}'))
    assert bad.error.details == {"path": "$.args[...]"}


@pytest.mark.sentence("P-18")
@both
def test_bad_message_opens_nothing_and_leaves_the_open_one_alone(codec: str) -> None:
    connection = worker(codec, opened=[7])
    (bad,) = receive(connection, packed({"id": 7, "args": []}, codec))
    assert isinstance(bad, BadMessage)
    assert connection.open_ids == {7}
    connection.send(Failure.of(bad.id, bad.error, 0.0), closes=False)
    assert connection.open_ids == {7}


@pytest.mark.sentence("P-5")
@both
def test_lost_framing_is_said_once_and_ends_the_connection(codec: str) -> None:
    connection = worker(codec, max_frame_bytes=100)
    good, bad = receive(connection, packed(PING, codec) + b"\x00\x00\x00\x65", packed(PING, codec), b"")
    assert isinstance(good, Request)
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.reason, bad.fatal) == (None, "FRAME_TOO_LARGE", True)
    assert connection.closed


@pytest.mark.sentence("P-6")
@both
def test_input_that_ends_in_a_frame_is_said_once(codec: str) -> None:
    connection = worker(codec)
    good, bad = receive(connection, packed(PING, codec) + packed(PING, codec)[:-1], b"")
    assert isinstance(good, Request)
    assert isinstance(bad, BadMessage)
    assert (bad.id, bad.error.reason, bad.fatal) == (None, "TRUNCATED_FRAME", True)
    assert connection.closed


@pytest.mark.sentence("P-18")
@both
def test_every_bad_message_can_be_answered(codec: str) -> None:
    connection = worker(codec)
    values: list[object] = [[], {"id": 1}, {"id": "a", "command": "x", "args": 1}, {"type": "protocol_negotiation"}]
    for value in values:
        (bad,) = receive(connection, packed(value, codec))
        assert isinstance(bad, BadMessage)
        answer = connection.send(Failure.of(bad.id, bad.error, 1.5), closes=False)
        decode = msgspec.json.decode if codec == "json" else msgspec.msgpack.decode
        decoded = decode(answer[4:])
        assert (decoded["id"], decoded["success"]) == (bad.id, False)
        assert decoded["error_info"]["reason"] == "MALFORMED_MESSAGE"


@pytest.mark.parametrize("wire", [packed({"id": 1, "args": {"a": [[]]}}), packed([]), frame(b"\xff"), b"\xff" * 4])
def test_bad_message_keeps_nothing_alive_of_what_it_was_read_from(wire: bytes) -> None:
    (bad,) = receive(worker(max_depth=1), wire)
    assert isinstance(bad, BadMessage)
    assert bad.error.__traceback__ is None
