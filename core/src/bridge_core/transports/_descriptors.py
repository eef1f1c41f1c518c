"""A transport over two descriptors: one thread reads, any thread writes, and the reader never blocks on a write."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque

from bridge_core.errors import TransportClosedError

__all__ = ["DescriptorTransport", "claim_standard_streams"]

# A small buffer is had without a system call; one that was filled is followed by a large one.
_READ_SMALL, _READ_LARGE = 1 << 16, 1 << 20
_PIPE_BYTES = 1 << 20
# A descriptor that polls as writable takes this much without blocking: a free page of a pipe (PIPE_BUF), and far
# less than what a unix socket keeps free before it says so.
_SAFE_WRITE = select.PIPE_BUF


def claim_standard_streams() -> tuple[int, int]:
    """Take fd 0 and 1 for the wire and return their private duplicates, which children do not inherit.

    Afterwards fd 0 is the null device and fd 1 is stderr: what a framework prints is log, and it finds nothing to
    read. Must be called before anything is imported that could print or read.
    """
    import fcntl

    # From 3 on, because who starts a worker may have closed fd 2: it must not become the wire.
    wire_in, wire_out = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in (0, 1))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    if null == 2:  # the lowest one free: stderr was closed, and is the null device from now on
        os.set_inheritable(2, True)
    else:
        os.close(null)
    os.dup2(2, 1)
    if sys.stderr is None:
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 — it lives as long as the process
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 — it lives as long as the process
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    return wire_in, wire_out


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
        write_fd: Where bytes go to; another descriptor, for a socket a duplicate.
        max_pending: Bytes that may wait to be written before `receive` stops reading.
    """

    def __init__(self, read_fd: int, write_fd: int, *, max_pending: int = 1 << 26) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._max_pending = max_pending
        self._pending: deque[memoryview] = deque()
        self._pending_bytes = 0
        self._counting = threading.Lock()
        self._writing = threading.Lock()
        self._read_size = _READ_SMALL
        self._writable = select.poll()
        self._writable.register(write_fd, select.POLLOUT)
        self._incoming = select.poll()  # what `receive` waits for, kept as registered between calls
        self._incoming.register(read_fd, select.POLLIN)
        self._incoming.register(write_fd, 0)
        self._as_registered = (False, False)
        for fd in (read_fd, write_fd):
            _enlarge_pipe(fd)

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
        self.keep(data)
        return self.flush()

    def flush(self) -> bool:
        """Send what can be sent without waiting; return whether nothing is left."""
        while self._pending and self._writing.acquire(blocking=False):
            try:
                while self._pending and self._writable.poll(0):
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
        bounded answer to a peer that asks for ever and never reads. If it then closes its end, that is the end,
        whatever else it had sent.

        Raises:
            TimeoutError: Nothing came for `timeout` seconds.
        """
        while True:
            self._register()
            events = self._incoming.poll(None if timeout is None else timeout * 1000)
            if not events:
                raise TimeoutError(f"nothing came for {timeout} seconds")
            for fd, event in events:
                if fd == self._read_fd and not event & select.POLLIN and self._as_registered[1]:
                    return b""  # POLLHUP, which comes unasked
                if fd == self._read_fd:
                    data = self._read()
                    if data is not None:
                        return data
                elif event & select.POLLOUT:
                    self.flush()
                else:  # POLLERR, POLLHUP: nobody will ever read
                    return b""

    def wait_for_room(self) -> bool:
        """Wait until no more than `max_pending` bytes are kept; return False if the other end hangs up instead.

        For the thread that calls `receive`, between two answers to what it has received.
        """
        while self._pending_bytes > self._max_pending:
            self._register()
            for _, event in self._incoming.poll():
                if event & select.POLLOUT:
                    self.flush()
                elif not event & select.POLLIN:
                    return False
        return True

    def disown(self) -> None:
        """Let go of the wire in a forked child: it must not speak for its parent, nor keep the wire open."""
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (self._read_fd, self._write_fd):
            os.dup2(null, fd)
        os.close(null)

    def close(self) -> None:
        """Close both descriptors; bytes still kept are lost."""
        self._forget()
        for fd in (self._read_fd, self._write_fd):
            os.close(fd)

    def _register(self) -> None:
        """Say what to wait for: room if something was kept, bytes unless too much was."""
        wanted = (bool(self._pending), self._pending_bytes > self._max_pending)
        if wanted != self._as_registered:
            kept, crowded = self._as_registered = wanted
            self._incoming.modify(self._write_fd, select.POLLOUT if kept else 0)
            self._incoming.modify(self._read_fd, 0 if crowded else select.POLLIN)

    def _read(self) -> bytes | None:
        """Read what is there; None if that was nothing after all, b"" at the end."""
        try:
            data = os.read(self._read_fd, self._read_size)
        except BlockingIOError:
            return None  # the peer made its end, and so ours, non-blocking
        except ConnectionResetError:
            return b""
        self._read_size = _READ_LARGE if len(data) == self._read_size else _READ_SMALL
        return data

    def _write_some(self, most: int) -> None:
        """Write from the head of what is pending; the caller holds the lock."""
        head = self._pending[0]
        try:
            written = os.write(self._write_fd, head[:most])
        except BlockingIOError:
            self._writable.poll()
            return
        except OSError as exc:
            self._forget()
            raise TransportClosedError(f"the other end no longer reads: {exc}") from exc
        if written == len(head):
            self._pending.popleft()
        else:
            self._pending[0] = head[written:]
        with self._counting:
            self._pending_bytes -= written

    def keep(self, data: bytes) -> None:
        """Put bytes behind those that wait; `drain` or `flush` sends them. Never blocks."""
        with self._counting:
            self._pending.append(memoryview(data))
            self._pending_bytes += len(data)

    def _forget(self) -> None:
        with self._counting:
            self._pending.clear()
            self._pending_bytes = 0
