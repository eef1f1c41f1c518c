"""How long a worker takes to be there, how much memory it needs, and how long until one is back after its death."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import signal
import statistics
from collections.abc import Iterator
from contextlib import AsyncExitStack
from time import perf_counter

from .link import TINY, Link, Peer
from .works import Numbers, latencies

__all__ = ["LIVES", "descendants", "megabytes"]

_HANGS = 3
_PATIENCE = 30.0


def megabytes(pid: int, field: str) -> float:
    """Return the resident or proportional memory of a process: "Rss" or "Pss"."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith(f"{field}:")) / 1024


def descendants(pid: int) -> list[int]:
    """Return the processes below one, whatever their session or group."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8") as status:
            children.setdefault(int(status.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
    found = []
    todo = [pid]
    while todo:
        below = children.get(todo.pop(), [])
        todo += below
        found += below
    return found


async def start(peer: Peer) -> Numbers:
    """Measure from nothing to the first answer, and memory then."""
    taken: list[float] = []
    found: Numbers = {}
    while len(taken) < 3 and sum(taken) < 1.0:
        started = perf_counter()
        async with peer.open() as link:
            taken.append(perf_counter() - started)
            found = _memory(link)
    return {"start_ms": statistics.median(taken) * 1e3, **found}


def _memory(link: Link) -> Numbers:
    found = {"rss_mb": megabytes(link.pid, "Rss")}
    everything = 0.0
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError, StopIteration):  # ended just now, or not ours to look at
            everything += megabytes(pid, "Pss")
    found["pss_mb"] = everything
    if link.guardian is not None:
        found["guardian_mb"] = megabytes(link.guardian, "Pss")
    return found


async def recovery(peer: Peer) -> Numbers:
    """Kill an idle worker and measure until a call succeeds: by itself, or in a worker opened by hand."""
    taken: list[float] = []
    while len(taken) < 3 and sum(taken) < 1.0:
        async with AsyncExitStack() as links:
            link = await links.enter_async_context(peer.open())
            await latencies(link, 20)
            os.kill(link.pid, signal.SIGKILL)
            started = perf_counter()
            while not await _answers(link):
                if not link.supervised:
                    await latencies(await links.enter_async_context(peer.open()), 1)
                    break
                if perf_counter() - started > _PATIENCE:
                    raise TimeoutError(f"no worker after {_PATIENCE} s")
            taken.append(perf_counter() - started)
    return {"recovery_ms": statistics.median(taken) * 1e3}


async def _answers(link: Link) -> bool:
    """Say whether a call succeeds; one that hangs is given up after a while, as a person would."""
    try:
        if link.asynchronous:
            return bool(await asyncio.wait_for(link.echo(TINY), _HANGS) == TINY)
        with _alarm():
            answer = link.echo(TINY)
            return not inspect.isawaitable(answer) and bool(answer == TINY)
    except Exception:  # every library has errors of its own for this
        return False


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Raise TimeoutError in the main thread when the time is over."""

    def ring(number: int, frame: object) -> None:
        raise TimeoutError(f"nothing after {_HANGS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


LIVES = {"start": start, "recovery": recovery}
