"""The guards of this test suite see what a test leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from guards import BOUND, Snapshot, leftovers, restore, settled


def test_nothing_done_leaves_nothing() -> None:
    assert leftovers(Snapshot()) == {}


def test_running_thread_is_seen_until_it_ends() -> None:
    before, stop = Snapshot(), threading.Event()
    thread = threading.Thread(target=stop.wait, args=(BOUND,), name="left")
    thread.start()
    assert leftovers(before) == {"thread": "['left']"}
    stop.set()
    assert settled(lambda: leftovers(before)) == {}


def test_child_process_is_seen_until_it_is_reaped() -> None:
    before = Snapshot()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert set(leftovers(before)) == {"child", "fd"}
    assert settled(lambda: leftovers(before), bound=0.1)["child"] == f"[{child.pid}]"
    child.communicate(b"\n", timeout=BOUND)
    assert settled(lambda: leftovers(before)) == {}


def test_open_descriptor_is_seen(tmp_path: Path) -> None:
    before = Snapshot()
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    assert set(leftovers(before)) == {"fd"}
    os.close(fd)
    assert leftovers(before) == {}


def test_replaced_standard_descriptor_is_seen(tmp_path: Path) -> None:
    before, kept = Snapshot(), os.dup(1)
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    os.dup2(fd, 1)
    os.close(fd)
    found = leftovers(before)["fd"]
    os.dup2(kept, 1)
    os.close(kept)
    assert "1: " in found
    assert leftovers(before) == {}


@pytest.mark.parametrize("change", ["added", "changed", "removed"])
def test_changed_environment_is_seen_and_restored(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_GUARDED", "was")
    name = "BRIDGE_NEW" if change == "added" else "BRIDGE_GUARDED"
    before = Snapshot()
    if change == "removed":
        del os.environ[name]
    else:
        os.environ[name] = "is"
    assert leftovers(before) == {"environ": f"['{name}']"}
    restore(before)
    assert leftovers(before) == {}


def test_changed_folder_is_seen_and_restored(tmp_path: Path) -> None:
    before = Snapshot()
    os.chdir(tmp_path)
    assert leftovers(before) == {"cwd": str(tmp_path)}
    restore(before)
    assert leftovers(before) == {}


def test_changed_signal_handler_is_seen_and_restored() -> None:
    before = Snapshot()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    assert leftovers(before) == {"signal": "['SIGUSR1']"}
    restore(before)
    assert leftovers(before) == {}
