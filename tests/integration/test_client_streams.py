"""Chunks come as the worker yields them, and the result after the last."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from bridges import WIRES, at_once, opened

from bridge_core import Bridge
from bridge_core.errors import (
    BridgeError,
    CallCancelledError,
    HandlerRaisedError,
    InvalidArgumentsError,
    StreamingUnsupportedError,
)


@pytest.fixture(scope="module", params=WIRES, ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


@pytest.mark.capability("I09")
@pytest.mark.parametrize("place", ["main", "thread"])
def test_stream_has_the_result_after_its_end(bridge: Bridge, place: str) -> None:
    stream = bridge.stream(f"probe.count_{place}", to=100)
    assert next(stream) == 0
    assert stream.result is None
    assert [*stream] == [*range(1, 100)]
    assert stream.result == {"counted": 100}
    assert [*stream] == []


@pytest.mark.capability("I09", "I10")
@pytest.mark.parametrize("operation", ["count_async", "count_awaited"])
def test_stream_may_come_from_an_event_loop(bridge: Bridge, operation: str) -> None:
    stream = bridge.stream(operation, to=10)
    assert [*stream] == [*range(10)]
    assert stream.result is None


def test_stream_without_chunks_has_a_result(bridge: Bridge) -> None:
    stream = bridge.stream("silent")
    assert [*stream] == []
    assert stream.result == "nothing to say"


@pytest.mark.parametrize("operation", ["break_off", "break_off_async"])
def test_error_in_the_middle_comes_after_the_chunks_before_it(bridge: Bridge, operation: str) -> None:
    stream = bridge.stream(operation)
    assert next(stream) == 0
    for _ in range(2):
        with pytest.raises(HandlerRaisedError):
            next(stream)
    assert stream.result is None


def test_error_at_the_beginning_comes_with_the_first_chunk(bridge: Bridge) -> None:
    for operation, kind in (("echo", StreamingUnsupportedError), ("count_main", InvalidArgumentsError)):
        stream = bridge.stream(operation, value=1)
        with pytest.raises(kind):
            next(stream)


def test_operation_that_streams_may_be_run(bridge: Bridge) -> None:
    assert bridge.run("count_main", to=3) == {"counted": 3}
    assert bridge.submit("squares").result() == [0, 1, 4]


def test_stream_that_is_left_early_disturbs_nobody(bridge: Bridge) -> None:
    with bridge.stream("hang_on") as left:
        assert next(left) == "first"
    left.close()
    with pytest.raises(CallCancelledError):
        next(left)
    for chunk in bridge.stream("count_thread", to=1000):
        assert chunk == 0
        break
    assert bridge.run("echo", value=1) == 1
    assert sum(1 for _ in bridge.stream("count_main", to=10)) == 10


def test_streams_may_be_interleaved(bridge: Bridge) -> None:
    streams = [bridge.stream("count_thread", to=number) for number in range(1, 20)]
    assert bridge.run("echo", value=1) == 1
    rows = [*itertools.zip_longest(*streams)]
    assert [*zip(*rows, strict=True)] == [tuple([*range(number)] + [None] * (19 - number)) for number in range(1, 20)]
    assert [stream.result for stream in streams] == [{"counted": number} for number in range(1, 20)]


def test_stream_may_be_used_between_calls(bridge: Bridge) -> None:
    stream = bridge.stream("count_main", to=50)
    assert [(chunk, bridge.run("echo", value=chunk)) for chunk in stream] == [(one, one) for one in range(50)]


def test_streams_of_several_threads_do_not_mix(bridge: Bridge) -> None:
    def read(size: int) -> Any:
        stream = bridge.stream("blocks", count=20, size=size)
        return [len(chunk) for chunk in stream], stream.result

    results = at_once(*[partial(read, size) for size in range(1, 17)])
    assert results == [([size] * 20, 20) for size in range(1, 17)]


def test_chunk_that_cannot_be_sent_ends_the_stream(bridge: Bridge) -> None:
    stream = bridge.stream("odd", name="client")
    assert next(stream) == "good"
    with pytest.raises(BridgeError) as raised:
        next(stream)
    assert raised.value.reason == "SERIALIZE_FAILED"


def test_large_chunks_come_whole(bridge: Bridge) -> None:
    assert [len(chunk) for chunk in bridge.stream("blocks", count=5, size=1 << 20)] == [1 << 20] * 5
