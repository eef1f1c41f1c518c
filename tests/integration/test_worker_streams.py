"""Streamed answers: numbered chunks, an end, one response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Message, Peer

pytestmark = [pytest.mark.capability("B01"), pytest.mark.sentence("P-30")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


def payloads(chunks: list[Message]) -> list[Any]:
    """Return what was streamed; the chunks are numbered, and the last one only says that it is the last."""
    assert [chunk["chunk_id"] for chunk in chunks] == list(range(len(chunks)))
    assert [chunk["is_final"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["payload"] is None
    return [chunk["payload"] for chunk in chunks[:-1]]


@pytest.mark.parametrize("place", ["main", "thread"])
def test_generator_gives_its_items_as_chunks_and_its_return_value_as_result(peer: Peer, place: str) -> None:
    chunks, answer = peer.stream(f"probe.count_{place}", {"to": 3})
    assert payloads(chunks) == [0, 1, 2]
    assert answer["result"] == {"counted": 3}


@pytest.mark.parametrize("name", ["count_async", "count_awaited"])
def test_async_generator_gives_its_items_as_chunks(peer: Peer, name: str) -> None:
    chunks, answer = peer.stream(f"probe.{name}", {"to": 3})
    assert payloads(chunks) == [0, 1, 2]
    assert answer["result"] is None


def test_iterator_that_is_no_generator_streams_too(peer: Peer) -> None:
    chunks, answer = peer.stream("probe.squares")
    assert payloads(chunks) == [0, 1, 4]
    assert answer["result"] is None


def test_stream_of_nothing_still_has_its_end(peer: Peer) -> None:
    chunks, answer = peer.stream("probe.silent")
    assert payloads(chunks) == []
    assert answer["result"] == "nothing to say"


def test_handler_that_returns_no_iterator_after_all_gives_its_result(peer: Peer) -> None:
    chunks, answer = peer.stream("probe.no_iterator")
    assert chunks == [{"chunk_id": 0, "payload": None, "is_final": True}]
    assert answer["result"] == "whole"


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("count_main", {"counted": 3}),
        ("count_thread", {"counted": 3}),
        ("count_async", [0, 1, 2]),
        ("count_awaited", [0, 1, 2]),
    ],
)
def test_peer_that_wants_no_chunks_gets_the_result_or_else_the_list_of_items(
    peer: Peer, name: str, result: object
) -> None:
    assert peer.result(f"probe.{name}", {"to": 3}) == result


def test_generator_of_an_operation_that_does_not_stream_gives_a_list(peer: Peer) -> None:
    assert peer.result("probe.plain_generator") == [0, 1, 2]


@pytest.mark.sentence("P-32")
@pytest.mark.parametrize("name", ["probe.plain_generator", "probe.echo", "ping", "configure"])
def test_operation_that_does_not_stream_refuses_to(peer: Peer, name: str) -> None:
    chunks, answer = peer.stream(name)
    assert (chunks, answer["error_info"]["reason"]) == ([], "STREAMING_UNSUPPORTED")


@pytest.mark.parametrize("name", ["break_off", "break_off_async"])
def test_error_in_the_middle_follows_the_chunks_that_were_good(peer: Peer, name: str) -> None:
    chunks, answer = peer.stream(f"probe.{name}")
    assert chunks == [{"chunk_id": 0, "payload": 0, "is_final": False}]
    assert answer["error_info"]["reason"] == "HANDLER_RAISED"


def test_chunk_that_cannot_be_sent_ends_the_stream_with_an_error(peer: Peer) -> None:
    chunks, answer = peer.stream("probe.odd", {"name": "unsendable"})
    assert [chunk["payload"] for chunk in chunks] == ["good"]
    assert answer["error_info"]["reason"] == "SERIALIZE_FAILED"
    assert "unsendable" in peer.result("probe.closed"), "its generator was closed"


@pytest.mark.sentence("P-27")
def test_chunk_that_is_too_large_ends_the_stream_with_an_error(peer: Peer) -> None:
    chunks, answer = peer.stream("probe.blocks", {"count": 1, "size": 64 << 20})
    assert (chunks, answer["error_info"]["reason"]) == ([], "RESULT_TOO_LARGE")


def test_streams_of_several_requests_mix_without_losing_their_order(peer: Peer) -> None:
    ids = [peer.send("probe.count_thread", {"to": 50}, stream=True) for _ in range(4)]
    chunks: dict[str, list[Message]] = {request: [] for request in ids}
    ended: list[str] = []
    while len(ended) < 4:
        message = peer.receive()
        if "chunk" in message:
            assert message["id"] not in ended
            chunks[message["id"]].append(message["chunk"])
        else:
            ended.append(message["id"])
    assert [payloads(one) for one in chunks.values()] == [list(range(50))] * 4
