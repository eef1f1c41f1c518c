"""The one place that starts worker processes, and ends them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from ._descriptors import DescriptorTransport

__all__ = ["WorkerProcess"]

# Seconds after SIGTERM in which a guardian ends any worker, and whatever that has started: see worker/_grace.py. Killed
# itself, it could not.
_GUARDIAN = 5.0
# Keeps the current folder off the worker's sys.path (from Python 3.11 on): a peer may start it anywhere, and a file
# json.py there must not become a part of it. The worker takes it back, so that its own children are as usual.
_SAFE_PATH = {"PYTHONSAFEPATH": "bridge"}


class WorkerProcess:
    """A worker started as a child, and the transport to it.

    Args:
        arguments: What follows `python -m bridge_core worker`.
        python: The interpreter to run; this one by default.
        environment: Variables set or, with None, removed for the worker only.
        stderr: Where its log goes; this process's stderr by default.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        *,
        python: str = sys.executable,
        environment: Mapping[str, str | None] | None = None,
        stderr: IO[bytes] | int | None = None,
    ) -> None:
        import subprocess  # workers import this package too, and start nothing

        merged = {**_SAFE_PATH, **os.environ, **(environment or {})}
        self._process = subprocess.Popen(
            [python, "-m", "bridge_core", "worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={name: value for name, value in merged.items() if value is not None},
            bufsize=0,
        )
        assert self._process.stdin is not None  # asked for above
        assert self._process.stdout is not None
        ours = (self._process.stdin, self._process.stdout)
        # The transport owns descriptors of its own, so that closing it and closing Popen's files never meet.
        self.transport = DescriptorTransport(os.dup(ours[1].fileno()), os.dup(ours[0].fileno()))
        for stream in ours:
            stream.close()
        self._closed = False

    @property
    def pid(self) -> int:
        """The id of the process that was started: on Linux the worker's guardian, whose exit code is the worker's."""
        return self._process.pid

    def returncode(self) -> int | None:
        """Return the exit code, negative for a signal, None while the worker runs."""
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, if the worker still runs."""
        self._process.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Wait for the worker to end by itself and return its exit code.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        return self._process.wait(timeout)

    def close(self, grace: float = 2.0) -> int:
        """End the worker: close its input, then SIGTERM, then SIGKILL, waiting in between; return its exit code."""
        from subprocess import TimeoutExpired

        if not self._closed:
            self._closed = True
            self.transport.close()
        for step, wait in ((self._process.terminate, grace), (self._process.kill, _GUARDIAN)):
            try:
                return self._process.wait(wait)
            except TimeoutExpired:
                step()
        return self._process.wait()
