"""A unix socket as a wire: its buffer, and how long its reader spins."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ._buffers import BUFFER_BYTES

if TYPE_CHECKING:
    import socket

__all__ = ["longest_spin", "socket_at"]

_SPIN = 0.000_05  # what it takes to be woken on another CPU: spinning in vain at most doubles that


def longest_spin() -> float:
    """Return for how many seconds a reader looks again and again before it sleeps; 0 where nothing would come of it."""
    if not hasattr(os, "sched_getaffinity"):  # macOS
        return 0.0
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
