"""A client that sends and sends before it reads anything gets all its answers."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bridges import WIRES, Wire, at_once, opened, probe
from peer import PATIENCE

from bridge_core import AsyncBridge, Bridge
from bridge_core.errors import TooManyInFlightError

over_wires = pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)

SIZES = [(20 * 1024, 1000), (1 << 20, 50)]
OPERATIONS = ["probe.echo", "probe.echo_thread", "probe.echo_async"]


def texts(size: int, count: int) -> list[str]:
    """Return texts of one size that differ."""
    return [f"{number:08}" * (size // 8) for number in range(count)]


@over_wires
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_many_calls_are_submitted_before_a_result_is_read(wire: Wire, operation: str, size: int, count: int) -> None:
    sent = texts(size, count)
    with opened(wire) as bridge:
        futures = [bridge.submit(operation, value=text) for text in sent]
        assert all(future.result() == text for future, text in zip(futures, sent, strict=True))


@over_wires
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_batch_of_many_large_calls_is_answered(wire: Wire, size: int, count: int) -> None:
    sent = texts(size, count)
    with opened(wire) as bridge:
        assert bridge.batch([("probe.echo", {"value": text}) for text in sent]) == sent


def test_more_is_sent_and_answered_than_either_end_keeps() -> None:
    text = "x" * (1 << 20)
    with opened() as bridge:
        # A worker's own operations are answered by the thread that reads: what it says of itself, 70 MiB in all, fills
        # what it keeps, and it reads no more, before 80 MiB have been sent.
        size = len(msgspec.msgpack.encode(bridge.info()))
        told = [bridge.submit("get_capabilities") for _ in range((70 << 20) // size)]
        echoes = [bridge.submit("probe.echo", value=text) for _ in range(80)]
        assert all(future.result(3 * PATIENCE) == text for future in echoes)
        assert {future.result()["framework"] for future in told} == {"probe"}


@over_wires
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_several_threads_submit_before_they_read(wire: Wire, size: int, count: int) -> None:
    def work(bridge: Bridge, operation: str) -> bool:
        sent = texts(size, count // 4)
        futures = [bridge.submit(operation, value=text) for text in sent]
        return [future.result() for future in futures] == sent

    with opened(wire) as bridge:
        jobs = [partial(work, bridge, operation) for operation in OPERATIONS * 2]
        assert at_once(*jobs) == [True] * 6


@over_wires
@pytest.mark.parametrize(("size", "count"), SIZES)
def test_many_tasks_send_before_one_reads(wire: Wire, size: int, count: int) -> None:
    sent = texts(size, count)

    async def main() -> list[Any]:
        async with AsyncBridge({"probe": probe(wire)}) as bridge:
            operations = OPERATIONS * count
            return await asyncio.gather(*map(lambda one, text: bridge.run(one, value=text), operations, sent))

    assert asyncio.run(main()) == sent


def test_more_requests_than_may_be_open_are_refused_and_all_others_answered(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened() as bridge:
        held = [bridge.submit("wait", name="w"), bridge.submit("release_when", name="release w", fifo=str(fifo))]
        numbered = [bridge.submit("echo", value=number) for number in range(10_000 - len(held))]
        with pytest.raises(TooManyInFlightError):
            bridge.run("echo", value=-1)
        fifo.open("wb").close()
        assert [future.result(PATIENCE) for future in numbered] == [*range(len(numbered))]
        assert bridge.run("echo", value=-1) == -1
