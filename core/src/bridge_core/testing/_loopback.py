"""A worker in this very process: the real dispatcher and the real wire, without starting anything."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge_core._models import PluginMetadata
from bridge_core._plugins import PluginHost
from bridge_core.client import BlockingClient
from bridge_core.transports import DescriptorTransport
from bridge_core.worker._options import Options
from bridge_core.worker._worker import Worker

__all__ = ["LoopbackClient", "loopback"]

_PATIENCE = 60.0

LoopbackClient = BlockingClient
"""What `loopback` yields: `run(operation, arguments)` and `stream(operation, arguments)`."""


class _Peer:
    """The other end of a worker that runs in a thread of this process."""

    forked = False

    def __init__(self, transport: DescriptorTransport, thread: threading.Thread) -> None:
        self.transport = transport
        self._thread = thread
        self._closed = False

    def escalate(self, ended: Callable[[float], bool]) -> None:
        """Wait for the worker's ordered ending: no signal can hasten a thread."""
        ended(_PATIENCE)

    def last_lines(self) -> list[str]:
        """Return nothing: it writes to this process's stderr."""
        return []

    def close(self) -> int:
        """Hang up and wait for the worker's ordered ending."""
        if self._thread.is_alive():
            self.transport.hang_up()
            self._thread.join()
        if not self._closed:
            self._closed = True
            self.transport.close()
        return 0


@contextmanager
def loopback(plugin: object, *, name: str) -> Iterator[BlockingClient]:
    """Serve one plugin object in this process and yield a client for it.

    Everything is real (conversion of arguments, JSON, frames, threads) except the process: breakpoints work, and
    so does coverage. `main` operations run in a thread that is not the main thread of the process.

    Args:
        plugin: The module or instance.
        name: The framework's name.

    Raises:
        PluginLoadFailedError: The plugin is broken; the message says where and what to do.
    """
    options = Options(frameworks=(name,), worker_id="loopback")
    plugins = PluginHost(strict=True)
    metadata = PluginMetadata(name=name, distribution=f"{name} (loopback)", version="0", target=repr(plugin))
    plugins.load(metadata, lambda: plugin)
    to_worker, from_worker = os.pipe(), os.pipe()
    far = DescriptorTransport(to_worker[0], from_worker[1])
    worker = Worker(options, plugins, far, owns_process=False)
    thread = threading.Thread(target=_serve, args=(worker, far), name="bridge-loopback", daemon=True)
    thread.start()
    with BlockingClient(_Peer(DescriptorTransport(from_worker[0], to_worker[1]), thread)) as client:
        yield client


def _serve(worker: Worker, transport: DescriptorTransport) -> None:
    try:
        worker.run()
    finally:
        transport.close()  # as the end of a process does
