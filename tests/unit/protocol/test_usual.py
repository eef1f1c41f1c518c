"""What is decoded in one step because it was expected means the same as if it had not been."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from unit.protocol.test_wire_vectors import ending, seen
from unit.protocol.wires import CODECS, Vector, packed, peer, receive, vectors, worker

from bridge_core.protocol import BadMessage, Connection, Request

RESPONSE = {"id": 1, "success": True, "result": 1, "timestamp": 1.0}
CHUNK = {"id": 1, "chunk": {"chunk_id": 0, "payload": 1}}
CREDIT = {"command": "stream_credit", "args": {"id": 1, "chunks": 1}}
# No golden vector has this id, so none is refused because such a request is open.
REQUEST = {"id": "warm", "command": "ping"}
# What comes first, by who receives it; after the last ones nothing is expected.
FIRST: dict[str, list[dict[str, Any]]] = {
    "worker": [REQUEST, {**RESPONSE, "id": "t-1"}, CREDIT],
    "peer": [RESPONSE, CHUNK, {"event": "x", "data": 1}],
}
# The others are about the first frame: nothing may come before it.
LATER = [one for one in vectors() if one.codec != "auto" and not one.answer and one.codec_after is None]
TO_WORKER: list[dict[str, Any]] = [
    {"success": True, "result": 1, "timestamp": 1.0},
    {"timeout_ms": 5},
    {"timeout_ms": -1},
    {"timeout_ms": 1e15},
    {"stream": None, "args": None, "session_id": None, "_meta": None},
    {"stream": True, "args": {"a": [1, {"b": None}]}, "session_id": "s", "framework": "f", "_meta": {"k": 1}},
    {"stream_window": 0},
    {"id": True},
    {"id": 1.5},
    {"id": "x" * 2000},
    {"id": None},
    {"command": None},
    {"command": "stream_credit", "args": {"id": 1, "chunks": 2}},
    {"command": 5},
    {"idempotency_key": 5},
    {"unknown": [1, 2]},
    {"error": "unused", "error_info": {"code": 5}},
    {"type": "protocol_negotiation", "supported": ["json"]},
]
TO_PEER: list[dict[str, Any]] = [
    {"id": 1, "result": 5, "timestamp": 1.0},
    {"id": 1, "chunk": {"chunk_id": 0}, "result": None, "timestamp": 1.0},
    {**RESPONSE, "timestamp": 2},
    {**RESPONSE, "timestamp": True},
    {**RESPONSE, "timestamp": "now"},
    {**RESPONSE, "timestamp": None},
    {"id": 1, "success": True},
    {**RESPONSE, "success": None},
    {**RESPONSE, "success": 1},
    {**RESPONSE, "success": False},
    {**RESPONSE, "success": False, "error": "x", "chunk": {"chunk_id": 3}},
    {**RESPONSE, "id": None},
    {**RESPONSE, "id": True},
    {**RESPONSE, "chunk": {"chunk_id": 3}},
    {**RESPONSE, "chunk": 5},
    {**RESPONSE, "chunk": None, "tool": None, "event": None},
    {**RESPONSE, "tool": 5},
    {**RESPONSE, "event": 5},
    {**RESPONSE, "error": "unused", "error_info": 5},
    {"id": "t-1", "tool": {"name": "f"}, "request_id": 1, "result": None, "timestamp": 1.0},
    {"event": "progress", "data": 1, "id": 1, "result": None, "timestamp": 0.0},
    {**CHUNK, "success": None},
    {**CHUNK, "success": True},
    {**CHUNK, "success": False},
    {**CHUNK, "tool": 5},
    {**CHUNK, "tool": {"name": "f"}, "request_id": 1},
    {**CHUNK, "event": "x"},
    {**CHUNK, "event": 5},
    {**CHUNK, "id": True},
    {"id": 1, "chunk": {"chunk_id": "0"}},
    {"id": 1, "chunk": {"chunk_id": 1, "is_final": True}},
    {"id": 1, "chunk": None},
]


def received(connection: Connection, first: dict[str, Any], *data: bytes) -> list[Any]:
    """Return what a connection makes of the data after it has received this message."""
    (before,) = receive(connection, packed(first, connection.codec))
    assert not isinstance(before, BadMessage)
    return seen(receive(connection, *data))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("role", "message"),
    [*(("worker", {"id": 2, "command": "ping", **odd}) for odd in TO_WORKER), *(("peer", one) for one in TO_PEER)],
    ids=lambda value: str(value)[:70],
)
def test_odd_message_means_the_same_whatever_came_before_it(role: str, message: dict[str, Any], codec: str) -> None:
    end = worker if role == "worker" else peer
    data = packed(message, codec)
    first, second, cold = (received(end(codec), before, data) for before in FIRST[role])
    assert first == second == cold


@pytest.mark.parametrize("vector", LATER, ids=lambda vector: vector.name)
def test_golden_bytes_mean_the_same_whatever_came_before_them(vector: Vector) -> None:
    data = (vector.data, *ending(vector))
    first, second, cold = (received(vector.receiver(), before, *data) for before in FIRST[vector.to])
    assert first == second == cold


def test_what_a_request_does_not_look_at_need_not_be_readable_once_requests_are_expected() -> None:
    data = b'{"id":2,"command":"ping","result":1e999}'
    frame = len(data).to_bytes(4, "big") + data
    (cold,), (warm,) = (receive(worker(), packed(first), frame)[1:] for first in (CREDIT, REQUEST))
    assert isinstance(cold, BadMessage)
    assert isinstance(warm, Request)


@pytest.mark.parametrize("codec", CODECS)
def test_peer_whose_messages_are_always_odd_is_soon_decoded_in_one_step_again(codec: str) -> None:
    connection = worker(codec)
    usual = connection._usual
    odd = [packed({"id": f"odd {number}", "command": "ping", "session_id": None}, codec) for number in range(20)]
    got = receive(connection, *odd[:7])
    assert usual._kind is Request
    got += receive(connection, packed({"id": "plain", "command": "ping"}, codec), *odd[7:14])
    assert usual._kind is Request, "a plain one has come between"
    got += receive(connection, *odd[14:])
    assert usual._kind is None
    assert [one.session_id for one in got if isinstance(one, Request)] == ["anonymous"] * 21


def test_kinds_that_alternate_do_not_make_anything_odd() -> None:
    connection = peer()
    for _ in range(20):
        receive(connection, packed(RESPONSE), packed(CHUNK))
    assert connection._usual._kind is not None
    assert msgspec.structs.asdict(receive(connection, packed(RESPONSE))[0]) == RESPONSE  # type: ignore[arg-type]
