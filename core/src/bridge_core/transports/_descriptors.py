"""A transport over two descriptors: one thread reads, any thread writes, and the reader never blocks on a write."""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from bridge_core.errors import TransportClosedError

from ._buffers import enlarge_pipe, reuse_memory
from ._sockets import longest_spin, socket_at

if TYPE_CHECKING:
    from typing import TypeAlias

    Buffer: TypeAlias = bytes | bytearray | memoryview

__all__ = ["DescriptorTransport", "claim_standard_streams"]

# A small buffer is had without a system call; one that was filled is followed by larger ones.
_READ_SMALL, _READ_LARGE = 1 << 16, 1 << 18
# A descriptor that polls as writable takes this much without blocking: a free page of a pipe (PIPE_BUF).
_SAFE_WRITE = select.PIPE_BUF
# Not to wait is asked for with each write, because O_NONBLOCK holds for every process that shares the pipe.
_NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)  # Linux; for pipes from 6.4 on
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE})
_NO_MORE: int = getattr(select, "POLLRDHUP", 0)  # Linux; elsewhere a half-closed socket is noticed by reading


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


class DescriptorTransport:
    """Sends and receives bytes over a readable and a writable descriptor, which it owns from now on.

    Whether they block is left as it is: their flags may be shared with other processes.

    Args:
        read_fd: Where bytes come from.
        write_fd: Where bytes go to; another descriptor, for a socket a duplicate.
        max_pending: Bytes that may wait to be written before `receive` stops reading.
    """

    def __init__(self, read_fd: int, write_fd: int, *, max_pending: int = 1 << 26) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._max_pending = max_pending
        self._pending: deque[Buffer] = deque()
        self._pending_bytes = 0
        self._counting = threading.Lock()
        self._writing = threading.Lock()
        self._draining = False
        self._read_size = _READ_SMALL
        self._socket = socket_at(write_fd)
        self._spin = 0.0
        if self._socket is not None:
            import socket

            self._dont_wait = socket.MSG_DONTWAIT
            if os.path.sameopenfile(read_fd, write_fd):
                self._spin = longest_spin()
        self._inbox: deque[bytes] = deque()
        self._no_wait = _NO_WAIT
        self._writable = select.poll()
        self._writable.register(write_fd, select.POLLOUT)
        self._incoming = select.poll()  # what `receive` waits for, kept as registered between calls
        self._incoming.register(read_fd, select.POLLIN)
        self._incoming.register(write_fd, 0)
        self._as_registered = (False, False)
        self._wakes: tuple[int, int] | None = None
        self.broken = False
        """Whether a write has found that the other end no longer reads: what was offered last did not arrive."""
        for fd in (read_fd, write_fd):
            enlarge_pipe(fd)

    def offer(self, data: Buffer) -> bool:
        """Send what can be sent without waiting, keep the rest; return whether nothing is left.

        The reading thread may call this: what is kept goes out while it waits in `receive`.
        """
        if not self._pending and self._writing.acquire(blocking=False):
            try:
                if self._pending:  # kept just now by others, so it goes first
                    self.keep(data)
                elif (written := self._write_now(data)) < len(data):
                    with self._counting:  # before what others have kept meanwhile
                        self._pending.appendleft(memoryview(data)[written:])
                        self._pending_bytes += len(data) - written
            except TransportClosedError:
                return True
            finally:
                self._writing.release()
        else:
            self.keep(data)
        return not self._pending or self.flush()

    def keep(self, data: Buffer) -> None:
        """Put bytes behind those that wait; `drain` or `flush` sends them. Never blocks."""
        if data:
            with self._counting:
                self._pending.append(data)
                self._pending_bytes += len(data)

    def flush(self) -> bool:
        """Send what can be sent without waiting; return whether nothing is left."""
        while self._pending and self._writing.acquire(blocking=False):
            try:
                while self._pending:
                    written = self._write_now(self._head())
                    if not written:
                        return False
                    self._written(written)
            except TransportClosedError:
                return True
            finally:
                self._writing.release()
        return not self._pending

    def drain(self) -> None:
        """Send all that was kept, waiting until the other end has room.

        Raises:
            TransportClosedError: The other end is gone.
        """
        while self._pending:
            with self._writing:
                self._draining = True
                try:
                    while self._pending:
                        self._written(self._write(self._head()))
                finally:
                    self._draining = False

    def receive(self, timeout: float | None = None, *, spin: bool = False) -> bytes:
        """Wait for bytes and return them; b"" when the other end is gone or has closed its end.

        Arguments and errors as for `fill`.
        """
        self.fill(timeout, spin=spin)
        return self.take()

    def fill(self, timeout: float | None = None, *, spin: bool = False) -> None:
        """Wait until there is something to `take`; whatever interrupts this, no byte is lost.

        Meanwhile sends what was kept. While more than `max_pending` bytes wait, nothing is read: the one
        bounded answer to a peer that asks for ever and never reads. If it then closes its end, that is the end,
        whatever else it had sent.

        Args:
            timeout: Seconds; None for ever.
            spin: Whether to look again and again for some microseconds, and to sleep only then: to be woken takes
                longer than many answers do. Needs a CPU, so only for who has nothing else to do, and from sockets.

        Raises:
            TimeoutError: Nothing came for `timeout` seconds.
            InterruptedError: `wake` was called.
        """
        if self._inbox or (spin and self._spin and not self._pending and self._read_at_once()):
            return None
        while True:
            if self._pending or self._as_registered[0]:
                self._register()
            events = self._incoming.poll(None if timeout is None else timeout * 1000)
            if not events:
                raise TimeoutError(f"nothing came for {timeout} seconds")
            for fd, event in events:
                if fd == self._read_fd:
                    if self._as_registered[1] and not event & select.POLLIN:
                        return self._inbox.append(b"")  # POLLHUP, which comes unasked
                    if self._read():
                        return None
                elif fd != self._write_fd:
                    self._woken()
                elif event & select.POLLOUT:
                    self.flush()
                else:  # POLLERR, POLLHUP: nobody will ever read
                    return self._inbox.append(b"")

    def take(self) -> bytes:
        """Return what `fill` has found: bytes, or b"" when the other end is gone or has closed its end."""
        return self._inbox.popleft()

    def be_wakeable(self) -> None:
        """Make `wake` work; before that it does nothing."""
        if self._wakes is None:
            self._wakes = os.pipe()
            os.set_blocking(self._wakes[1], False)
            self._incoming.register(self._wakes[0], select.POLLIN)

    def wake(self) -> None:
        """Let `receive` or `wait_for_room` raise InterruptedError, now or the next time; any thread may call this."""
        if self._wakes is not None:
            with suppress(BlockingIOError):  # so many wakes are waiting already
                os.write(self._wakes[1], b"!")

    def _woken(self) -> None:
        assert self._wakes is not None  # or who else has written?
        os.read(self._wakes[0], _READ_SMALL)
        raise InterruptedError("woken")

    def hung_up(self) -> bool:
        """Return whether the other end is gone, whatever of it still waits to be received; any thread may ask."""
        ends = select.poll()
        ends.register(self._read_fd, _NO_MORE)
        ends.register(self._write_fd, 0)
        return bool(ends.poll(0))

    @property
    def crowded(self) -> bool:
        """Whether so much is kept that nothing should be read."""
        return self._pending_bytes > self._max_pending

    def wait_for_room(self) -> bool:
        """Wait until no more than `max_pending` bytes are kept; return False if the other end hangs up instead.

        For the thread that calls `receive`, between two answers to what it has received.
        """
        while self._pending_bytes > self._max_pending:
            self._register()
            for fd, event in self._incoming.poll():
                if fd not in (self._read_fd, self._write_fd):
                    self._woken()
                elif event & select.POLLOUT:
                    self.flush()
                elif not event & select.POLLIN:
                    return False
        return True

    def hang_up(self) -> None:
        """Send nothing more, so that the other end sees the end of its input; what it still sends can be received."""
        if self._socket is not None:
            import socket

            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)  # for every duplicate of it, also in a forked child
            return
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, self._write_fd)  # not closed: another thread may be about to write
        os.close(null)

    def disown(self) -> None:
        """Let go of the wire in a forked child: it must not speak for its parent, nor keep the wire open."""
        self._forget_socket()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (self._read_fd, self._write_fd, *(self._wakes or ())):
            os.dup2(null, fd)
        os.close(null)

    def close(self) -> None:
        """Close both descriptors; bytes still kept are lost."""
        self._forget()
        self._forget_socket()
        for fd in (self._read_fd, self._write_fd, *(self._wakes or ())):
            os.close(fd)

    def _register(self) -> None:
        """Say what to wait for: room if something was kept, bytes unless too much was."""
        crowded = self._pending_bytes > self._max_pending
        # Who drains sends everything, and would be disturbed for each piece; but only room ends being crowded.
        wanted = (bool(self._pending) and (crowded or not self._draining), crowded)
        if wanted != self._as_registered:
            kept, crowded = self._as_registered = wanted
            self._incoming.modify(self._write_fd, select.POLLOUT if kept else 0)
            self._incoming.modify(self._read_fd, 0 if crowded else select.POLLIN)

    def _read_at_once(self) -> bool:
        """Read what comes within some microseconds from a socket; False if nothing does."""
        end = time.monotonic() + self._spin
        while not (read := self._read(self._dont_wait)) and time.monotonic() < end:
            os.sched_yield()
        return read

    def _read(self, flags: int | None = None) -> bool:
        """Read what is there, from a socket with flags; False if that was nothing after all."""
        # In one step, between whose parts no signal's handler runs: what was read is in the inbox.
        try:
            if flags is not None and self._socket is not None:
                self._inbox.extend(map(self._socket.recv, (self._read_size,), (flags,)))
            else:
                self._inbox.extend(map(os.read, (self._read_fd,), (self._read_size,)))
        except BlockingIOError:
            return False  # the peer made its end, and so ours, non-blocking
        except ConnectionResetError:
            self._inbox.append(b"")
            return True
        if len(self._inbox[-1]) == _READ_SMALL:
            reuse_memory()
            self._read_size = _READ_LARGE
        return True

    def _head(self) -> Buffer:
        """Return what to write next, small pieces as one: one system call for all; the caller holds the lock."""
        with self._counting:
            size = count = 0
            for piece in self._pending:
                size += len(piece)
                if size > _READ_SMALL:
                    break
                count += 1
            if count > 1:
                joined = b"".join(islice(self._pending, count))
                for _ in range(count - 1):  # never empty, which would mean that nothing waits
                    self._pending.popleft()
                self._pending[0] = joined
            return self._pending[0] if self._pending else b""  # closed meanwhile

    def _write_now(self, data: Buffer) -> int:
        """Write what can be written without waiting and return how much; the caller holds the lock."""
        try:
            if self._socket is not None:
                return self._socket.send(data, self._dont_wait)
            if self._no_wait:
                return os.pwritev(self._write_fd, (data,), -1, self._no_wait)
            return os.write(self._write_fd, memoryview(data)[:_SAFE_WRITE]) if self._writable.poll(0) else 0
        except BlockingIOError:
            return 0
        except OSError as exc:
            if self._no_wait and exc.errno in _UNSUPPORTED:
                self._no_wait = 0
                return self._write_now(data)
            raise self._closed(exc) from exc

    def _write(self, data: Buffer) -> int:
        """Write, waiting for room, and return how much; the caller holds the lock."""
        try:
            return os.write(self._write_fd, data)
        except BlockingIOError:
            self._writable.poll()
            return 0
        except OSError as exc:
            raise self._closed(exc) from exc

    def _written(self, size: int) -> None:
        """Take from the head of what is pending; the caller holds the lock."""
        with self._counting:
            if not self._pending:
                return
            self._pending_bytes -= size
            head = self._pending[0]
            if size == len(head):
                self._pending.popleft()
            else:
                self._pending[0] = memoryview(head)[size:]

    def _closed(self, exc: OSError) -> TransportClosedError:
        self.broken = True
        self._forget()
        return TransportClosedError(f"the other end no longer reads: {exc}")

    def _forget(self) -> None:
        with self._counting:
            self._pending.clear()
            self._pending_bytes = 0

    def _forget_socket(self) -> None:
        if self._socket is not None:
            self._socket.detach()  # the descriptor is closed as one
            self._socket = None
