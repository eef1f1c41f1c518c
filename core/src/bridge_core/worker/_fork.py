"""The first thing a worker does: fork, so that a guardian stands above it before anything is imported."""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["fork_guardian", "prctl"]

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def fork_guardian() -> int:
    """Fork: the child returns and becomes the worker, the parent stays here as its guardian and never returns.

    To be called before anything is imported and before any thread exists. Killed earlier than that, a worker has
    started nothing yet. SIGTERM and SIGINT stay blocked in both until they are listened to (`watch_signals`).

    Returns:
        A descriptor on which the worker says, by one byte, that it serves; -1 where there is no guardian: Linux only,
        elsewhere what a worker leaves behind is not ended.
    """
    if not sys.platform.startswith("linux"):
        return -1
    # What the owner has blocked or ignored is its own affair, and survives exec.
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGTERM, signal.SIGINT])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    owner, guardian = os.getppid(), os.getpid()
    owner_fd = _watch(owner)
    if os.getppid() != owner:
        os._exit(0)  # the owner ended meanwhile
    ready, say_ready = os.pipe()
    worker = os.fork()
    if worker:
        from ._guardian import Guardian  # the worker never loads it

        os.close(say_ready)
        Guardian(worker, owner_fd, ready).stand()
    os.close(ready)
    if owner_fd >= 0:
        os.close(owner_fd)
    _die_with(guardian)
    # A terminal's Ctrl-C reaches the guardian only, which hands it on: it arrives once.
    os.setsid()
    return say_ready


def prctl(option: int, value: int) -> None:
    """Call prctl(2)."""
    import ctypes  # the only way to it, and not needed before the fork

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _watch(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends, -1 where there is none to be had."""
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):  # a kernel before 5.3, or an owner outside of this namespace
        return -1


def _die_with(guardian: int) -> None:
    """Have the kernel kill this process when the guardian dies, so that even a SIGKILL for that leaves no worker.

    Right only towards a process with one thread: the kernel goes by the end of the *thread* that forked.
    """
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(0)
