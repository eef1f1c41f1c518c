"""What Ctrl-C, callbacks and a deaf listener may not do to a Bridge."""

from __future__ import annotations

import os
import queue
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, opened, probe
from peer import PATIENCE

from bridge_core import Bridge
from bridge_core.errors import InvalidArgumentsError, WorkerCrashedError

wires = pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)


def interrupt_when(fifo: Path) -> threading.Thread:
    """Press Ctrl-C once somebody writes to the fifo."""

    def press() -> None:
        fifo.read_text()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


@wires
def test_ctrl_c_while_a_worker_starts_spoils_no_later_call(wire: Wire, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    settings = probe(wire, environment={"PROBE_STARTING": str(fifo)})
    with Bridge({"probe": settings}, on_stderr=lambda line: None) as bridge:
        presser = interrupt_when(fifo)
        with pytest.raises(KeyboardInterrupt):
            bridge.run("ping")
        presser.join()
        fifo.write_text("go on")
        assert bridge.run("ping", timeout=PATIENCE)["status"] == "ok"


@wires
def test_ctrl_c_ends_the_waiting_and_nothing_else(wire: Wire, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened(wire) as bridge:
        pid = bridge.pids()
        future = bridge.submit("wait_thread", name="other")
        presser = interrupt_when(fifo)
        with pytest.raises(KeyboardInterrupt):
            bridge.run("wait_thread", name="mine", fifo=str(fifo))
        presser.join()
        for name in ("mine", "other"):
            bridge.run("release", name=name)
        assert future.result(PATIENCE) == "other"
        assert bridge.pids() == pid


@wires
def test_callbacks_of_two_workers_may_use_each_other(wire: Wire) -> None:
    with opened(wire) as one, opened(wire) as two:
        meeting = threading.Barrier(2)
        seen: queue.Queue[Any] = queue.Queue()

        def ask(other: Bridge) -> None:
            meeting.wait(PATIENCE)
            seen.put(other.run("echo", value=1, timeout=PATIENCE))

        for bridge, other in ((one, two), (two, one)):
            bridge.submit("wait_thread", name="w").add_done_callback(lambda _, other=other: ask(other))
            bridge.submit("release", name="w")
        assert [seen.get(timeout=2 * PATIENCE) for _ in range(2)] == [1, 1]


def test_listener_that_never_returns_keeps_nobody_else() -> None:
    deaf = threading.Event()
    try:
        with opened(on_stderr=lambda line: deaf.wait() and None) as bridge:
            bridge.run("framework_saw")  # importing it prints a line
            with pytest.raises(WorkerCrashedError):
                bridge.run("end", how="3")
            assert bridge.run("echo", value=1, timeout=PATIENCE) == 1
    finally:
        deaf.set()


@pytest.mark.parametrize("wrong", [{"timeout": float("nan")}, {"timeout": "5"}, {"at_once": 0}])
def test_options_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with opened() as bridge, pytest.raises(InvalidArgumentsError):
        bridge.batch([("echo", {"value": 1})], **wrong)


def test_settings_are_not_shown_by_accident() -> None:
    bridge = Bridge({"probe": {"configuration": {"api_key": "s3cret"}, "environment": {"KEY": "s3cret"}}})
    assert "s3cret" not in repr([vars(bridge), vars(bridge.session())])
    bridge.close()
