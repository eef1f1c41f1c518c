"""Cutting a stream of bytes into frames."""

from __future__ import annotations

import tracemalloc

import pytest
from unit.protocol.wires import frame

from bridge_core.errors import FrameTooLargeError, TruncatedFrameError
from bridge_core.protocol import FrameDecoder, encode_frame

LIMIT = 1 << 20


def decoded(decoder: FrameDecoder, *reads: bytes) -> list[bytes]:
    frames = []
    for data in reads:
        decoder.receive_data(data)
        while (payload := decoder.next_frame()) is not None:
            frames.append(bytes(payload))
    return frames


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.sentence("P-1")
def test_frame_is_four_bytes_of_length_and_the_payload() -> None:
    assert encode_frame(b"abc", 3) == b"\x00\x00\x00\x03abc"


@pytest.mark.sentence("P-3")
def test_payload_over_the_limit_is_not_framed() -> None:
    with pytest.raises(FrameTooLargeError) as caught:
        encode_frame(b"abcd", 3)
    assert caught.value.details == {"size": 4, "limit": 3}


@pytest.mark.sentence("P-2")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 1000, 65536, 70000, 200_000, 1_000_000])
def test_any_size_of_read_gives_the_same_frames(size: int) -> None:
    # Small frames, frames that are handed over in their buffer, and both behind each other.
    payloads = [b"", b"a", b"x" * 65535, b"y" * 65536, b"b", b"z" * 300_000, b"w" * 70_000, b"v" * 70_000, b"", b"end"]
    if size < 1000:
        payloads = [payload[:2000] for payload in payloads]
    stream = b"".join(map(frame, payloads))
    assert decoded(FrameDecoder(LIMIT), *pieces(stream, size)) == payloads


@pytest.mark.sentence("P-2")
def test_frames_that_pile_up_come_out_in_order() -> None:
    payloads = [bytes([number]) * 100_000 for number in range(20)]
    decoder = FrameDecoder(LIMIT)
    for data in pieces(b"".join(map(frame, payloads)), 65536):
        decoder.receive_data(data)
    assert decoded(decoder, frame(b"last")) == [*payloads, b"last"]


def test_buffer_of_the_reader_may_be_used_again() -> None:
    decoder, buffer = FrameDecoder(LIMIT), bytearray(frame(b"abc") + frame(b"def"))
    decoder.receive_data(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert decoder.next_frame() == b"abc"
    assert decoder.next_frame() == b"def"


@pytest.mark.sentence("P-3", "P-4")
def test_length_over_the_limit_is_refused_with_the_header_alone() -> None:
    decoder = FrameDecoder(10)
    decoder.receive_data(b"\x00\x00\x00\x0b")
    with pytest.raises(FrameTooLargeError) as caught:
        decoder.next_frame()
    assert caught.value.details == {"size": 11, "limit": 10}


@pytest.mark.sentence("P-3")
def test_length_at_the_limit_is_accepted() -> None:
    assert decoded(FrameDecoder(10), frame(b"0123456789")) == [b"0123456789"]


def test_nothing_comes_after_the_framing_is_lost() -> None:
    decoder = FrameDecoder(10)
    decoder.receive_data(b"\xff\xff\xff\xff")
    with pytest.raises(FrameTooLargeError):
        decoder.next_frame()
    assert decoder.exhausted
    assert decoded(decoder, frame(b"abc"), b"") == []


@pytest.mark.sentence("P-4")
def test_memory_grows_by_what_arrived_and_not_by_what_was_announced() -> None:
    decoder = FrameDecoder(64 << 20)
    tracemalloc.start()
    try:
        decoder.receive_data((64 << 20).to_bytes(4, "big") + b"x" * 1000)
        assert decoder.next_frame() is None
        decoder.receive_data(b"x" * 1000)
        assert decoder.next_frame() is None
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.sentence("P-4")
def test_large_frame_in_small_reads_is_held_once() -> None:
    reads = pieces(frame(b"x" * (16 << 20)), 65536)
    decoder = FrameDecoder(64 << 20)
    tracemalloc.start()
    try:
        (payload,) = (payload for data in reads if (payload := fed(decoder, data)) is not None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(payload) == 16 << 20
    assert peak < 24 << 20


def fed(decoder: FrameDecoder, data: bytes) -> bytes | bytearray | None:
    decoder.receive_data(data)
    return decoder.next_frame()


@pytest.mark.sentence("P-6")
@pytest.mark.parametrize("held", range(1, 7))
def test_input_that_ends_in_a_frame_is_an_error_once(held: int) -> None:
    decoder = FrameDecoder(LIMIT)
    assert decoded(decoder, frame(b"abc") + frame(b"def")[:held]) == [b"abc"]
    decoder.receive_data(b"")
    with pytest.raises(TruncatedFrameError) as caught:
        decoder.next_frame()
    assert caught.value.details == {"received": held}
    assert decoder.next_frame() is None
    assert decoder.exhausted


@pytest.mark.sentence("P-6")
def test_frames_before_the_end_are_all_delivered() -> None:
    decoder = FrameDecoder(LIMIT)
    decoder.receive_data(frame(b"a") + frame(b"b"))
    decoder.receive_data(b"")
    assert not decoder.exhausted
    assert [decoder.next_frame(), decoder.next_frame(), decoder.next_frame()] == [b"a", b"b", None]
    assert decoder.exhausted
