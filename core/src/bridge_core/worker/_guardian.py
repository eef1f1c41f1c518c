"""The guardian: the small process above a worker that leaves no orphan.

It is what the owner has started; the worker is its child. As a sub-reaper it inherits whatever descends from the
worker, also what has called setsid or lost its parent, and kills it all when the worker or the owner is gone. It
never reads the wire, and leaves with the worker's exit status. What else was tried: docs/decisions/0007-guardian.md.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time

from . import _grace
from ._descendants import kill_descendants
from ._fork import prctl

TYPE_CHECKING = False  # `typing` alone would be a third of what this process needs
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Guardian"]

_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 4, 36  # <sys/prctl.h>
_ENDS = frozenset([signal.SIGINT, signal.SIGTERM])
# Handed on: all that would end this process by default, and that somebody sends. Not those of the terminal, which stop
# and continue it, nor those that a defect of its own would raise.
_KEPT = frozenset({
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGURG,
    signal.SIGWINCH, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP,
    signal.SIGSYS, signal.SIGPIPE,
})  # fmt: skip
_SIGINFO = 128  # bytes of a signalfd_siginfo, which begins with the number
# The worker keeps to its own times; these, a little longer, are for one that cannot.
_MARGIN = 0.2
_WHEN_ALONE = _grace.ALONE + _grace.LAST_WORDS + _grace.HARD + _MARGIN
_WHEN_TOLD = _grace.GRACE + _grace.LAST_WORDS + _grace.HARD + _MARGIN
_LOST = 1 << 8  # the wait status of exit code 1, for a worker whose own nobody can tell
_SWEEP = 1.0  # a process in uninterruptible sleep cannot be ended by anybody


class Guardian:
    """What the process above a worker is.

    Args:
        worker: The worker's process id.
        owner_fd: Readable when the owner is gone; -1 where that cannot be watched.
        ready: Readable when the worker serves.
    """

    def __init__(self, worker: int, owner_fd: int, ready: int) -> None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._worker = worker
        self._owner_fd = owner_fd
        self._ready = ready
        self._serves = self._hung_up = False
        self._status: int | None = None
        self._deadline: float | None = None
        self._signals = _listen()
        self._poll = select.poll()
        self._poll.register(self._signals, select.POLLIN)
        self._poll.register(ready, select.POLLIN)
        self._poll.register(0, select.POLLRDHUP)  # the hang-up only: what is to be read is the worker's
        if owner_fd >= 0:
            self._poll.register(owner_fd, select.POLLIN)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)  # whoever reads the wire must see its end when the worker closes it
        os.close(null)

    def stand(self) -> NoReturn:
        """Wait until the worker has ended or is late; leave nothing behind, and leave as it did."""
        self._reap()
        while self._status is None and (left := self._left_ms()) != 0:
            for fd, _ in self._poll.poll(left):
                self._notice(fd)
            self._reap()
        self._sweep()
        self._leave()

    def _notice(self, fd: int) -> None:
        if fd == self._signals:
            infos = os.read(fd, 16 * _SIGINFO)
            for start in range(0, len(infos), _SIGINFO):
                number = int.from_bytes(infos[start : start + 4], sys.byteorder)
                if number != signal.SIGCHLD:
                    os.kill(self._worker, number)  # not reaped yet: the number is still its own
                if number in _ENDS:
                    self._end_within(_WHEN_TOLD)
        elif fd == self._owner_fd:
            self._poll.unregister(fd)
            os.kill(self._worker, signal.SIGTERM)
            self._end_within(_WHEN_ALONE)
        elif fd == self._ready:
            self._poll.unregister(fd)
            self._serves = True
            if self._hung_up:
                self._end_within(_WHEN_ALONE)
        else:  # the input has ended, or there never was one
            self._poll.unregister(fd)
            self._hung_up = True
            # A worker that does not serve yet has not read what was sent before: its time begins when it can.
            self._end_within(_WHEN_ALONE if self._serves else _grace.START)

    def _end_within(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._deadline = end if self._deadline is None else min(self._deadline, end)

    def _left_ms(self) -> int | None:
        """Return how long to wait, 0 when the worker is late, None for any time."""
        if self._deadline is None:
            return None
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def _reap(self) -> bool:
        """Collect what has ended, the worker and orphans that became ours; return whether children are left."""
        try:
            while (reaped := os.waitpid(-1, os.WNOHANG))[0]:
                if reaped[0] == self._worker:
                    self._status = reaped[1]
        except ChildProcessError:
            if self._status is None:
                self._status = _LOST
            return False
        return True

    def _sweep(self) -> None:
        """Let end by itself what does so, then kill all that descends from here until nothing is left."""
        worker_is_gone = self._status is not None
        patience = time.monotonic() + (_grace.ORPHANS if worker_is_gone else 0.0)
        end = patience + _SWEEP
        while self._reap() and (now := time.monotonic()) < end:
            if now >= patience:
                kill_descendants()
            select.select([], [], [], 0.001)

    def _leave(self) -> NoReturn:
        """End the way the worker did: by the same signal, or with the same code."""
        code = -signal.SIGKILL if self._status is None else os.waitstatus_to_exitcode(self._status)
        if code >= 0:
            os._exit(code)
        prctl(_PR_SET_DUMPABLE, 0)  # one core dump is enough
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)  # SIGINT has a handler of Python's
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
        os.kill(os.getpid(), -code)
        os._exit(128 - code)  # the first process of a container does not die of its own signal


def _listen() -> int:
    """Have signals arrive on a descriptor, as signalfd(2), and return it.

    Not by handlers: Python would run one for every signal of a flood, and do nothing else. A blocked signal that comes
    again before it was read is one signal.
    """
    libc = ctypes.CDLL(None)
    # What is ignored stays so: `nohup` means it.
    heard = {number for number in signal.valid_signals() - _KEPT if signal.getsignal(number) is not signal.SIG_IGN}
    mask = ctypes.create_string_buffer(128)  # sigset_t
    libc.sigemptyset(mask)
    for number in heard:
        libc.sigaddset(mask, number)
    signal.pthread_sigmask(signal.SIG_SETMASK, heard)
    return int(libc.signalfd(-1, mask, os.O_NONBLOCK | os.O_CLOEXEC))
