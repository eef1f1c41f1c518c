"""What a worker tells besides answers reaches who asked for it, and what fails there disturbs nobody."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from bridges import WIRES, Wire, at_once, opened, probe
from peer import PATIENCE

from bridge_core import Bridge
from bridge_core.errors import WorkerCrashedError

pytestmark = pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)


def test_progress_is_told_with_the_request(wire: Wire) -> None:
    told: list[tuple[str, Mapping[str, Any]]] = []
    with Bridge(
        {"probe": probe(wire)}, on_event=lambda *event: told.append(event), on_stderr=lambda line: None
    ) as bridge:
        bridge.run("progress")
        name, data = told[-1]
        assert (name, data["message"], data["fraction"]) == ("progress", "half-time", 0.5)


def test_listener_that_fails_disturbs_nobody(wire: Wire) -> None:
    def fail(name: str, data: Mapping[str, Any]) -> None:
        raise ValueError(name)

    with Bridge({"probe": probe(wire)}, on_event=fail, on_stderr=lambda line: None) as bridge:
        bridge.run("progress")
        pids = bridge.pids()
        outcomes = at_once(*[lambda: bridge.run("progress")] * 4, bridge.submit("progress").result)
        assert outcomes == [None] * 5
        assert bridge.pids() == pids


def test_listener_may_call(wire: Wire) -> None:
    seen: list[Any] = []

    def call(name: str, data: Mapping[str, Any]) -> None:
        if data["message"] == "half-time":
            seen.append(bridge.run("echo_thread", value=data["fraction"]))

    with Bridge({"probe": probe(wire)}, on_event=call, on_stderr=lambda line: None) as bridge:
        bridge.run("progress")
    assert seen == [0.5]


def test_log_is_told_line_by_line(wire: Wire) -> None:
    lines: list[str] = []
    with opened(wire, on_stderr=lines.append) as bridge:
        bridge.run("mutter", count=1000)
    assert [line for line in lines if line.startswith("line ")] == [f"line {number}" for number in range(1000)]


def test_listener_of_the_log_that_fails_is_not_asked_again_and_the_worker_lives(wire: Wire) -> None:
    asked: list[str] = []

    def fail(line: str) -> None:
        asked.append(line)
        raise ValueError(line)

    with opened(wire, on_stderr=fail) as bridge:
        bridge.run("mutter", count=100_000)
        assert bridge.run("echo", value=1) == 1
        with pytest.raises(WorkerCrashedError) as raised:
            bridge.run("end", how="3")
        assert raised.value.details["stderr"] == [f"line {number}" for number in range(99_950, 100_000)]
    assert len(asked) == 1


def test_listener_of_the_log_may_call(wire: Wire) -> None:
    called = threading.Event()

    def call(line: str) -> None:
        if line == "line 0":
            bridge.run("echo", value=1)
            called.set()

    with opened(wire, on_stderr=call) as bridge:
        bridge.run("mutter", count=1)
        assert called.wait(PATIENCE)
