"""A unix socket as a wire: its buffer, and how long one read of it may wait."""

from __future__ import annotations

import os
import stat
import struct
import sys
from typing import TYPE_CHECKING

from ._buffers import BUFFER_BYTES

if TYPE_CHECKING:
    import socket

__all__ = ["LONGEST_READ", "bound_reads", "longest_spin", "socket_at"]

LONGEST_READ = 0.015
"""Seconds that a read may wait once `bound_reads` was called."""
_TIMEVAL = struct.pack("@ll", 0, 5000)  # the kernel counts in ticks, of which the longest has 10 ms

_SPIN = 0.000_05  # what it takes to be woken on another CPU: spinning in vain at most doubles that


def longest_spin() -> float:
    """Return for how many seconds a reader looks again and again before it sleeps; 0 where nothing would come of it."""
    return _SPIN if len(os.sched_getaffinity(0)) > 1 else 0.0


def socket_at(fd: int) -> socket.socket | None:
    """Return a socket's descriptor as a socket that blocks as it did before, and has a larger buffer; else None."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return None
    import socket  # a worker on pipes does without

    blocking = os.get_blocking(fd)
    found = socket.socket(fileno=fd)
    if found.gettimeout() is not None:
        found.settimeout(None)  # the program's default; `send` would wait that long before it asks the kernel
        os.set_blocking(fd, blocking)
    if found.family == socket.AF_UNIX and found.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < BUFFER_BYTES:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    return found


def bound_reads(wire: socket.socket) -> bool:
    """Let no read of a blocking socket wait long, and return whether that is so."""
    if sys.platform != "linux":
        return False
    import socket

    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)
    return True
