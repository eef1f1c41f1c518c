"""The last lines that a process wrote to its stderr, passed on as they come."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable

from bridge_core.secrets._redactor import Redactor

__all__ = ["LastLines"]

_log = logging.getLogger(__name__)

KEPT = 50
"""Lines kept."""
_LONGEST = 4096  # bytes of one line; what is longer is cut into several
_PATIENCE = 1.0  # seconds for the rest to come when the process has ended


class LastLines:
    """A pipe for a child's stderr and the thread that empties it.

    Args:
        on_line: Called in that thread with each line; None drops them, the last ones are kept all the same.
        name: The thread's name.
        redactor: Takes secrets out of each line before anybody sees it.
    """

    def __init__(self, on_line: Callable[[str], None] | None, *, name: str, redactor: Redactor | None = None) -> None:
        self._read_fd, self.write_fd = os.pipe()
        self._stop_read, self._stop_write = os.pipe()
        self._on_line = on_line
        self._redactor = redactor
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._begun = b""
        self._ending = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Let go of the end that the child has now, and empty the other one."""
        os.close(self.write_fd)
        self.write_fd = -1
        self._thread.start()

    def finish(self) -> list[str]:
        """Return the last lines of a process that has ended; those of descendants may be missing."""
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)
            self.close()
        return list(self._lines)

    def close(self) -> None:
        """End the thread, unless what it calls does not return, and close the pipe; again does nothing."""
        if self.write_fd >= 0:  # never started
            os.close(self.write_fd)
            self.write_fd = -1
            self._close()
            return
        with self._ending:
            if not self._ended:
                os.write(self._stop_write, b"!")  # not just closed: a fork may have it open, too
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            self._pump()
        finally:
            self._close()

    def _close(self) -> None:
        with self._ending:
            if not self._ended:
                self._ended = True
                for fd in (self._read_fd, self._stop_read, self._stop_write):
                    os.close(fd)

    def _pump(self) -> None:
        poll = select.poll()
        poll.register(self._read_fd, select.POLLIN)
        poll.register(self._stop_read, select.POLLIN)
        while all(fd == self._read_fd for fd, _ in poll.poll()):
            data = os.read(self._read_fd, 1 << 16)
            if not data:
                break
            self._take(data)
        if self._begun:
            self._take(b"\n")

    def _take(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        if redactor := self._redactor:
            lines = [_without(redactor, line) for line in lines]
        # What has no end yet is cut where no secret can be cut in two.
        if len(self._begun) > _LONGEST + (reach := redactor.reach if redactor else 0):
            begun = _without(redactor, self._begun) if redactor else self._begun
            cut = max(0, len(begun) - reach)
            self._begun = begun[cut:]
            if cut:
                lines.append(begun[:cut])
        pieces = [line[start : start + _LONGEST] for line in lines for start in range(0, len(line) or 1, _LONGEST)]
        for piece in pieces:
            text = piece.decode(errors="replace").rstrip("\r")
            self._lines.append(text)
            if self._on_line is not None:
                self._tell(self._on_line, text)

    def _tell(self, on_line: Callable[[str], None], text: str) -> None:
        try:
            on_line(text)
        except Exception:  # boundary: thread top — a worker that nobody empties would stop
            _log.exception("what takes a worker's stderr failed, and is not asked again")
            self._on_line = None


def _without(redactor: Redactor, line: bytes) -> bytes:
    """Return a line without secrets; what is no UTF-8 in it stays as it is."""
    text = line.decode(errors="surrogateescape")
    redacted = redactor.redact(text)
    return line if redacted is text else redacted.encode(errors="surrogateescape")
