"""A Bridge that nobody closes ends its workers all the same: when it is garbage, and when the program ends."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import weakref

import pytest
from bridges import WIRES, Wire, opened, probe
from peer import PATIENCE, ends

from bridge_core import Bridge

pytestmark = pytest.mark.parametrize("wire", WIRES[:2], ids="+".join)

PROGRAM = """
import asyncio, json, os, signal, sys
from bridge_core import {kind}

async def use_async(bridge):
    print(json.dumps([await bridge.run("own_pid"), bridge.pids()["probe"]]), flush=True)

def use(bridge):
    future = bridge.submit("wait_thread", name="a")
    stream = bridge.stream("hang_on")
    next(stream)
    print(json.dumps([bridge.run("own_pid"), bridge.pids()["probe"]]), flush=True)
    return future, stream

bridge = {kind}({settings!r}, on_stderr=lambda line: None)
if {kind}.__name__ == "Bridge":
    kept = use(bridge)
else:
    asyncio.run(use_async(bridge))
sys.stdin.read(1)
{end}
"""


@pytest.mark.capability("J10")
@pytest.mark.parametrize("kind", ["Bridge", "AsyncBridge"])
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("os._exit(4)", 4),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
    ids=["end", "exit", "interrupt", "_exit", "SIGKILL"],
)
def test_worker_ends_with_the_program(wire: Wire, kind: str, end: str, code: int) -> None:
    program = PROGRAM.format(kind=kind, settings={"probe": probe(wire)}, end=end)
    command = [sys.executable, "-W", "error", "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pidfds = [os.pidfd_open(pid) for pid in json.loads(process.stdout.readline())]
        _, stderr = process.communicate(b"x", timeout=2 * PATIENCE)
    assert process.returncode == code
    assert "KeyboardInterrupt" in stderr.decode() if "Keyboard" in end else stderr == b""
    for pidfd in pidfds:
        assert ends(pidfd)
        os.close(pidfd)


def test_worker_ends_when_nothing_refers_to_its_bridge(wire: Wire) -> None:
    bridge = Bridge({"probe": probe(wire)}, on_stderr=lambda line: None)
    pidfd = os.pidfd_open(bridge.run("own_pid"))
    assert bridge.submit("echo", value=1).result() == 1
    alive = weakref.ref(bridge)
    del bridge
    gc.collect()
    assert alive() is None
    assert ends(pidfd)
    os.close(pidfd)


def test_session_keeps_its_bridge(wire: Wire) -> None:
    session = Bridge({"probe": probe(wire)}, on_stderr=lambda line: None).session()
    pidfd = os.pidfd_open(session.run("own_pid"))
    gc.collect()
    assert session.run("echo", value=1) == 1
    del session
    gc.collect()
    assert ends(pidfd)
    os.close(pidfd)


def test_many_bridges_leave_nothing_behind(wire: Wire) -> None:
    for _ in range(5):
        with opened(wire) as one, opened(wire) as two:
            assert one.pids() != two.pids()
            assert (one.run("echo", value=1), two.run("echo", value=2)) == (1, 2)
