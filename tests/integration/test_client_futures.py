"""A submitted call is a future as the standard library knows them."""

from __future__ import annotations

import asyncio
import concurrent.futures as cf
import itertools
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, at_once, opened
from peer import PATIENCE

from bridge_core import Bridge
from bridge_core.errors import HandlerRaisedError
from guards import BOUND

_names = map("future {}".format, itertools.count())


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


def waiting(bridge: Bridge) -> tuple[str, cf.Future[Any]]:
    """Submit a call that runs until it is released."""
    name = next(_names)
    future = bridge.submit("probe.wait_thread", name=name)
    assert bridge.run("probe.reached", name=name)
    return name, future


def test_future_has_the_result(bridge: Bridge) -> None:
    future = bridge.submit("echo", value=1)
    assert isinstance(future, cf.Future)
    assert future.result(PATIENCE) == 1
    assert future.exception() is None
    assert (future.done(), future.cancelled(), future.running()) == (True, False, False)
    assert future.result() == 1


def test_future_has_the_error(bridge: Bridge) -> None:
    future = bridge.submit("probe.fail", how="value")
    assert isinstance(future.exception(), HandlerRaisedError)
    with pytest.raises(HandlerRaisedError):
        future.result()


def test_wait_returns_when_all_are_done(bridge: Bridge) -> None:
    futures = [bridge.submit("probe.echo_thread", value=number) for number in range(50)]
    done, open_ones = cf.wait(futures, PATIENCE)
    assert (done, open_ones) == (set(futures), set())
    assert [future.result() for future in futures] == [*range(50)]


def test_wait_returns_when_the_first_is_done(bridge: Bridge) -> None:
    name, slow = waiting(bridge)
    quick = bridge.submit("probe.echo_thread", value=1)
    done, open_ones = cf.wait([slow, quick], PATIENCE, cf.FIRST_COMPLETED)
    assert (done, open_ones) == ({quick}, {slow})
    bridge.run("probe.release", name=name)
    assert cf.wait([slow], PATIENCE).done == {slow}


def test_as_completed_yields_each(bridge: Bridge) -> None:
    futures = [bridge.submit("probe.echo_thread", value=number) for number in range(50)]
    assert sorted(future.result() for future in cf.as_completed(futures, PATIENCE)) == [*range(50)]


def test_future_can_be_awaited(bridge: Bridge) -> None:
    async def main() -> list[Any]:
        futures = [asyncio.wrap_future(bridge.submit("probe.echo_thread", value=number)) for number in range(50)]
        return await asyncio.wait_for(asyncio.gather(*futures), PATIENCE)

    assert asyncio.run(main()) == [*range(50)]


def test_awaited_future_that_is_cancelled_forgets_the_call(bridge: Bridge) -> None:
    name, future = waiting(bridge)

    async def main() -> None:
        wrapped = asyncio.wrap_future(future)
        wrapped.cancel()
        await asyncio.gather(wrapped, return_exceptions=True)

    asyncio.run(main())
    assert future.cancelled()
    bridge.run("probe.release", name=name)


def test_result_that_does_not_come_in_time_comes_later(bridge: Bridge) -> None:
    name, future = waiting(bridge)
    for ask in (future.result, future.exception):
        with pytest.raises(cf.TimeoutError):
            ask(0.01)
    bridge.run("probe.release", name=name)
    assert future.result(float("inf")) == name


def test_result_is_there_for_every_thread_that_waits(bridge: Bridge) -> None:
    name, future = waiting(bridge)

    def release() -> None:
        bridge.run("probe.release", name=name)

    results = at_once(*[lambda: future.result(PATIENCE)] * 8, release)
    assert results == [name] * 8 + [None]


def test_future_is_the_same_for_all_who_look_at_it_while_it_finishes(bridge: Bridge) -> None:
    for number in range(200):
        future = bridge.submit("echo", value=number)
        told: queue.Queue[Any] = queue.Queue()
        looks = [
            lambda future=future: future.result(PATIENCE),
            lambda future=future: next(cf.as_completed([future], PATIENCE)).result(PATIENCE),
            lambda future=future: cf.wait([future], PATIENCE).done.pop().result(0),
            lambda future=future, told=told: [future.add_done_callback(told.put), told.get(timeout=PATIENCE)][1].result(
                0
            ),
        ]
        assert at_once(*looks[number % 2 :]) == [number] * len(looks[number % 2 :])


def test_callback_is_called_although_no_thread_waits(bridge: Bridge) -> None:
    called = threading.Event()
    bridge.submit("probe.echo_thread", value=1).add_done_callback(lambda _: called.set())
    assert called.wait(PATIENCE)


def test_callback_of_a_finished_future_is_called_at_once(bridge: Bridge) -> None:
    future = bridge.submit("echo", value=1)
    future.result(PATIENCE)
    seen: list[Any] = []
    future.add_done_callback(seen.append)
    assert seen == [future]


def test_callbacks_may_ask_their_own_futures_however_many_there_are(bridge: Bridge) -> None:
    told: queue.Queue[Any] = queue.Queue()
    futures = [bridge.submit("echo", value=number) for number in range(3000)]
    for future in futures:
        future.add_done_callback(lambda done: told.put(done.result()))
    assert sorted(told.get(timeout=PATIENCE) for _ in futures) == [*range(3000)]


def test_callback_may_run_and_submit_and_wait(bridge: Bridge) -> None:
    seen: cf.Future[Any] = cf.Future()

    def call(future: cf.Future[Any]) -> None:
        other = bridge.submit("probe.echo_thread", value=future.result() + 1)
        seen.set_result([bridge.run("echo", value=future.result()), other.result(), [*bridge.stream("squares")]])

    bridge.submit("probe.echo_thread", value=1).add_done_callback(call)
    assert seen.result(PATIENCE) == [1, 2, [0, 1, 4]]


def test_callback_may_wait_for_what_came_together_with_its_own(bridge: Bridge, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    name, gate = waiting(bridge)
    futures: list[cf.Future[Any]] = []
    seen: queue.Queue[Any] = queue.Queue()
    reading = threading.Event()

    def read_both_at_once(_: object) -> None:
        reading.set()
        assert fifo.read_text() == "told"
        seen.put(futures[0].result(PATIENCE))

    gate.add_done_callback(read_both_at_once)
    bridge.submit("release", name=name)
    assert reading.wait(PATIENCE)
    futures += [bridge.submit("echo", value=number) for number in range(2)]
    futures[0].add_done_callback(lambda _: seen.put(futures[1].result(PATIENCE)))
    bridge.submit("tell", fifo=str(fifo))
    assert [seen.get(timeout=2 * PATIENCE) for _ in range(2)] == [1, 0]


def test_callback_may_run_while_another_thread_waits_for_something_else(bridge: Bridge) -> None:
    name, future = waiting(bridge)
    first = bridge.submit("probe.echo_thread", value=1)
    first.add_done_callback(lambda _: bridge.run("probe.release", name=name))
    assert future.result(PATIENCE) == name


def test_callbacks_may_submit_a_chain(bridge: Bridge) -> None:
    last: cf.Future[Any] = cf.Future()

    def next_one(future: cf.Future[Any]) -> None:
        count = future.result()
        if count == 200:
            last.set_result(count)
        else:
            bridge.submit("echo", value=count + 1).add_done_callback(next_one)

    bridge.submit("echo", value=0).add_done_callback(next_one)
    assert last.result(PATIENCE) == 200


def test_cancelled_future_is_forgotten_and_the_worker_goes_on(bridge: Bridge) -> None:
    name, future = waiting(bridge)
    assert future.cancel()
    assert future.cancel()
    assert future.cancelled()
    for ask in (future.result, future.exception):
        with pytest.raises(cf.CancelledError):
            ask()
    assert cf.wait([future], BOUND).done == {future}
    bridge.run("probe.release", name=name)
    assert bridge.run("echo", value=1) == 1


def test_finished_future_cannot_be_cancelled(bridge: Bridge) -> None:
    future = bridge.submit("echo", value=1)
    assert future.result(PATIENCE) == 1
    assert not future.cancel()
    assert future.result() == 1


def test_cancelling_wakes_who_waits_for_the_result(bridge: Bridge) -> None:
    name, future = waiting(bridge)
    kept, other = waiting(bridge)
    waits = threading.Barrier(4)

    def wait() -> Any:
        waits.wait(PATIENCE)
        return future.result(PATIENCE)

    def cancel() -> Any:
        waits.wait(PATIENCE)
        while not future.cancel():
            pass
        return bridge.run("probe.release", name=kept)

    results = at_once(wait, wait, cancel, lambda: (waits.wait(PATIENCE), other.result(PATIENCE))[1])
    assert [type(one) for one in results] == [cf.CancelledError, cf.CancelledError, type(None), str]
    bridge.run("probe.release", name=name)
