"""Errors that came over the wire, as exceptions again."""

from __future__ import annotations

from typing import cast

from bridge_core.errors import CODES, BridgeError, Code, by_reason
from bridge_core.protocol import Failure

__all__ = ["exception_of"]


def exception_of(failure: Failure) -> BridgeError:
    """Return an exception of the reason's class, RemoteError for a reason that is not the core's."""
    info = failure.error_info
    kind = by_reason(info.reason)
    error = kind(failure.error, retryable=info.retryable)
    error.details = dict(info.details)
    error.reason = info.reason
    if info.code in CODES:
        error.code = cast("Code", info.code)
    return error
