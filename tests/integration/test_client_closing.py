"""A Bridge that is closed lets nobody wait, and leaves nothing behind."""

from __future__ import annotations

import concurrent.futures as cf
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, at_once, opened, probe
from peer import PATIENCE, ends

from bridge_core import Bridge
from bridge_core.errors import ShuttingDownError, TransportClosedError

ENDED = (ShuttingDownError, TransportClosedError)  # the worker said so, or could not


@pytest.fixture(params=WIRES[:2], ids="+".join)
def wire(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_closing_ends_the_worker_and_again_does_nothing(wire: Wire) -> None:
    with opened(wire) as bridge:
        worker = os.pidfd_open(bridge.run("own_pid"))
        bridge.close()
        bridge.close()
        assert bridge.pids() == {}
    assert ends(worker)
    os.close(worker)


def test_bridge_that_was_never_used_is_closed() -> None:
    bridge = Bridge("probe")
    assert bridge.pids() == {}
    bridge.close()
    bridge.close()


def test_closed_bridge_refuses_every_verb(wire: Wire) -> None:
    with opened(wire) as bridge:
        session = bridge.session()
        session.run("put", value=1)
        bridge.close()
        for one in (bridge, session, bridge.session()):
            for ask in (one.run, one.submit, one.stream):
                with pytest.raises(TransportClosedError) as raised:
                    ask("echo", value=1)
                assert not raised.value.retryable
            with pytest.raises(TransportClosedError):
                one.configure("probe")
            with pytest.raises(TransportClosedError):
                one.info()
            assert [type(outcome) for outcome in one.batch([("echo", {"value": 1})])] == [TransportClosedError]
        with pytest.raises(TransportClosedError):
            bridge.start()
        session.close()


def test_calls_in_flight_end_when_the_bridge_is_closed(wire: Wire) -> None:
    with opened(wire) as bridge:
        future = bridge.submit("swallow_thread", name="a")
        batched = bridge.submit("swallow", name="b")
        stream = bridge.stream("hang_on")
        assert next(stream) == "first"
        assert bridge.batch([("reached", {"name": name}) for name in "ab"]) == [True, True]

        def close() -> None:
            bridge.close()

        outcomes = at_once(lambda: bridge.run("swallow_thread", name="c"), future.result, lambda: next(stream), close)
        outcomes.append(batched.exception())
    for outcome in outcomes[:3] + outcomes[4:]:
        assert isinstance(outcome, ENDED)
    assert outcomes[3] is None


def test_bridge_may_be_closed_by_several_threads_at_once(wire: Wire) -> None:
    with opened(wire) as bridge:
        future = bridge.submit("swallow_thread", name="a")
        assert at_once(*[bridge.close] * 8) == [None] * 8
        assert isinstance(future.exception(), ENDED)


def test_bridge_may_be_closed_while_its_worker_starts(tmp_path: Path) -> None:
    fifo = tmp_path / "starting"
    os.mkfifo(fifo)
    bridge = Bridge({"probe": probe(environment={"PROBE_STARTING": str(fifo)})})

    def close() -> None:
        assert fifo.read_text() == "starting"
        bridge.close()

    outcomes = at_once(lambda: bridge.run("echo", value=1), bridge.start, close)
    assert [type(one) for one in outcomes] == [TransportClosedError, TransportClosedError, type(None)]


@pytest.mark.parametrize("how", ["answered", "closed", "died"])
def test_callback_may_close_the_bridge(wire: Wire, how: str) -> None:
    closed = threading.Event()
    with opened(wire) as bridge:

        def close(future: cf.Future[Any]) -> None:
            bridge.close()
            closed.set()

        future = bridge.submit("wait_thread", name="a")
        future.add_done_callback(close)
        if how == "closed":
            bridge.close()
        else:
            bridge.submit("release", name="a") if how == "answered" else bridge.submit("end", how="3")
        assert closed.wait(PATIENCE)
        assert future.done()


def test_worker_answers_what_it_has_before_it_ends(wire: Wire) -> None:
    with opened(wire) as bridge:
        futures = [bridge.submit("echo_thread", value="x" * 100_000) for _ in range(20)]
        bridge.close()
        kinds = {type(future.exception()) for future in futures}
    assert kinds <= {type(None), *ENDED}
