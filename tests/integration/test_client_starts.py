"""A worker that cannot start, or does not, is a typed error, and the next call tries again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bridges import WIRES, Wire, probe
from peer import PATIENCE, PLUGINS

from bridge_core import Bridge, BridgeError
from bridge_core.errors import InvalidConfigError, StartupTimeoutError, WorkerCrashedError

BROKEN = Path(__file__).parents[1] / "plugins_broken"


@pytest.fixture(params=WIRES[:2], ids="+".join)
def wire(request: pytest.FixtureRequest) -> Any:
    return request.param


def broken(wire: Wire, framework: str, **settings: Any) -> Bridge:
    """Return a Bridge to a broken plugin."""
    return Bridge({framework: probe(wire, folders=(BROKEN / framework,), **settings)}, on_stderr=lambda line: None)


def asks(bridge: Bridge) -> list[Callable[[], Any]]:
    """Return the ways to need a worker."""
    return [bridge.start, bridge.info, lambda: bridge.submit("ping"), lambda: bridge.stream("ping")]


@pytest.mark.parametrize("framework", ["import_exit", "import_error", "import_mute", "no_api", "wrong_api"])
def test_plugin_that_cannot_be_loaded_is_told_by_every_call(wire: Wire, framework: str) -> None:
    with broken(wire, framework) as bridge:
        for ask in asks(bridge) * 2:
            with pytest.raises(BridgeError) as raised:
                ask()
            assert raised.value.reason == "PLUGIN_LOAD_FAILED"
        (outcome,) = bridge.batch([("ping", {})])
        assert outcome.reason == "PLUGIN_LOAD_FAILED"
        assert bridge.pids() == {}


def test_framework_that_leaves_when_it_is_imported_is_told_and_the_worker_lives(wire: Wire) -> None:
    with broken(wire, "exiting_framework") as bridge:
        for _ in range(2):
            with pytest.raises(BridgeError) as raised:
                bridge.run("greet", name="you")
            assert raised.value.reason == "FRAMEWORK_UNAVAILABLE"
        assert bridge.run("ping")["status"] == "ok"


def test_framework_that_nobody_serves_is_told(wire: Wire) -> None:
    with Bridge({"nobody": probe(wire)}, on_stderr=lambda line: None) as bridge:
        for _ in range(2):
            with pytest.raises(BridgeError) as raised:
                bridge.run("ping")
            assert raised.value.reason == "FRAMEWORK_NOT_FOUND"


def test_worker_that_never_says_ready_is_ended_in_time(wire: Wire, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # which the plugin opens when it is imported, and nobody else
    with broken(wire, "hangs", environment={"PROBE_FIFO": str(tmp_path / "fifo")}, start_timeout=0.5) as bridge:
        with pytest.raises(StartupTimeoutError) as raised:
            bridge.run("ping")
        assert raised.value.retryable
        assert bridge.pids() == {}


@pytest.mark.parametrize("python", ["/nowhere/python", str(PLUGINS), __file__], ids=["nothing", "folder", "no program"])
def test_interpreter_that_cannot_be_run_is_told_with_its_path(wire: Wire, python: str) -> None:
    with Bridge({"probe": probe(wire, python=python)}) as bridge:
        for ask in asks(bridge) * 2:
            with pytest.raises(InvalidConfigError) as raised:
                ask()
            assert raised.value.details["path"] == "$.probe.python"


@pytest.mark.parametrize(("python", "exit_code"), [("/bin/false", 1), ("/bin/true", 0)])
def test_program_that_is_no_interpreter_is_told_with_how_it_ended(wire: Wire, python: str, exit_code: int) -> None:
    with Bridge({"probe": probe(wire, python=python)}, on_stderr=lambda line: None) as bridge:
        for ask in asks(bridge):
            with pytest.raises(WorkerCrashedError) as raised:
                ask()
            assert raised.value.details["exit_code"] == exit_code


def test_program_that_says_something_else_is_told(tmp_path: Path) -> None:
    chatty = tmp_path / "chatty"
    chatty.write_text("#!/bin/sh\necho 'Hello, this is a menu. Choose: '\ncat > /dev/null\n")
    chatty.chmod(0o755)
    with Bridge({"probe": probe(python=str(chatty))}, on_stderr=lambda line: None) as bridge:
        with pytest.raises(BridgeError) as raised:
            bridge.run("ping", timeout=PATIENCE)
        assert raised.value.reason in ("WORKER_CRASHED", "FRAME_TOO_LARGE", "FRAMING_LOST")


def test_log_of_a_worker_that_died_while_it_started_is_in_the_error(tmp_path: Path) -> None:
    loud = tmp_path / "loud"
    loud.write_text("#!/bin/sh\nfor i in $(seq 100); do echo line $i >&2; done\nexit 7\n")
    loud.chmod(0o755)
    with (
        Bridge({"probe": probe(python=str(loud))}, on_stderr=lambda line: None) as bridge,
        pytest.raises(WorkerCrashedError) as raised,
    ):
        bridge.start()
    assert raised.value.details["exit_code"] == 7
    assert raised.value.details["stderr"] == [f"line {number}" for number in range(51, 101)]
