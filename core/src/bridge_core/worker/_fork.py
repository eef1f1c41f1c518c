"""The first thing a worker does: fork, so that a guardian stands above it before anything is imported."""

from __future__ import annotations

import os
import sys

__all__ = ["fork_guardian", "prctl"]

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def fork_guardian() -> None:
    """Fork: the child returns and becomes the worker, the parent stays here as its guardian and never returns.

    To be called before anything is imported and before any thread exists. Killed earlier than that, a worker has
    started nothing yet. Linux only: elsewhere nothing is done, and what a worker leaves behind is not ended.
    """
    if not sys.platform.startswith("linux"):
        return
    owner, guardian = os.getppid(), os.getpid()
    owner_fd = _watch(owner)
    if os.getppid() != owner:
        os._exit(0)  # the owner ended meanwhile
    worker = os.fork()
    if worker:
        from ._guardian import Guardian  # the worker never loads it

        Guardian(worker, owner_fd).stand()
    if owner_fd >= 0:
        os.close(owner_fd)
    _die_with(guardian)
    # A terminal's Ctrl-C reaches the guardian only, which hands it on: it arrives once.
    os.setsid()


def prctl(option: int, value: int) -> None:
    """Call prctl(2)."""
    import ctypes  # the only way to it, and not needed before the fork

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _watch(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends, -1 where there is none to be had."""
    try:
        return os.pidfd_open(pid)
    except OSError:  # a kernel before 5.3, or an owner outside of this namespace
        return -1


def _die_with(guardian: int) -> None:
    """Have the kernel kill this process when the guardian dies, so that even a SIGKILL for that leaves no worker.

    Right only towards a process with one thread: the kernel goes by the end of the *thread* that forked.
    """
    from signal import SIGKILL

    prctl(_PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != guardian:
        os._exit(0)
