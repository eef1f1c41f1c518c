"""The bytes themselves: what tests/golden/wire.json promises to other implementations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from unit.protocol.wires import Received, Vector, drain, frame, receive, vectors

from bridge_core.protocol import (
    BadMessage,
    Chunk,
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

CLASSES: dict[str, Any] = {
    kind.__name__: kind for kind in (Request, Response, Failure, Chunk, ToolCall, Event, StreamCredit)
}

each = pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)


def plain(value: Any) -> Any:
    """Put binary values in place of what stands for them in the file."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return bytes.fromhex(value["$bytes"])
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def built(described: dict[str, Any]) -> Message:
    """Make the message that the file describes."""
    fields = plain({key: value for key, value in described.items() if key != "kind"})
    if "error_info" in fields:
        fields["error_info"] = ErrorInfo(**fields["error_info"])
    if "tool" in fields:
        fields["tool"] = Tool(**fields["tool"])
    message: Message = CLASSES[described["kind"]](**fields)
    return message


def expected(vector: Vector) -> list[Any]:
    return [one if one["kind"] == "BadMessage" else exact(built(one)) for one in vector.messages]


def exact(message: Message | BadMessage) -> Any:
    """Return what is compared: the message with the types of its numbers, or what a bad one is answered with."""
    if isinstance(message, BadMessage):
        reason = message.error.reason
        return {"kind": "BadMessage", "id": message.id, "reason": reason, "fatal": message.fatal}
    return type(message), repr(message)


def seen(messages: Received) -> list[Any]:
    return [exact(message) for message in messages]


def ending(vector: Vector) -> list[bytes]:
    return [b""] if vector.ends else []


@pytest.mark.sentence("P-1", "P-8", "P-14", "P-18", "P-22", "P-23", "P-24", "P-30", "P-36")
@each
def test_bytes_mean_what_the_file_says(vector: Vector) -> None:
    connection = vector.receiver()
    assert seen(receive(connection, vector.data, *ending(vector))) == expected(vector)
    assert connection.data_to_send() == bytes.fromhex(vector.answer)
    assert connection.codec == (vector.codec_after or vector.codec)


@pytest.mark.sentence("P-1", "P-22", "P-23")
@pytest.mark.parametrize("vector", [v for v in vectors() if v.encodes], ids=lambda vector: vector.name)
def test_messages_become_the_bytes_of_the_file(vector: Vector) -> None:
    connection = vector.sender()
    both = [(one, built(one)) for one in vector.messages]
    sent = [connection.send(message, closes=one.get("id") is not None) for one, message in both]
    assert b"".join(sent) == vector.data


@pytest.mark.sentence("P-2")
@each
def test_every_cut_gives_the_same_messages(vector: Vector) -> None:
    for cut in range(1, len(vector.data)):
        connection = vector.receiver()
        reads = (vector.data[:cut], vector.data[cut:], *ending(vector))
        assert seen(receive(connection, *reads)) == expected(vector), f"cut at {cut}"
        assert connection.data_to_send() == bytes.fromhex(vector.answer), f"cut at {cut}"


@pytest.mark.sentence("P-2")
@each
def test_one_byte_at_a_time_gives_the_same_messages(vector: Vector) -> None:
    connection = vector.receiver()
    reads = [vector.data[at : at + 1] for at in range(len(vector.data))]
    assert seen(receive(connection, *reads, *ending(vector))) == expected(vector)
    assert connection.data_to_send() == bytes.fromhex(vector.answer)


@pytest.mark.sentence("P-2")
@each
def test_everything_read_before_anything_is_taken_gives_the_same_messages(vector: Vector) -> None:
    connection = vector.receiver()
    for at in range(0, len(vector.data), 3):
        connection.receive_data(vector.data[at : at + 3])
    for _ in ending(vector):
        connection.receive_data(b"")
    assert seen(drain(connection)) == expected(vector)


@each
def test_payloads_are_the_readable_form_of_the_bytes(vector: Vector) -> None:
    payloads = [one["text"].encode() if "text" in one else bytes.fromhex(one["hex"]) for one in vector.payloads]
    assert vector.data.startswith(b"".join(map(frame, payloads)))
    if vector.answer_payload is not None:
        assert bytes.fromhex(vector.answer) == frame(vector.answer_payload)


def test_names_of_vectors_are_unique() -> None:
    assert len({vector.name for vector in vectors()}) == len(vectors())


@pytest.mark.parametrize("kind", [*CLASSES, "BadMessage"])
@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_every_kind_of_message_has_a_vector(kind: str, codec: str) -> None:
    kinds = {one["kind"] for vector in vectors() if vector.codec == codec for one in vector.messages}
    assert kind in kinds


def test_messages_are_compared_by_content_and_refuse_changes() -> None:
    message = Event(name="log", data=1)
    assert message == msgspec.structs.replace(message)
    with pytest.raises(AttributeError):
        message.data = 2  # type: ignore[misc]
