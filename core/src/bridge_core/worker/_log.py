"""The worker's log: single lines on stderr, control characters escaped, quiet unless asked."""

from __future__ import annotations

import logging
import re

__all__ = ["configure_log"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _SingleLine(logging.Formatter):
    """Writes a record as one line, whatever is in it: a log must not be forged by what a peer sends."""

    def format(self, record: logging.LogRecord) -> str:
        return _CONTROL.sub(lambda match: ascii(match.group())[1:-1], super().format(record))


def configure_log(worker_id: str, *, debug: bool) -> None:
    """Send our own log to stderr; frameworks' logs are left as they are."""
    handler = logging.StreamHandler()
    handler.setFormatter(_SingleLine(f"%(asctime)s {worker_id} %(levelname)s %(message)s"))
    log = logging.getLogger("bridge_core")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.DEBUG if debug else logging.WARNING)
