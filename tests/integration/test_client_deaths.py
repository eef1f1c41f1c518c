"""A worker that dies fails exactly the calls in flight, says how it died, and is replaced by the next call."""

from __future__ import annotations

import concurrent.futures as cf
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, at_once, opened, probe
from peer import PATIENCE, ends

from bridge_core import Bridge
from bridge_core.errors import WorkerCrashedError

ENDS = [("3", 3, None), ("SIGKILL", None, "SIGKILL"), ("SIGSEGV", None, "SIGSEGV"), ("SIGABRT", None, "SIGABRT")]
BANNER = Path(__file__).parents[1] / "plugins_broken" / "banner"


@pytest.fixture(params=WIRES[:2], ids="+".join)
def wire(request: pytest.FixtureRequest) -> Any:
    return request.param


def kill(bridge: Bridge) -> None:
    """Kill the worker and return when all of it is gone."""
    pids = [bridge.run("own_pid"), bridge.pids()["probe"]]
    pidfds = [os.pidfd_open(pid) for pid in pids]
    os.kill(pids[0], signal.SIGKILL)
    assert all(ends(pidfd) for pidfd in pidfds)
    for pidfd in pidfds:
        os.close(pidfd)


@pytest.mark.capability("J11")
@pytest.mark.parametrize(("how", "exit_code", "signal_name"), ENDS, ids=[end[0] for end in ENDS])
def test_calls_in_flight_fail_with_how_it_died_and_the_next_call_works(
    wire: Wire, how: str, exit_code: int | None, signal_name: str | None
) -> None:
    with opened(wire) as bridge:
        before = bridge.pids()
        session = bridge.session()
        future = session.submit("wait_thread", name="a")
        stream = bridge.stream("hang_on")
        assert next(stream) == "first"
        assert bridge.run("reached", name="a")
        outcomes = at_once(lambda: bridge.run("end", how=how), lambda: next(stream), future.result)
        told = [(one.details["request"]["operation"], one.details["request"]["session_id"]) for one in outcomes]
        assert told == [("end", "anonymous"), ("hang_on", "anonymous"), ("wait_thread", session.id)]
        for error in outcomes:
            assert type(error) is WorkerCrashedError
            assert (error.code, error.retryable) == ("unavailable", True)
            assert (error.details["exit_code"], error.details["signal"]) == (exit_code, signal_name)
        assert len({one.details["request"]["id"] for one in outcomes}) == 3
        assert bridge.run("echo", value=1) == 1
        assert bridge.pids() != before


@pytest.mark.capability("J11")
@pytest.mark.parametrize("count", [0, 10, 200])
def test_error_has_the_last_lines_of_the_log(wire: Wire, count: int) -> None:
    lines: list[str] = []
    with opened(wire, on_stderr=lines.append) as bridge:
        bridge.run("mutter", count=count)
        with pytest.raises(WorkerCrashedError) as raised:
            bridge.run("end", how="3")
    stderr = raised.value.details["stderr"]
    assert isinstance(stderr, list)
    muttered = [f"line {number}" for number in range(count)]
    assert stderr[-count:] == muttered[-50:] if count else "line 0" not in stderr
    assert (len(stderr) == 50) == (count > 50)
    assert [line for line in lines if line.startswith("line ")] == muttered


def test_batch_fails_from_the_call_that_killed_the_worker_on(wire: Wire) -> None:
    with opened(wire) as bridge:
        calls: list[tuple[str, dict[str, Any]]] = [("echo", {"value": number}) for number in range(20)]
        calls[10] = ("end", {"how": "3"})
        outcomes = bridge.batch(calls)
        assert outcomes[:10] == [*range(10)]
        assert {type(one) for one in outcomes[10:]} == {WorkerCrashedError}
        assert bridge.batch(calls[:10]) == [*range(10)]


def test_worker_that_died_while_idle_is_replaced_without_a_word(wire: Wire) -> None:
    with opened(wire) as bridge:
        for _ in range(3):
            kill(bridge)
            assert bridge.pids() == {}
            assert bridge.run("echo", value=1) == 1
        kill(bridge)
        assert bridge.submit("echo", value=1).result() == 1
        kill(bridge)
        assert [*bridge.stream("squares")] == [0, 1, 4]
        kill(bridge)
        assert bridge.batch([("echo", {"value": 1})] * 3) == [1] * 3


def test_worker_that_died_with_a_forgotten_stream_open_is_replaced(wire: Wire) -> None:
    with opened(wire) as bridge:
        forgotten = bridge.stream("hang_on")
        kill(bridge)
        assert bridge.run("echo", value=1) == 1
        with pytest.raises(WorkerCrashedError):
            list(forgotten)


def test_first_calls_after_a_death_share_the_replacement(wire: Wire) -> None:
    with opened(wire) as bridge:
        for _ in range(5):
            kill(bridge)
            assert len({*at_once(*[lambda: bridge.run("own_pid")] * 16)}) == 1


def test_callback_may_call_again_when_the_worker_has_died(wire: Wire) -> None:
    again: cf.Future[Any] = cf.Future()

    def retry(future: cf.Future[Any]) -> None:
        assert isinstance(future.exception(), WorkerCrashedError)
        again.set_result((bridge.run("echo", value=1), other.exception()))

    with opened(wire) as bridge:
        other = bridge.submit("wait_thread", name="a")
        bridge.submit("wait_thread", name="b").add_done_callback(retry)
        with pytest.raises(WorkerCrashedError):
            bridge.run("end", how="3")
        result, error = again.result(PATIENCE)
        assert (result, type(error)) == (1, WorkerCrashedError)


def test_calls_of_many_threads_survive_many_deaths(wire: Wire) -> None:
    def work(number: int) -> int:
        crashed = 0
        for turn in range(60):
            last = number == 0 and turn % 10 == 5
            (outcome,) = bridge.batch([("end", {"how": "SIGKILL"}) if last else ("echo", {"value": [number, turn]})])
            if isinstance(outcome, WorkerCrashedError):
                assert outcome.details["signal"] == "SIGKILL"
                crashed += 1
            else:
                assert outcome == [number, turn]
        return crashed

    with opened(wire) as bridge:
        crashed = at_once(*[partial(work, number) for number in range(8)])
        assert crashed[0] == 6
        assert all(isinstance(one, int) for one in crashed), crashed


@pytest.mark.capability("J11")
def test_worker_that_lets_go_of_its_wire_is_ended(wire: Wire) -> None:
    with opened(wire) as bridge:
        worker = os.pidfd_open(bridge.run("own_pid"))
        with pytest.raises(WorkerCrashedError):
            bridge.run("let_go", timeout=PATIENCE)
        assert ends(worker)
        os.close(worker)
        assert bridge.run("echo", value=1) == 1


def test_other_frameworks_workers_are_not_touched() -> None:
    with Bridge({"probe": probe(), "banner": probe(folders=(BANNER,))}, on_stderr=lambda line: None) as bridge:
        bridge.start()
        before = bridge.pids()
        assert before.keys() == {"probe", "banner"}
        with pytest.raises(WorkerCrashedError):
            bridge.run("end", how="3")
        assert bridge.pids() == {"banner": before["banner"]}
        assert bridge.run("banner.greet", name="you") == "Hello, you"
        assert bridge.run("echo", value=1) == 1
        assert bridge.pids()["banner"] == before["banner"]
