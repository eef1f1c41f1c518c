"""The signals that end a worker: noticed at once, whatever the main thread is doing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

__all__ = ["ignore_signals", "watch_signals"]

_ENDING = (signal.SIGTERM, signal.SIGINT)


def watch_signals(order: Callable[[str], None]) -> None:
    """Call `order` with the signal's name for each SIGTERM and SIGINT; only in the main thread.

    Python runs signal handlers in the main thread between two steps of its own: not while that is in a long C
    call, and not if the signal comes right before it blocks. So the C handler also writes the number to a pipe,
    which a thread reads. The handler remains for the case that a framework takes the pipe away.
    """
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in _ENDING:
        signal.signal(number, lambda number, frame: order(signal.Signals(number).name))
    # Otherwise a SIGTERM for a forked child would not end the child, and would end the worker.
    os.register_at_fork(after_in_child=_forget_signals)
    threading.Thread(target=_read, args=(read_fd, order), name="bridge-signals", daemon=True).start()


def ignore_signals() -> None:
    """Let no signal disturb the interpreter's own exit, which takes Python's handlers away."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def _read(read_fd: int, order: Callable[[str], None]) -> None:
    while numbers := os.read(read_fd, 64):
        for number in numbers:
            if number in _ENDING:
                order(signal.Signals(number).name)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
