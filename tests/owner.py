"""A program that owns a worker, to be killed by tests: `python owner.py JOB FIFO [bridge] [leak]`.

It starts a worker, gives it the job, prints a line of JSON with the ids of all processes that must not outlive it, and
waits to be killed. With `bridge` it does so through a Bridge instead of bare pipes. With `leak` a sibling inherits the
end of the pipe, or of the socket, that the worker reads from.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from peer import PLUGINS, Peer, plugin_path

from bridge_core import Bridge
from guards import children

_SIBLING = "import signal; print(flush=True); signal.pause()"
_HANGS = PLUGINS.with_name("plugins_broken") / "hangs"


class Owned(Protocol):
    """A worker and how to speak to it."""

    def pid(self) -> int:
        """The id of the process that was started."""

    def result(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Run an operation."""

    def send(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """Start an operation."""


class ByPipes:
    """A worker at two pipes."""

    def __init__(self, fifo: str, starting: bool) -> None:
        flags = ("--framework", "hangs") if starting else ()
        self._peer = Peer(*flags, folders=(_HANGS if starting else PLUGINS,), environment={"PROBE_FIFO": fifo})

    def pid(self) -> int:
        return self._peer.process.pid

    def result(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        return self._peer.result(operation, arguments)

    def send(self, operation: str, arguments: Mapping[str, Any]) -> None:
        self._peer.send(operation, arguments)


class ByBridge:
    """A worker of a Bridge, at a socket."""

    def __init__(self, fifo: str, starting: bool) -> None:
        name, folder = ("hangs", _HANGS) if starting else ("probe", PLUGINS)
        self._bridge = Bridge({name: {"environment": {"PYTHONPATH": plugin_path(folder), "PROBE_FIFO": fifo}}})
        if starting:
            threading.Thread(target=self._bridge.start, daemon=True).start()
        else:
            self._bridge.start()

    def pid(self) -> int:
        if pids := self._bridge.pids():
            return pids["probe"]
        (child,) = children()  # of a worker that is still starting there is no id yet
        return child

    def result(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        return self._bridge.run(operation, arguments)

    def send(self, operation: str, arguments: Mapping[str, Any]) -> None:
        self._bridge.submit(operation, arguments)


def leak() -> int:
    """Start a process that inherits every pipe and socket of this one; return its id."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            kind = os.fstat(fd).st_mode
        except OSError:  # the descriptor of the listing
            continue
        if stat.S_ISSOCK(kind) or stat.S_ISFIFO(kind):
            os.set_inheritable(fd, True)
    sibling = subprocess.Popen([sys.executable, "-c", _SIBLING], close_fds=False, stdout=subprocess.PIPE)
    assert sibling.stdout is not None
    sibling.stdout.readline()
    return sibling.pid


def main() -> None:
    job, fifo, *options = sys.argv[1:]
    owned: Owned = (ByBridge if "bridge" in options else ByPipes)(fifo, job == "starting")
    worker = int(Path(fifo).read_text()) if job == "starting" else owned.result("probe.own_pid", {})
    mortal = {"worker": worker, "guardian": owned.pid()}
    if job in ("spawn", "daemon"):
        mortal["descendant"] = owned.result(f"probe.{job}", {"new_session": True} if job == "spawn" else {})
    elif job == "swallow":
        owned.send("probe.swallow", {"name": "n"})
        owned.result("probe.reached", {"name": "n"})
    elif job == "hold":
        owned.send("probe.hold", {"fifo": fifo})
        Path(fifo).read_text()
    sibling = leak() if "leak" in options else 0
    sys.stdout.write(json.dumps({"mortal": mortal, "sibling": sibling}) + "\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
