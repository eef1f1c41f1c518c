"""Errors that came over the wire, as exceptions again."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from bridge_core.errors import CODES, BridgeError, Code, ForkedProcessError, RefLostError, WorkerCrashedError, by_reason
from bridge_core.protocol import Failure
from bridge_core.secrets._redactor import Redactor

if TYPE_CHECKING:
    from ._replies import Reply

__all__ = ["exception_of", "forked", "ref_lost", "without_secrets", "worker_ended"]

# What a session answers whose object is not there.
_NOT_THERE = frozenset(["REF_NOT_FOUND", "PROGRAM_NOT_FOUND", "CHAIN_NOT_FOUND", "AGENT_NOT_FOUND", "MODEL_NOT_FOUND"])


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


def without_secrets(error: BridgeError, redactor: Redactor | None) -> BridgeError:
    """Return an error after taking out of it what nobody may see."""
    if redactor:
        error.message = redactor.redact(error.message)
        error.args = (error.message,)
        error.details = redactor.scrub(error.details)
    return error


def forked() -> ForkedProcessError:
    """Return the error of a process that uses what belongs to the one that it was forked from."""
    return ForkedProcessError("this process was forked from the one that the worker belongs to; make a new Bridge")


def ref_lost(error: BridgeError) -> BridgeError:
    """Return what an error means in a session whose worker was replaced: what this one has never had was lost."""
    if error.reason not in _NOT_THERE or "gone" in error.details:
        return error
    lost = RefLostError(f"{error.message}: it was lost with the worker that held it; make it again")
    lost.details = error.details
    return lost


def worker_ended(
    reply: Reply, exit_code: int | None, lines: Sequence[str], last_words: BridgeError | None
) -> WorkerCrashedError:
    """Return the error of a request that a worker did not answer before it ended."""
    signal_name = _signal_name(exit_code)
    how = f"signal {signal_name}" if signal_name else f"exit code {exit_code}"
    message = f"the worker ended ({how}) before it answered {reply.operation}"
    if last_words is not None:
        message += f"; the last that it said: {last_words.message}"
    elif lines:
        message += f"; the end of its log: {lines[-1]}"
    return WorkerCrashedError(
        message,
        exit_code=None if signal_name else exit_code,
        signal=signal_name,
        request={"id": reply.id, "operation": reply.operation, "session_id": reply.session_id},
        stderr=list(lines),
    )


def _signal_name(exit_code: int | None) -> str | None:
    """Return which signal an exit code stands for, None if it stands for none."""
    if exit_code is None or exit_code >= 0:
        return None
    try:
        return signal.Signals(-exit_code).name
    except ValueError:  # a real-time signal
        return str(-exit_code)
