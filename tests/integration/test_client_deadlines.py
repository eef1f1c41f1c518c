"""A deadline holds for all of a call, wherever its time goes."""

from __future__ import annotations

import asyncio
import concurrent.futures as cf
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, at_once, opened, probe
from peer import PATIENCE

from bridge_core import AsyncBridge, Bridge
from bridge_core.errors import CallTimeoutError, InvalidArgumentsError

SOON = 0.05
_names = map("deadline {}".format, itertools.count())


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


@contextmanager
def led(bridge: Bridge) -> Iterator[None]:
    """Have another thread wait for an answer, and so read, meanwhile."""
    name = next(_names)
    with cf.ThreadPoolExecutor(1) as pool:
        leading = pool.submit(bridge.run, "probe.wait_thread", name=name)
        assert bridge.run("probe.reached", name=name)
        try:
            yield
        finally:
            bridge.run("probe.release", name=name)
        assert leading.result(PATIENCE) == name


def starting(folder: Path) -> dict[str, Any]:
    """Return settings of a worker that does not get ready before `go_on` is called."""
    os.mkfifo(folder / "starting")
    return {"probe": probe(environment={"PROBE_STARTING": str(folder / "starting")})}


def go_on(folder: Path) -> None:
    assert (folder / "starting").read_text() == "starting"
    (folder / "starting").write_text("go on")


@pytest.mark.parametrize("operation", ["wait_thread", "wait_async"])
def test_call_that_takes_too_long_fails(bridge: Bridge, operation: str) -> None:
    for ask in (bridge.run, lambda *args, **more: bridge.submit(*args, **more).result()):
        with pytest.raises(CallTimeoutError):
            ask(operation, name=next(_names), timeout=SOON)
    assert bridge.run("echo", value=1, timeout=PATIENCE) == 1


def test_future_that_nobody_asks_fails_too(bridge: Bridge) -> None:
    futures = [bridge.submit("wait_async", name=next(_names), timeout=SOON) for _ in range(10)]
    assert cf.wait(futures, PATIENCE).done == {*futures}
    assert {type(future.exception()) for future in futures} == {CallTimeoutError}


def test_stream_that_takes_too_long_fails_after_its_chunks(bridge: Bridge) -> None:
    stream = bridge.stream("hang_on", timeout=0.5)
    assert next(stream) == "first"
    with pytest.raises(CallTimeoutError):
        next(stream)


def test_batch_has_one_deadline_for_all_its_calls(bridge: Bridge) -> None:
    slow = ("wait_async", {"name": next(_names)})
    outcomes = bridge.batch([slow, ("echo", {"value": 1}), slow], timeout=0.5)
    assert [type(one) for one in outcomes] == [CallTimeoutError, int, CallTimeoutError]


def test_deadline_holds_while_another_thread_reads(bridge: Bridge) -> None:
    with led(bridge):
        results = at_once(*[lambda: bridge.run("wait_async", name=next(_names), timeout=SOON)] * 4)
        assert {type(one) for one in results} == {CallTimeoutError}
        futures = [bridge.submit("wait_async", name=next(_names), timeout=SOON) for _ in range(4)]
        assert cf.wait(futures, PATIENCE).done == {*futures}
        with pytest.raises(CallTimeoutError):
            [*bridge.stream("hang_on", timeout=SOON)]


def test_handler_knows_of_the_deadline(bridge: Bridge) -> None:
    assert bridge.run("due", timeout=PATIENCE)["has_deadline"]
    assert not bridge.run("due")["has_deadline"]


@pytest.mark.parametrize("timeout", [1e7, 1e15, float("inf")])
def test_deadline_may_be_as_far_as_one_likes(bridge: Bridge, timeout: float) -> None:
    assert bridge.run("echo", value=1, timeout=timeout) == 1
    assert bridge.submit("echo_thread", value=1, timeout=timeout).result(timeout) == 1
    with led(bridge):
        assert bridge.run("echo_thread", value=1, timeout=timeout) == 1


@pytest.mark.parametrize("timeout", [0, -1, -1e15, float("-inf")])
def test_deadline_that_is_over_fails_without_sending(bridge: Bridge, timeout: float) -> None:
    before = bridge.run("ping")["requests_handled"]
    for ask in (bridge.run, bridge.submit, bridge.stream):
        with pytest.raises(CallTimeoutError):
            ask("echo", value=1, timeout=timeout)
    assert bridge.run("ping")["requests_handled"] == before + 1


def test_deadline_that_is_no_number_is_refused(bridge: Bridge) -> None:
    with pytest.raises(InvalidArgumentsError):
        bridge.run("echo", value=1, timeout=float("nan"))


def test_deadline_holds_while_the_worker_starts(tmp_path: Path) -> None:
    with Bridge(starting(tmp_path)) as bridge:
        asks = [
            lambda: bridge.run("echo", value=1, timeout=SOON),
            lambda: bridge.submit("echo", value=1, timeout=SOON),
            lambda: bridge.stream("echo", value=1, timeout=SOON),
            lambda: bridge.start(timeout=SOON),
            lambda: bridge.info(timeout=SOON),
        ]
        assert [type(one) for one in at_once(*asks)] == [CallTimeoutError] * 5
        (outcome,) = bridge.batch([("echo", {"value": 1})], timeout=SOON)
        assert type(outcome) is CallTimeoutError
        assert bridge.pids() == {}
        go_on(tmp_path)


def test_worker_goes_on_starting_for_those_who_come_later(tmp_path: Path) -> None:
    with Bridge(starting(tmp_path)) as bridge:
        with pytest.raises(CallTimeoutError):
            bridge.start(timeout=SOON)
        go_on(tmp_path)
        assert bridge.run("echo", value=1) == 1  # a second worker would wait at the fifo


def test_deadline_holds_for_tasks() -> None:
    async def main() -> list[Any]:
        async with AsyncBridge({"probe": probe()}) as bridge:
            await bridge.run("ping")
            stream = bridge.stream("hang_on", timeout=0.5)
            assert await anext(stream) == "first"
            waits = [
                bridge.run("wait_async", name="d", timeout=SOON),
                bridge.submit("wait_async", name="d", timeout=SOON),
                anext(stream),
            ]
            outcomes = await asyncio.gather(*waits, return_exceptions=True)
            outcomes += await bridge.batch([("wait_async", {"name": "d"})], timeout=SOON)
            assert await bridge.run("echo", value=1, timeout=float("inf")) == 1
            return outcomes

    assert [type(one) for one in asyncio.run(main())] == [CallTimeoutError] * 4


def test_deadline_holds_for_tasks_while_the_worker_starts(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        async with AsyncBridge(starting(tmp_path)) as bridge:
            runs = [bridge.run("echo", value=1, timeout=SOON) for _ in range(50)]
            outcomes = await asyncio.gather(*runs, return_exceptions=True)
            await asyncio.to_thread(go_on, tmp_path)
            return outcomes

    assert [type(one) for one in asyncio.run(main())] == [CallTimeoutError] * 50
