"""The one place that starts worker processes, and ends them."""

from __future__ import annotations

import os
import signal
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Literal

from bridge_core.secrets._redactor import Redactor

from ._descriptors import DescriptorTransport
from ._lines import LastLines

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
        wire: "pipes" as any other peer has them, or one "socket" (a pair of unix sockets), which is faster.
        stderr: Where its log goes; this process's stderr by default.
        on_stderr: Called with each line of its stderr, in a thread of its own; instead of `stderr`, and the last
            lines are kept for `last_lines`.
        redactor: Takes secrets out of those lines.

    Raises:
        OSError: The interpreter cannot be run.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        *,
        python: str = sys.executable,
        environment: Mapping[str, str | None] | None = None,
        wire: Literal["pipes", "socket"] = "pipes",
        stderr: IO[bytes] | int | None = None,
        on_stderr: Callable[[str], None] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        import subprocess  # workers import this package too, and start nothing

        merged = {**_SAFE_PATH, **os.environ, **(environment or {})}
        ours, theirs = _socket_pair() if wire == "socket" else _pipes()
        self._lines: LastLines | None = None
        try:
            if on_stderr is not None:
                self._lines = LastLines(on_stderr, name="bridge-stderr", redactor=redactor)
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [python, "-m", "bridge_core", "worker", *arguments],
                stdin=theirs[0],
                stdout=theirs[1],
                stderr=stderr if self._lines is None else self._lines.write_fd,
                env={name: value for name, value in merged.items() if value is not None},
                # A terminal's Ctrl-C is for this program: it may go on, and if it ends, so does the worker's input.
                start_new_session=True,
            )
        except OSError:
            for fd in ours:
                os.close(fd)
            if self._lines is not None:
                self._lines.close()
            raise
        finally:
            for fd in set(theirs):
                os.close(fd)
        if self._lines is not None:
            self._lines.start()
        # No limit to what is kept but that of requests in flight: a worker that stops reading until it is read would
        # wait for ever.
        self.transport = DescriptorTransport(*ours, max_pending=sys.maxsize)
        self.forked = False
        """Whether this process is a fork of the one that the worker belongs to."""
        self._closed = False
        _PROCESSES.add(self)

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

    def last_lines(self) -> list[str]:
        """Return the last lines of an ended worker's stderr; none if they were not asked for."""
        return [] if self._lines is None else self._lines.finish()

    def escalate(self, ended: Callable[[float], bool], grace: float = 2.0) -> None:
        """Send SIGTERM, then SIGKILL, unless the worker ends before.

        Args:
            ended: Waits that many seconds at most for the worker's end and says whether it came.
            grace: Seconds before the first signal.
        """
        for wait, number in ((grace, signal.SIGTERM), (_GUARDIAN, signal.SIGKILL)):
            if ended(wait):
                return
            self.send_signal(number)
        ended(_GUARDIAN)

    def close(self, grace: float = 2.0) -> int:
        """End the worker: close its input, then SIGTERM, then SIGKILL, waiting in between; return its exit code."""
        if self.forked:
            return 0
        if not self._closed:
            self._closed = True
            self.transport.close()
        if self._process.poll() is None:
            self.escalate(self._exits, grace)
        self.last_lines()
        return self._process.wait()

    def _exits(self, timeout: float) -> bool:
        from subprocess import TimeoutExpired

        try:
            self._process.wait(timeout)
        except TimeoutExpired:
            return False
        return True


def _pipes() -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the descriptors to read from and write to, of the owner and of the worker."""
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    return (our_in, our_out), (their_in, their_out)


def _socket_pair() -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the same over one socket, duplicated, because a transport owns two descriptors."""
    import socket

    ours, theirs = (end.detach() for end in socket.socketpair())
    return (ours, os.dup(ours)), (theirs, theirs)


_PROCESSES: weakref.WeakSet[WorkerProcess] = weakref.WeakSet()


def _disown_all() -> None:
    """Let go of every wire in a forked child: it would keep the workers' inputs open, and might speak on them."""
    for process in list(_PROCESSES):
        process.forked = True
        if not process._closed:
            process.transport.disown()


os.register_at_fork(after_in_child=_disown_all)  # for good: such a hook cannot be taken back
