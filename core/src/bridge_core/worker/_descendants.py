"""Ending whatever a framework has started, so that a worker leaves nothing behind."""

from __future__ import annotations

import os
import signal

__all__ = ["kill_descendants"]


def kill_descendants() -> None:
    """Kill what descends from this process at this moment.

    What a child starts meanwhile, and daemons that a sub-reaper inherits as their parents die, are found by calling
    again. Linux only: elsewhere there is no /proc and nothing is done.
    """
    for pid in _descendants(os.getpid()):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:  # it has ended, or has become somebody else's (setuid)
            continue


def _descendants(root: int) -> list[int]:
    """List the descendants, parents before children."""
    found: list[int] = []
    todo = [root]
    while todo:
        pid = todo.pop()
        children = _children(pid)
        found += children
        todo += children
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children += map(int, file.read().split())
    except OSError:  # it ended meanwhile, or this system has no /proc
        return children
    return children
