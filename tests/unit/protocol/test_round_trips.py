"""Whatever one end sends, the other receives, however it is cut on the way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.protocol.wires import CODECS, frame, receive, worker

from bridge_core.protocol import (
    BadMessage,
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
quick = settings(deadline=None, max_examples=100)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-(2**63), 2**64 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
ids = st.one_of(integers, floats, text)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), integers, floats, text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=15,
)
objects = st.dictionaries(text, values, max_size=4)
timestamps = st.floats(0, 4e9)
infos = st.builds(ErrorInfo, code=text, reason=text, details=objects, retryable=st.booleans())

responses = st.builds(Response, id=ids, result=values, timestamp=timestamps)
failures = st.builds(Failure, id=ids, error=text, error_info=infos, timestamp=timestamps)
from_peer = st.one_of(
    st.builds(
        Request,
        id=ids,
        operation=text.filter(lambda name: name != "stream_credit"),
        arguments=objects,
        session_id=text,
        framework=st.none() | text,
        timeout_ms=st.none() | st.floats(0, 1e12),
        stream=st.booleans(),
        stream_window=st.none() | st.integers(0, 2**63),
        idempotency_key=st.none() | text,
        meta=st.none() | objects,
    ),
    st.builds(StreamCredit, id=ids, chunks=st.integers(1, 2**63)),
    responses,
    failures,
)
tools = st.builds(Tool, name=text, positional=st.lists(values, max_size=3), keywords=objects)
from_worker = st.one_of(
    responses,
    failures,
    st.builds(Chunk, id=ids, number=st.integers(0, 2**63), payload=values, final=st.booleans()),
    st.builds(
        ToolCall,
        id=text.map("t-".__add__),
        tool=tools,
        request_id=ids,
        session_id=text,
        timeout_ms=st.none() | st.floats(0, 1e12),
    ),
    st.builds(Event, name=text, data=values),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut where the places say; no piece is empty, because that would be the end."""
    bounds = [0, *sorted({place % len(data) for place in places} - {0}), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


places = st.lists(st.integers(0, 2**31), max_size=10)


@pytest.mark.sentence("P-2", "P-14", "P-16")
@both
@given(data=st.data())
@quick
def test_what_a_peer_sends_the_worker_receives(codec: str, data: st.DataObject) -> None:
    messages: list[Any] = data.draw(st.lists(from_peer, min_size=1, max_size=5, unique_by=lambda one: one.id))
    sender, receiver = Connection("peer", codec=codec), Connection("worker", codec=codec)
    wire = b"".join(map(sender.send, messages))
    received = receive(receiver, *cut(wire, data.draw(places)))
    assert list(map(repr, received)) == list(map(repr, messages))
    assert receiver.open_ids == {one.id for one in messages if isinstance(one, Request)}


@pytest.mark.sentence("P-2", "P-16", "P-22", "P-23", "P-30")
@both
@given(data=st.data())
@quick
def test_what_a_worker_sends_the_peer_receives(codec: str, data: st.DataObject) -> None:
    messages: list[Message] = data.draw(st.lists(from_worker, min_size=1, max_size=5))
    sender, receiver = worker(codec, opened=answered(messages)), Connection("peer", codec=codec)
    wire = b"".join(sender.send(message, closes=False) for message in messages)
    received = receive(receiver, *cut(wire, data.draw(places)))
    assert list(map(repr, received)) == list(map(repr, messages))


def answered(messages: list[Message]) -> list[int | float | str]:
    return [one.id for one in messages if isinstance(one, Chunk)]


@pytest.mark.sentence("P-13", "P-18")
@both
@given(payloads=st.lists(st.binary(max_size=60), max_size=5))
@quick
def test_any_bytes_in_frames_are_survived(codec: str, payloads: list[bytes]) -> None:
    connection = worker(codec)
    received = receive(connection, b"".join(map(frame, payloads)) or frame(b""))
    assert len(received) == (len(payloads) or 1)
    assert not any(isinstance(message, BadMessage) and message.fatal for message in received)
    good = Connection("peer", codec=connection.codec).send(Request(id="last", operation="x"))
    assert isinstance(receive(connection, good)[0], Request)


@pytest.mark.sentence("P-5", "P-6")
@both
@given(data=st.binary(max_size=100))
@quick
def test_any_bytes_at_all_are_survived(codec: str, data: bytes) -> None:
    connection = worker(codec)
    received = receive(connection, *([data] if data else []), b"")
    assert connection.closed
    assert all(isinstance(message, BadMessage) for message in received if not isinstance(message, Request))
    assert [message for message in received[:-1] if isinstance(message, BadMessage) and message.fatal] == []
