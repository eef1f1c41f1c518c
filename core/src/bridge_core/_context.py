"""What a handler is given: the session it acts for and the call it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from .errors import CallCancelledError, CallTimeoutError

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["CallContext", "ObjectStore", "RequestId", "Session"]

RequestId: TypeAlias = int | float | str
Progress: TypeAlias = Callable[[str, float | None], None]


class ObjectStore(Protocol):
    """Live objects of one session under ids; calls may come from any thread."""

    def put(self, value: object, /, *, kind: str, id: str | None = None) -> str:
        """Keep a value and return its id: the given one unchanged, else `<framework>:<random>`.

        Args:
            value: The object.
            kind: `<framework>.<noun>`, such as `dspy.program`.
            id: The id that the peer chose, if it chose one.

        Raises:
            RefExistsError: The id is taken.
            StoreFullError: The session holds as many objects as it may.
        """

    def get(self, id: str, /, *, kind: str | None = None) -> Any:
        """Return the object; with `kind`, only if it is of that kind.

        Raises:
            RefNotFoundError: There is no such object.
        """

    def delete(self, id: str, /, *, kind: str | None = None) -> None:
        """Forget the object.

        Raises:
            RefNotFoundError: There is no such object.
        """

    def ids(self, *, kind: str | None = None) -> list[str]:
        """Return the ids in the order they were put."""

    def __len__(self) -> int: ...


class Session(Protocol):
    """One peer's conversation: its objects and, per framework, its settings."""

    @property
    def id(self) -> str:
        """The name by which the peer knows the session."""

    @property
    def objects(self) -> ObjectStore:
        """The session's live objects: programs, chains, models."""

    @property
    def settings(self) -> MutableMapping[str, Any]:
        """What each framework's `bridge_configure` keeps for this session, by framework name."""


def _no_progress(message: str, fraction: float | None) -> None:
    """Say nothing: the peer did not ask."""


class CallContext(Struct, eq=False, kw_only=True, weakref=True):
    """One call: handed to the handler, valid until it returns."""

    session: Session
    operation: str
    """The full name, such as `dspy.create_program`."""
    request_id: RequestId
    framework: str | None = None
    """The framework that the request named beside the operation, if it did."""
    streaming: bool = False
    """Whether the peer wants chunks; only ever true for operations registered with `streaming=True`."""
    deadline: float | None = None
    """When the answer is due (`time.monotonic()`), or None."""
    cancelled: bool = False
    """Whether the answer is no longer wanted; long handlers look at it between steps."""
    _progress: Progress = _no_progress

    def remaining(self) -> float | None:
        """Return the seconds left until the deadline, 0.0 when it has passed, None without one."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Return if the answer is still wanted; long handlers call it between two steps.

        Raises:
            CallCancelledError: It is not.
            CallTimeoutError: The deadline has passed.
        """
        if self.cancelled:
            raise CallCancelledError(f"{self.operation} was cancelled")
        if self.remaining() == 0.0:
            raise CallTimeoutError(f"{self.operation} did not finish in time")

    def progress(self, message: str, *, fraction: float | None = None) -> None:
        """Tell the peer, if it asked for progress, what is being done and how far it is (0 to 1)."""
        self._progress(message, fraction)
