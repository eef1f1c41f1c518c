"""The last lines that a process wrote to its stderr, passed on as they come."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable

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
    """

    def __init__(self, on_line: Callable[[str], None] | None, *, name: str) -> None:
        self._read_fd, self.write_fd = os.pipe()
        self._stop_read, self._stop_write = os.pipe()
        self._on_line = on_line
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._begun = b""
        self._thread = threading.Thread(target=self._pump, name=name, daemon=True)

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
        """End the thread and close the pipe; again does nothing."""
        if self._stop_write < 0:
            return
        os.close(self._stop_write)
        self._stop_write = -1
        if self.write_fd >= 0:
            os.close(self.write_fd)
        else:
            self._thread.join()
        os.close(self._stop_read)
        os.close(self._read_fd)

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
        while len(self._begun) > _LONGEST:
            lines.append(self._begun[:_LONGEST])
            self._begun = self._begun[_LONGEST:]
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            self._lines.append(text)
            if self._on_line is not None:
                self._tell(self._on_line, text)

    def _tell(self, on_line: Callable[[str], None], text: str) -> None:
        try:
            on_line(text)
        except Exception:  # boundary: thread top — a worker that nobody empties would stop
            _log.exception("what takes a worker's stderr failed, and is not asked again")
            self._on_line = None
