"""The worker's log: single lines on stderr, control characters escaped, quiet unless asked."""

from __future__ import annotations

import logging
import os
import re
import select
from contextlib import suppress

from bridge_core.secrets._redactor import Redactor

__all__ = ["configure_log", "one_line"]

# With its end, no more than a pipe takes at once: lines of several processes never mix, and none blocks.
_LONGEST = select.PIPE_BUF - 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """Return the text with its control characters escaped."""
    return _CONTROL.sub(lambda match: ascii(match.group())[1:-1], text)


class _Stderr(logging.Handler):
    """Writes lines to fd 2, and loses them while it is a full pipe: a log that nobody reads must stop nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record).encode("utf-8", "backslashreplace")
        if len(line) > _LONGEST:
            line = line[: _LONGEST // 2] + b" [...] " + line[-_LONGEST // 2 :]
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        if poll.poll(0):
            with suppress(OSError):  # the reader of the log is gone
                os.write(2, line + b"\n")


class _SingleLine(logging.Formatter):
    """Writes a record as one line, whatever is in it: a log must not be forged by what a peer sends.

    Here, and nowhere else, secrets are taken out of it.
    """

    def __init__(self, layout: str, redactor: Redactor) -> None:
        super().__init__(layout)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return one_line(self._redactor.redact(super().format(record)))


def configure_log(worker_id: str, *, debug: bool, redactor: Redactor) -> None:
    """Send our own log to stderr; frameworks' logs are left as they are."""
    handler = _Stderr()
    layout = f"%(asctime)s {worker_id.replace('%', '%%')} %(levelname)s %(message)s"
    handler.setFormatter(_SingleLine(layout, redactor))
    log = logging.getLogger("bridge_core")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.DEBUG if debug else logging.WARNING)
