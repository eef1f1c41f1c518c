"""The signals that end a worker: noticed at once, whatever the main thread is doing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

__all__ = ["ignore_signals", "watch_signals"]

_ENDING = (signal.SIGTERM, signal.SIGINT)
_forking = threading.local()


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
    # A SIGTERM for a forked child must end the child, and not the worker whose pipe it has inherited: not even one that
    # comes before the child could forget.
    os.register_at_fork(before=_hold_signals, after_in_parent=_let_signals, after_in_child=_forget_signals)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)  # blocked since the guardian was forked
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


def _hold_signals() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _let_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _let_signals()
