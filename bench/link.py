"""What a peer gives the benchmark: a link to one live worker, in the peer's own way."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs

__all__ = ["ROOT", "TINY", "WINDOW", "Link", "Peer", "free_port", "socket_path", "spawn", "until"]

ROOT = Path(__file__).resolve().parents[1]
TINY = {"x": 1}
WINDOW = 64
_PATIENCE = 60.0


@attrs.define(kw_only=True, eq=False)
class Link:
    """One worker that has answered once. What a peer cannot do stays None and is shown as "–"."""

    pid: int
    """The process that does the work, which the recovery work kills."""
    echo: Callable[[Any], Any]
    """Value to equal value; a coroutine function if the link is asynchronous."""
    asynchronous: bool = False
    text: Callable[[str], Any] | None = None
    """Like echo; None if echo is the way to send a text, inside an object."""
    floats: Callable[[list[float]], Any] | None = None
    array: Callable[[Any], Any] | None = None
    """numpy array to equal array; None: as base64 text through echo, as one has to."""
    stream: Callable[[int], Any] | None = None
    """Number of chunks to an iterator, asynchronous or not, over `{"i": number}`."""
    submit: Callable[[Any], Callable[[], Any]] | None = None
    """Starts an echo and returns what waits for it."""
    batch: Callable[[list[Any]], Any] | None = None
    """Values to equal values, in one go."""
    connect: Callable[[], Callable[[Any], Any]] | None = None
    """Returns an echo over a connection of its own, for peers whose concurrency is the client's threads."""
    lane: Callable[[Any], Awaitable[Any]] | None = None
    """An asynchronous echo beside the blocking one."""
    guardian: int | None = None
    supervised: bool = False
    """The peer starts a new worker by itself when one has died."""


@attrs.frozen(kw_only=True)
class Peer:
    """A way to reach a worker."""

    name: str
    title: str
    open: Callable[[], AbstractAsyncContextManager[Link]]
    label: str = ""
    """A shorter title, for the chart."""
    needs: tuple[str, ...] = ()
    """The distributions that must be installed."""
    ours: bool = False
    floor: bool = False


@contextlib.contextmanager
def spawn(module: str, argument: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker of `bench.serve` with pipes, and kill it at the end.

    Its module comes from compiled bytecode, as a library's does and a script's does not.
    """
    code = f"from bench.serve.{module} import serve; serve({argument!r})"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            yield process
        finally:
            process.kill()


def until(attempt: Callable[[], Any], errors: Sequence[type[BaseException]] = (Exception,)) -> Any:
    """Return what the attempt returns as soon as it no longer raises one of these."""
    end = time.perf_counter() + _PATIENCE
    while True:
        try:
            return attempt()
        except tuple(errors):
            if time.perf_counter() > end:
                raise
            time.sleep(0.001)


@contextlib.contextmanager
def socket_path() -> Iterator[str]:
    """Give a path for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield f"{folder}/socket"


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
