"""Every error that can reach a peer: one class a reason, and the class statements are the table of reasons.

`code` is one of the lower-case gRPC status names (a closed set, see
https://grpc.io/docs/guides/status-codes/); `reason` says exactly what happened (append-only). The reason is the
class name in upper case without `Error`: `PoolBusyError` is `POOL_BUSY`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ._models import JsonValue

Code: TypeAlias = Literal[
    "aborted", "already_exists", "cancelled", "data_loss", "deadline_exceeded", "failed_precondition",
    "internal", "invalid_argument", "not_found", "out_of_range", "permission_denied", "resource_exhausted",
    "unauthenticated", "unavailable", "unimplemented", "unknown",
]  # fmt: skip
CODES: frozenset[str] = frozenset(get_args(Code))
REASONS: dict[str, type[BridgeError]] = {}
"""The core's reasons and their classes; plugins' own classes are not listed here."""

_TEXT_LIMIT = 2000


class BridgeError(Exception):
    """The base of all errors of ours; a peer gets its message, code, reason, details and whether to retry.

    Args:
        message: One readable sentence: what happened, to which thing, what to do.
        retryable: Whether the same request may succeed later; the class decides when it is None.
        details: Machine-readable facts, JSON values only.
    """

    code: Code = "internal"
    reason: str = "INTERNAL"
    retryable: bool = False
    message: str
    details: dict[str, JsonValue]

    def __new__(cls, *args: object, **kwargs: object) -> BridgeError:
        """Make one that has all it needs, also when a subclass does not call this class's `__init__`."""
        made = super().__new__(cls, *args)
        made.message, made.details = "", {}
        return made

    def __init__(self, message: str, *, retryable: bool | None = None, **details: JsonValue) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        if retryable is not None:
            self.retryable = retryable

    def __init_subclass__(
        cls, *, code: Code | None = None, reason: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init_subclass__()
        if code is not None:
            if code not in CODES:
                raise ValueError(f"{cls.__name__}: {code!r} is no code; use one of {', '.join(sorted(CODES))}")
            cls.code = code
        if retryable is not None:
            cls.retryable = retryable
        cls.reason = reason or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Error")).upper()
        if cls.__module__ == __name__:
            REASONS[cls.reason] = cls


# invalid_argument: the request is wrong; the same request can never succeed.
class InvalidArgumentsError(BridgeError, code="invalid_argument"):
    """The arguments do not fit the operation's signature; `details.path` says where."""


class MalformedMessageError(BridgeError, code="invalid_argument"):
    """A frame arrived whole, but what is in it is no message."""


class BadTargetError(BridgeError, code="invalid_argument"):
    """The target of a dynamic call is no dotted name."""


class InvalidConfigError(BridgeError, code="invalid_argument"):
    """A configuration is wrong; `details.path` says where."""


class DuplicateIdError(BridgeError, code="invalid_argument"):
    """A request has the id of one that is still open; the open one is not touched."""


class AmbiguousOperationError(BridgeError, code="invalid_argument"):
    """Several frameworks have the operation and the request names none of them."""


# not_found
class SessionNotFoundError(BridgeError, code="not_found"):
    """The session was closed or has expired."""


class RefNotFoundError(BridgeError, code="not_found"):
    """The session has no object with this id."""


class RefLostError(BridgeError, code="not_found"):
    """The object was lost with the worker that held it; make it again."""


class VariableNotFoundError(BridgeError, code="not_found"):
    """The session has no variable with this id or name."""


class TargetNotFoundError(BridgeError, code="not_found"):
    """The target of a dynamic call does not exist."""


class ToolNotFoundError(BridgeError, code="not_found"):
    """The session has no tool with this name."""


class ProgramNotFoundError(BridgeError, code="not_found"):
    """The session has no program with this id."""


class ChainNotFoundError(BridgeError, code="not_found"):
    """The session has no chain with this id."""


class AgentNotFoundError(BridgeError, code="not_found"):
    """The session has no agent with this id."""


class ModelNotFoundError(BridgeError, code="not_found"):
    """The session has no model with this id."""


class FrameworkNotFoundError(BridgeError, code="not_found"):
    """No plugin serves this framework here."""


# already_exists
class RefExistsError(BridgeError, code="already_exists"):
    """The session already has an object with this id; delete it first or choose another id."""


class VariableExistsError(BridgeError, code="already_exists"):
    """The session already has a variable with this name."""


class ToolExistsError(BridgeError, code="already_exists"):
    """The session already has a tool with this name."""


class PluginConflictError(BridgeError, code="already_exists"):
    """Two distributions claim one framework name; uninstall all but one."""


# permission_denied, unauthenticated
class TargetNotAllowedError(BridgeError, code="permission_denied"):
    """The policy does not allow this target."""


class SecretNotAllowedError(BridgeError, code="permission_denied"):
    """A peer referred to a secret that configuration does not list."""


class BadCredentialsError(BridgeError, code="unauthenticated"):
    """The peer did not prove who it is."""


# resource_exhausted: a limit was reached; the message names the limit.
class FrameTooLargeError(BridgeError, code="resource_exhausted"):
    """A frame is longer than `max_frame_bytes`; the framing is lost."""


class ResultTooLargeError(BridgeError, code="resource_exhausted"):
    """A result does not fit in a frame; stream it or ask for less."""


class ValueTooComplexError(BridgeError, code="resource_exhausted"):
    """A value is nested too deeply, refers to itself or has too many parts."""


class StoreFullError(BridgeError, code="resource_exhausted"):
    """No room for another object or session; delete what is no longer needed."""


class PoolBusyError(BridgeError, code="resource_exhausted", retryable=True):
    """The pool's queue is full; nothing was run."""


class TooManyInFlightError(BridgeError, code="resource_exhausted", retryable=True):
    """The peer has too many open requests; wait for answers first."""


class QueueTimeoutError(BridgeError, code="resource_exhausted", retryable=True):
    """The request waited too long for a worker; it was not run."""


class PoisonRequestError(BridgeError, code="resource_exhausted"):
    """The request has killed several workers and is not run again."""


class MemoryLimitError(BridgeError, code="resource_exhausted"):
    """The worker has used more memory than it may."""


# failed_precondition: something must be done first.
class NotConfiguredError(BridgeError, code="failed_precondition"):
    """The session lacks a configuration that the operation needs."""


class FrameworkUnavailableError(BridgeError, code="failed_precondition"):
    """The framework is not installed or cannot be imported."""


class PluginLoadFailedError(BridgeError, code="failed_precondition"):
    """The plugin of this framework is broken; `details` has the failure."""


class UnsupportedProtocolError(BridgeError, code="failed_precondition"):
    """Both ends have no version of the protocol in common."""


class ForkedProcessError(BridgeError, code="failed_precondition"):
    """This process was forked from the one that the worker belongs to; make a client of its own."""


# aborted, out_of_range
class VersionConflictError(BridgeError, code="aborted", retryable=True):
    """A variable has changed since the version the update was based on."""


class ConstraintViolatedError(BridgeError, code="out_of_range"):
    """A value is outside of what its variable allows."""


# unimplemented
class UnknownOperationError(BridgeError, code="unimplemented"):
    """No such operation here; the message reads `Unknown command: X`."""


class StreamingUnsupportedError(BridgeError, code="unimplemented"):
    """The operation does not stream; ask without `stream`."""


# deadline_exceeded, cancelled
class CallTimeoutError(BridgeError, code="deadline_exceeded"):
    """The request's deadline passed."""


class CheckoutTimeoutError(BridgeError, code="deadline_exceeded", retryable=True):
    """No worker became free in time; nothing was run."""


class StartupTimeoutError(BridgeError, code="deadline_exceeded", retryable=True):
    """A worker did not become ready in time."""


class CallCancelledError(BridgeError, code="cancelled"):
    """The request was cancelled."""


# unavailable
class WorkerCrashedError(BridgeError, code="unavailable", retryable=True):
    """The worker died with the request in flight; it may have run in part, so repeat only what is idempotent."""


class WorkerStartingError(BridgeError, code="unavailable", retryable=True):
    """The worker is not ready yet."""


class ShuttingDownError(BridgeError, code="unavailable", retryable=True):
    """The worker is ending; nothing new is accepted."""


class TransportClosedError(BridgeError, code="unavailable", retryable=True):
    """The other end has closed the connection."""


# unknown, internal, data_loss
class HandlerRaisedError(BridgeError, code="unknown"):
    """Framework or plugin code raised; `details` has the exception's type and text."""

    @classmethod
    def wrapping(cls, exc: BaseException, *, redact: Callable[[str], str] = str) -> HandlerRaisedError:
        """Describe a foreign exception: its type and its text, never its traceback or its arguments.

        Args:
            exc: The exception.
            redact: Takes out of its text, before that is cut, what nobody may see.
        """
        name = f"{type(exc).__module__}.{type(exc).__qualname__}".removeprefix("builtins.")
        try:
            text = redact(str(exc))[:_TEXT_LIMIT]
        except BaseException as broken:  # boundary: plugin call — __str__ is foreign code, and may even exit
            text = f"its text cannot be had: {type(broken).__name__}"
        return cls(f"{name}: {text}" if text else name, exception=name, text=text)


class InternalError(BridgeError, code="internal"):
    """A defect of ours; please report it with the worker's log."""


class SerializeFailedError(BridgeError, code="internal"):
    """A result holds something that has no form on the wire; `details.path` says where."""


class FramingLostError(BridgeError, code="data_loss"):
    """The bytes make no sense as frames any more; the connection must be closed."""


class TruncatedFrameError(BridgeError, code="data_loss"):
    """The input ended in the middle of a frame."""


class RemoteError(BridgeError, code="unknown"):
    """An error whose reason is not one of the core's: a plugin's own, or a later version's.

    `reason` and `code` are those that came.
    """


del REASONS["REMOTE"]  # it never goes out: it stands for what others send


def by_reason(reason: str) -> type[BridgeError]:
    """Return the class of a core reason, or `RemoteError` for one that this version does not know."""
    return REASONS.get(reason, RemoteError)


__all__ = ["CODES", "REASONS", "BridgeError", "Code", "RemoteError", "by_reason"]
__all__ += [kind.__name__ for kind in REASONS.values()]
