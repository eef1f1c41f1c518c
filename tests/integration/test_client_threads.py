"""One Bridge serves many threads, and each gets its own answers."""

from __future__ import annotations

import concurrent.futures as cf
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from bridges import WIRES, at_once, opened
from peer import PATIENCE

from bridge_core import Bridge
from bridge_core.errors import BridgeError, CallTimeoutError

THREADS = 16


@pytest.fixture(scope="module", params=WIRES[:2], ids="+".join)
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with opened(request.param) as running:
        yield running


@attrs.define
class Caller:
    """A thread that makes calls of all kinds, and checks each answer."""

    bridge: Bridge
    number: int
    calls: int
    hasty: bool = False
    counts: Counter[str] = attrs.field(factory=Counter)

    def work(self) -> Counter[str]:
        """Make the calls and count their outcomes; a wrong one is raised."""
        chance = random.Random(self.number)
        kinds: list[Callable[[Any, dict[str, float]], Any]] = [
            self._run, self._run, self._submit, self._stream, self._batch, self._wait, self._callback, self._leave,
        ]  # fmt: skip
        for turn in range(self.calls):
            token = [self.number, turn, "x" * chance.choice([0, 10, 5000])]
            in_time = {"timeout": chance.choice([1e-4, 1e-3, 5e-3])} if self.hasty and chance.random() < 0.3 else {}
            try:
                got = chance.choice(kinds)(token, in_time)
            except CallTimeoutError:
                assert in_time, "nobody was in a hurry"
                self.counts["late"] += 1
            else:
                assert got == token, (got, token)
                self.counts["answered"] += 1
        return self.counts

    def _run(self, token: Any, in_time: dict[str, float]) -> Any:
        return self.bridge.run("echo", {"value": token}, **in_time)

    def _submit(self, token: Any, in_time: dict[str, float]) -> Any:
        return self.bridge.submit("echo_thread", {"value": token}, **in_time).result(PATIENCE)

    def _wait(self, token: Any, in_time: dict[str, float]) -> Any:
        futures = [self.bridge.submit("echo", {"value": token}, **in_time) for _ in range(3)]
        done, late = cf.wait(futures, PATIENCE)
        assert not late
        (got,) = {str(future.result()): future.result() for future in done}.values()
        return got

    def _callback(self, token: Any, in_time: dict[str, float]) -> Any:
        called = threading.Event()
        future = self.bridge.submit("echo", {"value": token}, **in_time)
        future.add_done_callback(lambda _: called.set())
        assert called.wait(PATIENCE)
        return future.result(0)

    def _stream(self, token: Any, in_time: dict[str, float]) -> Any:
        with self.bridge.stream("count_thread", {"to": token[1] % 7}, **in_time) as stream:
            assert [*stream] == [*range(token[1] % 7)]
            return token

    def _batch(self, token: Any, in_time: dict[str, float]) -> Any:
        outcomes = self.bridge.batch([("echo", {"value": [token, part]}) for part in range(3)], **in_time)
        for part, outcome in enumerate(outcomes):
            if isinstance(outcome, BridgeError):
                raise outcome
            assert outcome == [token, part]
        return token

    def _leave(self, token: Any, in_time: dict[str, float]) -> Any:
        """Cancel or leave what was asked for, then ask again."""
        self.bridge.submit("echo_thread", {"value": token}).cancel()
        with self.bridge.stream("count_thread", {"to": 3}) as stream:
            next(stream)
        return self._run(token, in_time)


@pytest.mark.parametrize("hasty", [False, True], ids=["patient", "hasty"])
def test_threads_that_call_in_all_ways_get_their_own_answers(bridge: Bridge, hasty: bool) -> None:
    callers = [Caller(bridge, number, 100, hasty) for number in range(THREADS)]
    counts = at_once(*[caller.work for caller in callers])
    assert [error for error in counts if isinstance(error, BaseException)] == []
    assert sum(counts, Counter()).total() == THREADS * 100
    left = (bridge.run("get_stats")["in_flight"] for _ in range(10_000))  # what was cancelled may still run
    assert next((number for number in left if number == 1), None), "a call is open that nobody waits for"
    assert hasty or not sum(counts, Counter())["late"]


def test_threads_of_a_pool_share_a_bridge(bridge: Bridge) -> None:
    with cf.ThreadPoolExecutor(THREADS) as pool:
        runs = pool.map(lambda value: bridge.run("echo", value=value), range(2000))
        assert [*runs] == [*range(2000)]


def test_calls_of_threads_overlap(bridge: Bridge) -> None:
    assert at_once(*[lambda: bridge.run("meet_async", timeout=PATIENCE)] * 32) == [32] * 32


def test_first_calls_of_many_threads_start_one_worker() -> None:
    bridges = []
    with opened() as bridge:
        bridges.append(bridge.pids())
        bridge.submit("end", how="3").exception()
        pids = at_once(*[lambda: bridge.run("own_pid")] * THREADS)
    assert len({*pids}) == 1
