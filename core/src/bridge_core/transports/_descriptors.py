"""A transport over two descriptors: one thread reads, any thread writes, and the reader never blocks on a write."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque

from bridge_core.errors import TransportClosedError

__all__ = ["DescriptorTransport", "claim_standard_streams"]

_READ_SIZE = 1 << 18
_PIPE_BYTES = 1 << 20
# A descriptor that polls as writable takes this much without blocking: a free page of a pipe (PIPE_BUF), and far
# less than what a unix socket keeps free before it says so.
_SAFE_WRITE = select.PIPE_BUF


def claim_standard_streams() -> tuple[int, int]:
    """Take fd 0 and 1 for the wire and return their private duplicates, which children do not inherit.

    Afterwards fd 0 is the null device and fd 1 is stderr: what a framework prints is log, and it finds nothing to
    read. Must be called before anything is imported that could print or read.
    """
    wire_in, wire_out = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    if not _is_open(2):
        os.dup2(null, 2)
    os.close(null)
    os.dup2(2, 1)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 — it lives as long as the process
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    return wire_in, wire_out


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _enlarge_pipe(fd: int) -> None:
    """Ask for a pipe of 1 MiB: fewer switches for large payloads. Not a pipe, or over the user's limit: leave it."""
    import fcntl

    try:
        fcntl.fcntl(fd, 1031, _PIPE_BYTES)  # F_SETPIPE_SZ, which `fcntl` names only on Linux
    except OSError:
        return


class DescriptorTransport:
    """Sends and receives bytes over a readable and a writable descriptor, which it owns from now on.

    Args:
        read_fd: Where bytes come from.
        write_fd: Where bytes go to.
        max_pending: Bytes that may wait to be written before `receive` stops reading.
    """

    def __init__(self, read_fd: int, write_fd: int, *, max_pending: int = 1 << 26) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._max_pending = max_pending
        self._pending: deque[memoryview] = deque()
        self._writing = threading.Lock()
        for fd in {read_fd, write_fd}:
            _enlarge_pipe(fd)

    def write(self, data: bytes) -> None:
        """Send, waiting until the other end has room.

        Raises:
            TransportClosedError: The other end is gone.
        """
        self._pending.append(memoryview(data))
        self.drain()

    def drain(self) -> None:
        """Send all that was kept, waiting until the other end has room.

        Raises:
            TransportClosedError: The other end is gone.
        """
        with self._writing:
            while self._pending:
                self._write_some(len(self._pending[0]))

    def offer(self, data: bytes) -> bool:
        """Send what can be sent without waiting, keep the rest; return whether nothing is left.

        The reading thread may call this: what is kept goes out while it waits in `receive`.
        """
        self._pending.append(memoryview(data))
        return self.flush()

    def flush(self) -> bool:
        """Send what can be sent without waiting; return whether nothing is left."""
        while self._pending and self._writing.acquire(blocking=False):
            try:
                while self._pending and self._is_writable():
                    self._write_some(_SAFE_WRITE)
                if self._pending:
                    return False
            except TransportClosedError:
                return True
            finally:
                self._writing.release()
        return not self._pending

    def receive(self, timeout: float | None = None) -> bytes:
        """Wait for bytes and return them; b"" when the other end is gone or has closed its end.

        Meanwhile sends what was kept. While more than `max_pending` bytes wait, nothing is read: the one
        bounded answer to a peer that asks for ever and never reads.

        Raises:
            TimeoutError: Nothing came for `timeout` seconds.
        """
        poll = select.poll()
        while True:
            crowded = bool(self._pending) and sum(map(len, self._pending.copy())) > self._max_pending
            poll.register(self._read_fd, 0 if crowded else select.POLLIN)
            poll.register(self._write_fd, select.POLLOUT if self._pending else 0)
            events = poll.poll(None if timeout is None else timeout * 1000)
            if not events:
                raise TimeoutError(f"nothing came for {timeout} seconds")
            for fd, event in events:
                if fd == self._write_fd and event & select.POLLOUT:
                    self.flush()
                elif fd == self._write_fd:  # POLLERR, POLLHUP: nobody will ever read
                    return b""
                elif fd == self._read_fd:
                    try:
                        return os.read(self._read_fd, _READ_SIZE)
                    except BlockingIOError:
                        continue  # the peer made its end, and so ours, non-blocking
                    except ConnectionResetError:
                        return b""

    def close(self) -> None:
        """Close both descriptors; bytes still kept are lost."""
        self._pending.clear()
        for fd in {self._read_fd, self._write_fd}:
            os.close(fd)

    def _is_writable(self, timeout_ms: int | None = 0) -> bool:
        poll = select.poll()
        poll.register(self._write_fd, select.POLLOUT)
        return bool(poll.poll(timeout_ms))

    def _write_some(self, most: int) -> None:
        """Write from the head of what is pending; the caller holds the lock."""
        head = self._pending[0]
        try:
            written = os.write(self._write_fd, head[:most])
        except BlockingIOError:
            self._is_writable(None)
            return
        except OSError as exc:
            self._pending.clear()
            raise TransportClosedError(f"the other end no longer reads: {exc}") from exc
        if written == len(head):
            self._pending.popleft()
        else:
            self._pending[0] = head[written:]
