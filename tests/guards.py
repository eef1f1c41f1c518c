"""What a test may not leave behind: threads, child processes, file descriptors, and changes to the process."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

__all__ = ["BOUND", "KINDS", "Snapshot", "leaves_nothing_behind", "leftovers", "restore", "settled"]

BOUND = 5.0
"""Seconds that any test waits for anything: long enough for a busy machine, and the end of a test that hangs."""
KINDS = ("thread", "child", "fd", "environ", "cwd", "signal")
# Elsewhere than on Linux there is no such folder, and children and descriptors are not guarded.
_PROC = Path("/proc/self")
# pytest writes this one itself; coverage sets its own once per process, possibly during the first test.
_NOT_OURS = {"PYTEST_CURRENT_TEST", "COVERAGE_PROCESS_CONFIG"}


def children() -> set[int]:
    """Return the ids of this process's children, unreaped ones included; empty where the system does not tell."""
    found: set[int] = set()
    for task in (_PROC / "task").glob("*/children"):
        try:
            found.update(int(pid) for pid in task.read_text().split())
        except OSError:  # the thread ended while we looked
            continue
    return found


def descriptors() -> dict[int, str]:
    """Return the open file descriptors and what they lead to; empty where the system does not tell."""
    found: dict[int, str] = {}
    for name in os.listdir(_PROC / "fd") if _PROC.exists() else []:
        try:
            found[int(name)] = os.readlink(_PROC / "fd" / name)
        except OSError:  # the descriptor of the listing itself
            continue
    return found


def handlers() -> dict[int, Any]:
    """Return the handler of every signal that has one Python knows of."""
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def environment() -> dict[str, str]:
    """Return the environment without what the test tools keep in it."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_OURS}


@attrs.frozen(kw_only=True)
class Snapshot:
    """The state of this process that tests have to leave as it was."""

    thread: set[threading.Thread] = attrs.field(factory=lambda: set(threading.enumerate()))
    child: set[int] = attrs.field(factory=children)
    fd: dict[int, str] = attrs.field(factory=descriptors)
    environ: dict[str, str] = attrs.field(factory=environment)
    cwd: str = attrs.field(factory=os.getcwd)
    signal: dict[int, Any] = attrs.field(factory=handlers)


def leftovers(before: Snapshot) -> dict[str, str]:
    """Return what differs from then, as kind -> description; empty if all is as it was."""
    now = Snapshot()
    changed = {name for name, _ in before.environ.items() ^ now.environ.items()}
    signals = {signal.Signals(number).name for number, was in before.signal.items() if now.signal[number] != was}
    # Descriptors that went away are somebody's clean-up, but the first three are everybody's.
    opened = {fd: to for fd, to in now.fd.items() if fd not in before.fd}
    standard = {fd: now.fd.get(fd, "closed") for fd in range(3) if before.fd.get(fd) != now.fd.get(fd)}
    found = {
        "thread": sorted(thread.name for thread in now.thread - before.thread if thread.is_alive()),
        "child": sorted(now.child - before.child),
        "fd": {**opened, **standard},
        "environ": sorted(changed),
        "cwd": "" if now.cwd == before.cwd else now.cwd,
        "signal": sorted(signals),
    }
    return {kind: str(what) for kind, what in found.items() if what}


def settled(look: Callable[[], dict[str, str]], bound: float = BOUND) -> dict[str, str]:
    """Return what `look` still finds when the bound is over, at once if it finds nothing.

    A thread that has set its last event is still alive for a moment, and a child that was told to end needs one too.
    """
    end = time.monotonic() + bound
    never = threading.Event()
    found = look()
    if found:
        gc.collect()  # an object that nobody refers to may still hold a descriptor
    while found and time.monotonic() < end:
        never.wait(0.02)
        found = look()
    return found


def restore(before: Snapshot) -> None:
    """Put back what can be put back, so that one careless test does not fail all that follow."""
    for name in environment().keys() - before.environ.keys():
        del os.environ[name]
    os.environ.update(before.environ)
    os.chdir(before.cwd)
    for number, handler in before.signal.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which the process is not as before; `@pytest.mark.leaves` names what cannot be helped."""
    excused: set[str] = set()
    for mark in request.node.iter_markers("leaves"):
        if not mark.kwargs.get("reason") or not set(mark.args) <= set(KINDS):
            pytest.fail(f"leaves() takes kinds out of {KINDS} and a reason=", pytrace=False)
        excused.update(mark.args)
    before = Snapshot()
    yield

    def look() -> dict[str, str]:
        return {kind: what for kind, what in leftovers(before).items() if kind not in excused}

    found = settled(look)
    restore(before)
    if found:
        listed = "; ".join(f"{kind}: {what}" for kind, what in found.items())
        pytest.fail(f"the test left something behind: {listed}", pytrace=False)
