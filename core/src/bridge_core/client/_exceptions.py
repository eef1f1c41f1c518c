"""Errors that came over the wire, as exceptions again."""

from __future__ import annotations

from bridge_core.errors import BridgeError, RemoteError, by_reason
from bridge_core.protocol import Failure

__all__ = ["exception_of"]


def exception_of(failure: Failure) -> BridgeError:
    """Return the exception whose reason came; RemoteError for one that this version does not know."""
    info = failure.error_info
    kind = by_reason(info.reason)
    error = kind(failure.error, retryable=info.retryable)
    error.details = dict(info.details)
    if kind is RemoteError:
        error.details |= {"reason": info.reason, "code": info.code}
    return error
