"""Operations about calls: waiting, meeting, failing, sessions, children."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import shared_memory
from pathlib import Path
from types import ModuleType
from typing import Any

from bridge_core import BridgeError, CallContext, Register

LIMIT = 60.0
"""Seconds after which a forgotten wait ends, so that no test leaves a process behind."""

_events: dict[str, threading.Event] = {}
_barrier = threading.Barrier(32)
_arrived = 0
_all_here: asyncio.Event | None = None
_STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
os.write(1, b"ready\\n")
time.sleep(60)
"""


class ProbeBrokenError(BridgeError, code="unavailable", reason="PROBE_BROKEN", retryable=True):
    """The probe was told to fail like this."""


class CarelessError(BridgeError, code="aborted"):
    """An error of ours that does not call the constructor of ours, and whose parts are of wrong types."""

    def __init__(self, **parts: Any) -> None:
        Exception.__init__(self, "carelessly made")
        vars(self).update(parts)


class MuteError(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class DeadlyError(Exception):
    """An exception whose text ends the process, if it can."""

    def __str__(self) -> str:
        raise SystemExit(9)


def register(register: Register) -> None:
    register("wait", wait)
    register("wait_thread", wait, runs="thread")
    register("wait_async", wait_async)
    register("pause", pause)
    register("pause_thread", pause, runs="thread")
    register("pause_async", pause_async)
    register("release", release, runs="thread")
    register("release_when", release_when, runs="thread")
    register("reached", reached, runs="thread")
    register("meet", meet, runs="thread")
    register("meet_async", meet_async)
    register("fail", fail)
    register("fail_async", fail_async)
    register("swallow", swallow)
    register("swallow_thread", swallow, runs="thread")
    register("look_up_when_cancelled", look_up_when_cancelled, runs="thread")
    register("spawn", spawn)
    register("daemon", daemon, runs="thread")
    register("compute", compute)
    register("hold", hold)
    register("own_pid", own_pid, runs="thread")
    register("end", end)
    register("cling", cling)
    register("terminate_fork", terminate_fork)
    register("speak_in_fork", speak_in_fork)
    register("fork_pools", fork_pools)
    register("share_memory", share_memory)
    register("framework_saw", framework_saw)
    register("progress", progress)
    register("put", put)
    register("get", get)
    register("due", due)


def _event(name: str) -> threading.Event:
    return _events.setdefault(name, threading.Event())


def wait(ctx: CallContext, *, name: str, fifo: str | None = None) -> str:
    """Wait until `release` is called with the same name, and say through a fifo, if one is given, that this waits."""
    _event(f"{name} reached").set()
    if fifo is not None:
        Path(fifo).write_text("waiting")
    _event(name).wait(LIMIT)
    return name


async def wait_async(ctx: CallContext, *, name: str) -> str:
    """Wait on the event loop until `release` is called with the same name."""
    _event(f"{name} reached").set()
    for _ in range(int(LIMIT * 100)):
        if _event(name).is_set():
            break
        await asyncio.sleep(0.01)
    return name


def pause(*, seconds: float, computing: bool = False) -> float:
    """Take so long, with or without the interpreter's lock, and return how long that was to be."""
    end = time.monotonic() + seconds
    while computing and time.monotonic() < end:
        continue
    time.sleep(max(0.0, end - time.monotonic()))
    return seconds


async def pause_async(*, seconds: float) -> float:
    """Take so long on the event loop."""
    await asyncio.sleep(seconds)
    return seconds


def release(*, name: str) -> None:
    """Let a `wait` go on."""
    _event(name).set()


def release_when(*, name: str, fifo: str) -> None:
    """Let a `wait` go on when somebody opens the fifo for writing: for workers that take no requests any more."""
    _event(f"{name} reached").set()
    with open(fifo, "rb"):
        _event(name.removeprefix("release ")).set()


def reached(*, name: str) -> bool:
    """Return once a `wait` or `swallow` of this name runs."""
    return _event(f"{name} reached").wait(LIMIT)


def meet() -> int:
    """Return when 32 of these run at the same time."""
    return _barrier.wait(LIMIT)


async def meet_async() -> int:
    """Return when 32 of these run at the same time, on the event loop."""
    global _arrived, _all_here
    if _all_here is None:
        _all_here = asyncio.Event()
    _arrived += 1
    if _arrived == 32:
        _all_here.set()
    await asyncio.wait_for(_all_here.wait(), LIMIT)
    return _arrived


def fail(*, how: str) -> None:
    """Raise what was asked for."""
    kinds: dict[str, BaseException] = {
        "value": ValueError("the value is wrong"),
        "exit": SystemExit(7),
        "interrupt": KeyboardInterrupt(),
        "generator": GeneratorExit(),
        "mute": MuteError(),
        "deadly": DeadlyError(),
        "surrogate": ValueError("half a \ud83d character"),
        "long": ValueError("x" * 100_000),
        "typed": ProbeBrokenError("the probe is broken as ordered", part="lens"),
        "live_details": ProbeBrokenError("its details cannot be sent", part=object()),  # type: ignore[arg-type]
        "careless": CarelessError(),
        "wrong_parts": CarelessError(message=None, details=None, reason=5, code="sad", retryable="yes"),
        "no_parts": CarelessError(message=MuteError()),
        "deep": RecursionError("too deep"),
        "memory": MemoryError(),
    }
    raise kinds[how]


async def fail_async(*, how: str) -> None:
    """Raise it in a task."""
    fail(how=how)


def swallow(*, name: str) -> None:
    """Never end, whatever is raised in here."""
    _event(f"{name} reached").set()
    while True:
        try:
            _event(name).wait()
        except BaseException:
            continue


def look_up_when_cancelled(ctx: CallContext, *, name: str) -> str:
    """Work until nobody wants the answer any more."""
    _event(f"{name} reached").set()
    never = threading.Event()
    while not ctx.cancelled:
        never.wait(0.01)
    return "stopped"


def spawn(*, new_session: bool = False) -> int:
    """Start a child that ignores every signal that can be ignored, and return its id."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _STUBBORN], stdout=subprocess.PIPE, start_new_session=new_session
    )
    assert child.stdout is not None
    child.stdout.readline()
    return child.pid


def daemon() -> int:
    """Start a daemon, re-parented and in a session of its own, with an empty environment; return its id."""
    code = f"import os, sys\nos.fork() and os._exit(0)\nos.setsid()\nprint(os.getpid(), flush=True)\n{_STUBBORN}"
    starter = subprocess.Popen([sys.executable, "-S", "-E", "-c", code], stdout=subprocess.PIPE, env={})
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.stdout.readline()  # "ready": it writes nothing more, and so does not notice that nobody reads
    starter.wait()
    return pid


def hold(*, fifo: str) -> None:
    """Be in C with the interpreter's lock, longer than anybody waits; say so through a fifo."""
    with open(fifo, "w", encoding="ascii") as file:
        file.write("holding")
    re.match(r"(a+)+$", "a" * 64 + "b")


def own_pid() -> int:
    """Return the worker's process id."""
    return os.getpid()


def end(*, how: str) -> None:
    """End the worker's process in the way named: an exit code or a signal's name."""
    if how.isdigit():
        os._exit(int(how))
    signal.raise_signal(signal.Signals[how])


class _Clinging:
    """Takes longer to be freed than anybody waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def __del__(self) -> None:
        self._lock.acquire(timeout=60)


def cling(*, note: str) -> None:
    """Make a module of which a part takes long to be freed, and something to be done at exit."""
    module = sys.modules["probe_clinging"] = ModuleType("probe_clinging")
    module.__dict__["part"] = _Clinging()
    atexit.register(Path(note).write_text, "exit")


def compute(*, name: str) -> str:
    """Be in C for minutes, without the interpreter's lock and without ever looking for signals."""
    _event(f"{name} reached").set()
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10**9).hex()


def terminate_fork() -> int:
    """Fork, as multiprocessing does, end the child by SIGTERM and return the signal that it died of."""
    ready, told = os.pipe()
    child = os.fork()
    if not child:
        os.write(told, b"x")
        time.sleep(LIMIT)
        os._exit(0)
    os.read(ready, 1)
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    for fd in (ready, told):
        os.close(fd)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def fork_pools(*, count: int) -> list[int]:
    """Use process pools that fork, one after the other; each is ended by SIGTERM."""
    results = []
    for number in range(count):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results.append(pool.apply(abs, (-number,)))
    return results


def share_memory() -> str:
    """Make a block of shared memory, which a resource tracker frees when the worker has ended; return its name."""
    block = shared_memory.SharedMemory(create=True, size=1 << 16)
    # The tracker is a process that has just been started; that it ignores SIGTERM says that it is there.
    (tracker,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    never = threading.Event()
    while not _ignores(int(tracker), signal.SIGTERM):
        never.wait(0.01)
    return block.name


def _ignores(pid: int, number: signal.Signals) -> bool:
    (mask,) = (line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigIgn" in line)
    return bool(int(mask, 16) >> (number - 1) & 1)


def speak_in_fork() -> int:
    """Fork; let the child return into the worker's code as if it were the worker, and tell the child's id."""
    child = os.fork()
    return child or os.getpid()


def framework_saw() -> dict[str, Any]:
    """Return the variables as they were when the framework was imported."""
    import probe_framework

    return {"declared": probe_framework.DECLARED, "operator": probe_framework.OPERATOR, "pid": os.getpid()}


def progress(ctx: CallContext) -> None:
    """Report half-time."""
    ctx.progress("half-time", fraction=0.5)


def put(ctx: CallContext, *, value: Any, id: str | None = None) -> dict[str, str]:
    """Keep a value in the session."""
    return {"id": ctx.session.objects.put(value, kind="probe.value", id=id)}


def get(ctx: CallContext, *, id: str) -> Any:
    """Return a value of the session."""
    return ctx.session.objects.get(id, kind="probe.value")


def due(ctx: CallContext) -> dict[str, Any]:
    """Say what a handler knows about its call."""
    return {
        "operation": ctx.operation,
        "request_id": ctx.request_id,
        "streaming": ctx.streaming,
        "cancelled": ctx.cancelled,
        "has_deadline": ctx.remaining() is not None,
        "session": ctx.session.id,
        "settings": ctx.session.settings.get("probe"),
    }
