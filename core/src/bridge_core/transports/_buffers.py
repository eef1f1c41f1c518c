"""Buffers for large messages: the kernel's, and malloc's."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

__all__ = ["enlarge_pipe", "reuse_memory", "socket_at"]

_BYTES = 1 << 20


def enlarge_pipe(fd: int) -> None:
    """Ask for a pipe of 1 MiB: fewer switches for large payloads. Not a pipe, or over the user's limit: leave it."""
    import fcntl

    try:
        fcntl.fcntl(fd, 1031, _BYTES)  # F_SETPIPE_SZ, which `fcntl` names only on Linux
    except OSError:
        return


@cache
def reuse_memory() -> None:
    """Have malloc use the memory of one large message for the next, which makes 1 MiB three times as fast.

    glibc maps blocks that are larger than any mapped one freed before, and touching new pages costs more than copying.
    So it is shown one of the largest size that counts (32 MiB), which is never touched and takes no memory.
    """
    with suppress(MemoryError):
        bytes((1 << 25) - (1 << 16))


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
    if found.family == socket.AF_UNIX and found.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < _BYTES:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BYTES)
    return found
