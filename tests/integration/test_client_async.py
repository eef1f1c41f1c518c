"""The same verbs for tasks of an event loop."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bridges import WIRES, Wire, probe
from peer import PATIENCE, ends

from bridge_core import AsyncBridge, AsyncRef, Step
from bridge_core.errors import (
    BridgeError,
    FrameworkNotFoundError,
    HandlerRaisedError,
    InvalidArgumentsError,
    RefLostError,
    RefNotFoundError,
    RemoteError,
    SessionNotFoundError,
    TransportClosedError,
    WorkerCrashedError,
)


def with_bridge(test: Callable[[AsyncBridge], Awaitable[None]]) -> Callable[..., None]:
    """Run a test in an event loop with a Bridge, over two wires."""

    async def main(wire: Wire) -> None:
        async with AsyncBridge({"probe": probe(wire)}, policy={"allow": ["json", "probe_things"]}) as bridge:
            await asyncio.wait_for(test(bridge), 2 * PATIENCE)

    @pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)
    @functools.wraps(test)
    def run(wire: Wire) -> None:
        asyncio.run(main(wire))

    del run.__wrapped__  # or else pytest looks for a fixture named as its parameter
    return run


@with_bridge
async def test_verbs_are_awaited(bridge: AsyncBridge) -> None:
    assert await bridge.run("probe.echo", value=1) == 1
    assert await bridge.run("echo", {"value": 2}) == 2
    assert await bridge.submit("echo_async", value=3) == 3
    assert (await bridge.configure("probe", mode="fast"))["config"] == {"mode": "fast"}
    assert (await bridge.run("due"))["settings"] == {"mode": "fast"}
    assert (await bridge.info())["framework"] == "probe"
    assert set(bridge.pids()) == {"probe"}


@with_bridge
@pytest.mark.capability("E16", "I01", "I02", "I03")
async def test_dynamic_verbs_are_awaited(bridge: AsyncBridge) -> None:
    async with bridge.session() as session:
        made = await session.call("probe_things.Thing", 1, store_as="thing")
        assert type(made) is AsyncRef
        assert await (await made.call("add", 2, times=3)).attribute("size") == 7
        await made.set("size", {"$a": [2]})
        assert await made.value("size", "$a", 0) == 2
        assert (await made.describe())["type"] == "probe_things.Thing"
        assert await session.call("json.dumps", [{"$ref": 1}, made.item("size")]) == '[{"$ref": 1}, {"$a": [2]}]'
        kept = await session.store("kept", [1, 2])
        assert (await session.retrieve("kept"), await kept.value(1), await session.ref("kept").value(0)) == (
            [1, 2],
            2,
            1,
        )
        first = Step("json.loads", "[1]")
        assert await session.pipeline([first, Step("json.dumps", first.item(0))]) == [[1], "1"]
        await session.set_attribute("stored.thing.size", 5)
        assert (await session.inspect("stored.thing"))["type"] == "probe_things.Thing"
        await session.delete_stored("kept")
        await made.release()
        await made.release()
        assert len(await session.list_stored()) == 1
        await session.clear_session()
        assert await session.list_stored() == []
        with pytest.raises(RefNotFoundError):
            await made.value()
        with pytest.raises(InvalidArgumentsError):
            await bridge.call("json.dumps", kept)
    with pytest.raises(SessionNotFoundError):
        await session.call("json.dumps", 1)


@with_bridge
async def test_dynamic_calls_after_a_death_are_of_another_worker(bridge: AsyncBridge) -> None:
    made = await bridge.call("probe_things.Thing", 1)
    with pytest.raises(WorkerCrashedError):
        await bridge.session().run("end", how="SIGKILL")
    assert await bridge.call("json.dumps", 1) == "1"
    for use in (made.value, made.call, made.describe):
        with pytest.raises(RefLostError):
            await use()


@with_bridge
async def test_many_tasks_share_a_bridge(bridge: AsyncBridge) -> None:
    operations = ["echo", "echo_thread", "echo_async"] * 1000
    runs = [bridge.run(operation, value=number) for number, operation in enumerate(operations)]
    assert await asyncio.gather(*runs) == [*range(3000)]


@with_bridge
async def test_calls_of_tasks_overlap(bridge: AsyncBridge) -> None:
    assert await asyncio.gather(*(bridge.run("meet_async") for _ in range(32))) == [32] * 32


@with_bridge
async def test_loop_goes_on_while_the_worker_works_and_starts(bridge: AsyncBridge) -> None:
    waiting = bridge.submit("wait_async", name="a")
    turns = 0
    while not (reached := bridge.submit("reached", name="a")).done() and turns < 3:
        await asyncio.sleep(0)
        turns += 1
    assert turns == 3  # the worker was not even started then
    assert await reached
    await bridge.run("release", name="a")
    assert await waiting == "a"


@with_bridge
async def test_errors_are_typed(bridge: AsyncBridge) -> None:
    for operation, arguments, kind in (
        ("fail", {"how": "value"}, HandlerRaisedError),
        ("fail", {"how": "typed"}, RemoteError),
        ("echo", {"value": object()}, InvalidArgumentsError),
        ("nobody.echo", {}, FrameworkNotFoundError),
    ):
        with pytest.raises(kind):
            await bridge.run(operation, arguments)
        with pytest.raises(kind):
            await bridge.submit(operation, arguments)
        (outcome,) = await bridge.batch([(operation, arguments)])
        assert type(outcome) is kind
    with pytest.raises(InvalidArgumentsError):
        await bridge.run("echo", {"value": 1}, value=2)


@with_bridge
async def test_batch_has_results_and_errors_in_order(bridge: AsyncBridge) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [("echo", {"value": number}) for number in range(100)]
    calls[7] = ("fail", {"how": "value"})
    outcomes = await bridge.batch(calls)
    assert isinstance(outcomes.pop(7), HandlerRaisedError)
    assert outcomes == [number for number in range(100) if number != 7]


@with_bridge
async def test_stream_is_iterated(bridge: AsyncBridge) -> None:
    stream = bridge.stream("count_thread", to=100)
    assert [chunk async for chunk in stream] == [*range(100)]
    assert stream.result == {"counted": 100}
    async with bridge.stream("count_main", to=1000) as left:
        assert await anext(left) == 0
    broken = bridge.stream("break_off_async")
    assert await anext(broken) == 0
    with pytest.raises(HandlerRaisedError):
        await anext(broken)
    never = bridge.stream("count_main", to=3)
    await never.aclose()


@with_bridge
async def test_streams_of_tasks_do_not_mix(bridge: AsyncBridge) -> None:
    async def read(size: int) -> list[int]:
        return [len(chunk) async for chunk in bridge.stream("blocks_async", count=20, size=size)]

    assert await asyncio.gather(*map(read, range(1, 33))) == [[size] * 20 for size in range(1, 33)]


@with_bridge
async def test_sessions_are_apart(bridge: AsyncBridge) -> None:
    async with bridge.session() as one, bridge.session("two") as two:
        assert two.id == "two"
        await asyncio.gather(one.run("put", value=1, id="x"), two.run("put", value=2, id="x"))
        assert await asyncio.gather(one.run("get", id="x"), two.run("get", id="x")) == [1, 2]
    with pytest.raises(BridgeError) as raised:
        await one.run("get", id="x")
    assert raised.value.reason == "SESSION_NOT_FOUND"


@with_bridge
async def test_cancelled_task_forgets_its_call_and_disturbs_nobody(bridge: AsyncBridge) -> None:
    name = "cancelled"
    tasks = [bridge.submit("wait_async", name=name) for _ in range(50)]
    assert await bridge.run("reached", name=name)
    for task in tasks[::2]:
        task.cancel()
    outcomes = asyncio.gather(*tasks, return_exceptions=True)
    await bridge.run("release", name=name)
    assert [*map(type, await outcomes)] == [asyncio.CancelledError, str] * 25
    assert await bridge.run("echo", value=1) == 1


@with_bridge
async def test_task_may_be_cancelled_while_the_worker_starts(bridge: AsyncBridge) -> None:
    task = bridge.submit("echo", value=1)
    await asyncio.sleep(0)
    task.cancel()
    assert [type(one) for one in await asyncio.gather(task, return_exceptions=True)] == [asyncio.CancelledError]
    assert await bridge.run("echo", value=2) == 2


@with_bridge
async def test_closing_ends_calls_that_are_open(bridge: AsyncBridge) -> None:
    tasks = [bridge.submit("swallow_thread", name="a"), bridge.submit("wait_async", name="b")]
    stream = bridge.stream("hang_on")
    assert await anext(stream) == "first"
    assert await bridge.batch([("reached", {"name": name}) for name in "ab"]) == [True, True]
    worker = os.pidfd_open(await bridge.run("own_pid"))
    outcomes = asyncio.gather(*tasks, anext(stream), return_exceptions=True)
    await asyncio.sleep(0)
    await asyncio.gather(bridge.close(), bridge.close())
    assert all(isinstance(outcome, BridgeError) for outcome in await outcomes)
    assert await asyncio.to_thread(ends, worker)
    os.close(worker)
    with pytest.raises(TransportClosedError):
        await bridge.run("echo", value=1)


@with_bridge
async def test_dead_worker_is_replaced(bridge: AsyncBridge) -> None:
    await bridge.run("put", value=1, id="x")
    await bridge.configure("probe", mode="fast")
    waiting = bridge.submit("wait_async", name="a")
    assert await bridge.run("reached", name="a")
    outcomes = await asyncio.gather(bridge.run("end", how="3"), waiting, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, WorkerCrashedError)
        assert outcome.details["exit_code"] == 3
    assert (await bridge.run("due"))["settings"] == {"mode": "fast"}
    with pytest.raises(BridgeError) as raised:
        await bridge.run("get", id="x")
    assert raised.value.reason == "REF_LOST"


def test_bridge_may_be_used_from_one_loop_after_another() -> None:
    bridge = AsyncBridge({"probe": probe()})

    async def call() -> Any:
        return await bridge.run("echo", value=1)

    assert asyncio.run(call()) == asyncio.run(call()) == 1
    asyncio.run(bridge.close())


def test_loop_may_end_with_calls_open() -> None:
    bridge = AsyncBridge({"probe": probe()})

    async def leave() -> None:
        bridge.submit("wait_async", name="a")
        assert await bridge.run("reached", name="a")

    async def go_on() -> Any:
        await bridge.run("release", name="a")
        outcome = await bridge.run("echo", value=1)
        await bridge.close()
        return outcome

    asyncio.run(leave())
    assert asyncio.run(go_on()) == 1
