"""How complex a message may be, and that finding out is cheap whatever the message is."""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import pytest
from unit.protocol.wires import CODECS, Received, frame, packed, peer, receive, worker

from bridge_core.protocol import BadMessage, Request

both = pytest.mark.parametrize("codec", CODECS)
OK = None


def verdict(messages: Received) -> tuple[Any, str] | None:
    """Return what the one message is refused for, None if it is not."""
    (message,) = messages
    return (message.id, message.error.reason) if isinstance(message, BadMessage) else OK


TOO_COMPLEX = (1, "VALUE_TOO_COMPLEX")


def request(codec: str, value: object) -> bytes:
    return packed({"id": 1, "command": "x", "args": {"a": value}}, codec)


def nested(depth: int, inner: object = None) -> object:
    """Return lists and dicts inside each other."""
    value: object = inner
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


# --- how deep


@pytest.mark.sentence("P-67")
@both
@pytest.mark.parametrize("size", [0, 200, 5000, 50_000])
@pytest.mark.parametrize(("depth", "refused"), [(9, False), (10, True), (11, True), (300, True)])
def test_depth_counts_from_the_arguments(codec: str, size: int, depth: int, refused: bool) -> None:
    # The arguments are a level themselves. The text makes each way of finding out be taken.
    wire = request(codec, [nested(depth - 1), "[{" * size])
    assert verdict(receive(worker(codec, max_depth=10), wire)) == (TOO_COMPLEX if refused else OK)


@pytest.mark.sentence("P-67")
@both
@pytest.mark.parametrize(("depth", "refused"), [(127, False), (128, True), (900, True), (100_000, True)])
def test_default_depth_is_128(codec: str, depth: int, refused: bool) -> None:
    nest = (b"[" * depth + b"]" * depth) if codec == "json" else b"\x91" * (depth - 1) + b"\x90"
    head = request(codec, 0)[4:]
    payload = head.replace(b'"a":0', b'"a":' + nest) if codec == "json" else head[:-1] + nest
    bad, good = receive(worker(codec), frame(payload) + request(codec, 0))[:1], OK
    assert verdict(bad) == (TOO_COMPLEX if refused else good)


@pytest.mark.sentence("P-67")
@both
@pytest.mark.parametrize("first", [["ab"] * 2000, [[1]] * 2000, [1.5] * 2000, ["a" * 5000]])
def test_depth_is_found_wherever_it_is(codec: str, first: list[object]) -> None:
    assert verdict(receive(worker(codec, max_depth=10), request(codec, [first, nested(20)]))) == TOO_COMPLEX
    assert verdict(receive(worker(codec, max_depth=10), request(codec, [first, nested(5)]))) is OK


@pytest.mark.sentence("P-67", "P-70")
@pytest.mark.parametrize(
    ("head", "id"),
    [
        (b'{"id":1,', 1),
        (b' { "id" : "a\\"b" , ', 'a"b'),
        (b'{"id":-1.5e0,', -1.5),
        (b'{"id":null,', None),
        (b'{"id":"' + b"x" * 1000 + b'",', None),
        (b'{"id":' + b"1" * 51 + b",", None),
        (b'{"command":"x","id":1,', None),
    ],
)
def test_nesting_that_no_decoder_follows_is_answered_under_a_leading_id(head: bytes, id: object) -> None:
    payload = head + b'"args":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
    assert verdict(receive(worker(), frame(payload))) == (id, "VALUE_TOO_COMPLEX")


@pytest.mark.sentence("P-67", "P-70")
@pytest.mark.parametrize(
    ("head", "id"),
    [
        (b"\x82\xa2id\x01", 1),
        (b"\xde\x00\x02\xa2id\xa1a", "a"),
        (b"\xdf\x00\x00\x00\x02\xa2id\xcb" + struct.pack(">d", 1.5), 1.5),
        (b"\x82\xa2id\xd9\x03abc", "abc"),
        (b"\x82\xa2id\xc0", None),
        (b"\x82\xa2id\xcb" + struct.pack(">d", float("nan")), None),
        (b"\x82\xa1x\x01", None),
    ],
)
def test_nested_msgpack_that_no_decoder_follows_is_answered_under_a_leading_id(head: bytes, id: object) -> None:
    payload = head + b"\xa4args\x81\xa1a" + b"\x91" * 200_000 + b"\x90"
    assert verdict(receive(worker("msgpack"), frame(payload))) == (id, "VALUE_TOO_COMPLEX")


@pytest.mark.sentence("P-13", "P-67")
@both
@pytest.mark.parametrize("id", [True, [1], {}])
def test_nesting_behind_what_is_no_id_is_malformed(codec: str, id: object) -> None:
    payload = packed({"id": id, "args": 0}, codec)[4:]
    payload = payload[:-2] + b"[" * 200_000 if codec == "json" else payload[:-1] + b"\x91" * 200_000
    assert verdict(receive(worker(codec), frame(payload))) == (None, "MALFORMED_MESSAGE")


@pytest.mark.sentence("P-10", "P-67")
@both
def test_unknown_fields_may_be_deeper(codec: str) -> None:
    wire = packed({"id": 1, "command": "x", "more": nested(300)}, codec)
    assert verdict(receive(worker(codec), wire)) is OK


@pytest.mark.sentence("P-67")
@both
@pytest.mark.parametrize(
    "message",
    [
        {"success": True, "result": nested(11)},
        {"success": False, "error": "no", "error_info": nested(11)},
        {"chunk": {"chunk_id": 0, "payload": nested(11)}},
        {"event": "log", "data": nested(11)},
        {"tool": {"name": "f", "args": nested(11)}, "request_id": 1},
        {"tool": {"name": "f", "kwargs": {"a": nested(10)}}, "request_id": 1},
    ],
)
def test_depth_counts_in_everything_that_a_peer_is_given(codec: str, message: dict[str, Any]) -> None:
    if "tool" in message and isinstance(message["tool"].get("args"), dict):
        message = {**message, "tool": {"name": "f", "args": [message["tool"]["args"]]}}
    wire = packed({"id": "t-1", **message}, codec)
    assert verdict(receive(peer(codec, max_depth=10), wire)) == ("t-1", "VALUE_TOO_COMPLEX")
    assert verdict(receive(peer(codec, max_depth=12), wire)) is OK


@both
def test_shallow_values_are_accepted_in_everything_that_a_peer_is_given(codec: str) -> None:
    wire = packed({"id": 1, "chunk": {"chunk_id": 0, "payload": [nested(3)] * 50}}, codec)
    assert verdict(receive(peer(codec, max_depth=10), wire)) is OK


# --- how many values

ENVELOPE = 4  # the message, its id, its operation, its arguments


@pytest.mark.sentence("P-66")
@both
@pytest.mark.parametrize(
    "values",
    [
        [1] * 995,
        [1.5] * 995,
        ["a,[{"] * 995,
        [[]] * 995,
        [{}] * 995,
        [[1]] * 497 + [1],
        [{"a": 1, "b": "\\\\,\\"}] * 331 + [1, 1],
        list(range(995)),
        [None, True, -1, -200, 2.5, "x" * 40, "y" * 300, b""] * 124 + ["z" * 70_000, 2, 3],
        [list(range(97))] * 10 + [1] * 15,
    ],
)
def test_values_are_counted_and_keys_are_not(codec: str, values: list[object]) -> None:
    # 995 values in the list, the list and the envelope: 1,000 in all.
    limit = ENVELOPE + 1 + 995
    wire = request(codec, values)
    spaced = frame(wire[4:].replace(b"[", b"[ ").replace(b"]", b" ]")) if codec == "json" else wire
    for one in (wire, spaced):
        assert verdict(receive(worker(codec, max_nodes=limit), one)) is OK
        assert verdict(receive(worker(codec, max_nodes=limit - 1), one)) == TOO_COMPLEX


@pytest.mark.sentence("P-66")
@pytest.mark.parametrize("text", [",", "[", "{", '"', "\\", "\\\\", '\\"', '",', "\\\\\\", '\\",[', "\u0000", "é,"])
def test_what_is_inside_strings_is_no_value(text: str) -> None:
    wire = request("json", [text * 5000, text * 4999 + "x", {text * 100: text}])
    assert verdict(receive(worker(max_nodes=20), wire)) is OK


@pytest.mark.sentence("P-66")
@both
@pytest.mark.parametrize(("count", "refused"), [(999_995, False), (999_996, True)])
def test_default_limit_is_a_million_values(codec: str, count: int, refused: bool) -> None:
    wire = request(codec, [7] * count)
    assert verdict(receive(worker(codec), wire)) == (TOO_COMPLEX if refused else OK)


@pytest.mark.sentence("P-66")
@pytest.mark.parametrize(
    "filling",
    [b'\\"', b"\\\\", b",", b"[", b"{", b'","', b"\\u005c", b"x"],
)
@pytest.mark.parametrize("ends", [True, False])
def test_looking_at_a_large_frame_takes_linear_time(filling: bytes, ends: bool) -> None:
    # 16 MiB: anything worse than linear would not end within the test run.
    payload = (
        b'{"id":1,"command":"x","args":{"a":"' + filling * ((16 << 20) // len(filling)) + (b'"}}' if ends else b"")
    )
    messages = receive(worker(), frame(payload))
    assert len(messages) == 1


@pytest.mark.sentence("P-66", "P-70")
@pytest.mark.parametrize("filling", [b"[]", b"{},", b'"",', b"1,", b'"a":1,', b"[", b'"'])
def test_frame_of_nothing_but_values_is_refused(filling: bytes) -> None:
    payload = b'{"id":1,"command":"x","args":{"a":[' + filling * ((16 << 20) // len(filling)) + b"1]}}"
    result = verdict(receive(worker(), frame(payload)))
    assert result is not OK
    assert result[1] in {"VALUE_TOO_COMPLEX", "MALFORMED_MESSAGE"}


@pytest.mark.sentence("P-66", "P-70")
@pytest.mark.parametrize(
    "filling",
    [
        b"\xc0",
        b"\x90",
        b"\x80",
        b"\x91",
        b"\x81\xa0",
        b"\xa0",
        b"\xc4\x00",
        b"\xdc\x00\x00",
        b"\xde\x00\x00",
        b"\xcc\x01",
    ],
)
def test_msgpack_frame_of_nothing_but_values_is_refused(filling: bytes) -> None:
    count = (4 << 20) // len(filling)
    payload = b"\x83\xa2id\x01\xa7command\xa1x\xa4args\x81\xa1a\xdd" + count.to_bytes(4, "big") + filling * count
    assert verdict(receive(worker("msgpack"), frame(payload))) == TOO_COMPLEX


@pytest.mark.sentence("P-66")
@pytest.mark.parametrize("kind", ["fixmap", "map16", "map32", "fixarray", "array16", "array32"])
def test_every_kind_of_msgpack_container_is_counted(kind: str) -> None:
    count = {"fixmap": 15, "map16": 300, "map32": 300, "fixarray": 15, "array16": 300, "array32": 300}[kind]
    head = {
        "fixmap": b"\x8f", "map16": b"\xde\x01\x2c", "map32": b"\xdf\x00\x00\x01\x2c",
        "fixarray": b"\x9f", "array16": b"\xdc\x01\x2c", "array32": b"\xdd\x00\x00\x01\x2c",
    }[kind]  # fmt: skip
    entries = [(msgspec.msgpack.encode(f"k{n}") if "map" in kind else b"") + b"\xcd\x01\x00" for n in range(count)]
    payload = b"\x83\xa2id\x01\xa7command\xa1x\xa4args\x81\xa1a" + head + b"".join(entries)
    limit = ENVELOPE + 1 + count
    assert verdict(receive(worker("msgpack", max_nodes=limit), frame(payload))) is OK
    assert verdict(receive(worker("msgpack", max_nodes=limit - 1), frame(payload))) == TOO_COMPLEX


@pytest.mark.sentence("P-66")
def test_arrays_of_equal_scalars_are_skipped_and_what_follows_is_counted() -> None:
    values = [[1.5] * 1000, [b"ab"] * 5, [1.5] * 999 + [1], list(range(200, 300)), [[1] * 16] * 20]
    limit = ENVELOPE + 1 + 5 + 1000 + 5 + 1000 + 100 + 20 + 320
    wire = request("msgpack", values)
    assert verdict(receive(worker("msgpack", max_nodes=limit), wire)) is OK
    assert verdict(receive(worker("msgpack", max_nodes=limit - 1), wire)) == TOO_COMPLEX


@both
def test_truncated_message_over_the_limits_is_refused(codec: str) -> None:
    wire = request(codec, [1.5] * 5000 + ["x" * 400])
    for cut in (100, 2000, 20_000, len(wire) - 4 - 300):
        assert verdict(receive(worker(codec, max_nodes=6000), frame(wire[4:][:cut]))) == (None, "MALFORMED_MESSAGE")


# --- how much MessagePack


@pytest.mark.sentence("P-68")
@pytest.mark.parametrize(("size", "refused"), [(8_388_500, False), (8_388_608, True)])
def test_msgpack_text_is_limited_at_a_worker(size: int, refused: bool) -> None:
    wire = request("msgpack", "x" * size)
    assert verdict(receive(worker("msgpack"), wire)) == (TOO_COMPLEX if refused else OK)


@pytest.mark.sentence("P-68")
def test_msgpack_binary_is_not_counted() -> None:
    wire = request("msgpack", [b"x" * 20_000_000, b"y" * 300, b"z" * 70_000])
    assert verdict(receive(worker("msgpack"), wire)) is OK


@pytest.mark.sentence("P-68")
def test_msgpack_results_and_json_arguments_are_not_limited_so() -> None:
    wire = packed({"id": 1, "success": True, "result": "x" * 9_000_000}, "msgpack")
    assert verdict(receive(peer("msgpack"), wire)) is OK
    assert verdict(receive(worker(), request("json", "x" * 9_000_000))) is OK


@both
def test_refused_message_does_not_stop_the_serving(codec: str) -> None:
    connection = worker(codec, max_nodes=50, max_depth=5)
    messages = receive(connection, request(codec, [1] * 100) + request(codec, nested(9)) + request(codec, 1))
    assert [type(message) for message in messages] == [BadMessage, BadMessage, Request]
    assert connection.open_ids == {1}
