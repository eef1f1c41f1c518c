"""A session's tie to the worker of one framework: what has to be done again when another worker takes its place."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from bridge_core.errors import BridgeError, CallTimeoutError

from ._exceptions import ref_lost
from ._replies import Reply
from ._slot import Slot, Worker

__all__ = ["Binding"]


class Binding:
    """What a session has to do with one framework's worker."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.number = 0
        """Of the worker that the session was last used on; 0 before it was used."""
        self._lost = False
        self._configured: dict[tuple[str, frozenset[str]], Mapping[str, Any]] = {}
        # Re-entrant, because what is called when something arrives may use the session.
        self._moving = threading.RLock()

    def remember(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """Keep what configured the session, in place of what set the same things before."""
        key = _key(operation, arguments)
        with self._moving:
            self._configured.pop(key, None)
            self._configured[key] = arguments

    def resolved(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a configuring call's arguments with the values that they refer to; what is remembered only refers.

        Raises:
            InvalidConfigError: A reference is wrong or leads nowhere; `details.path` says which.
        """
        if operation != "configure":
            given: Mapping[str, Any] = self.slot.references.resolve(arguments, holder=self)
            return given
        config = arguments.get("config")
        return {**arguments, "config": self.slot.references.resolve(config, holder=self)}

    def move(
        self, worker: Worker, session_id: str, until: float | None, *, instead: tuple[str, Mapping[str, Any]]
    ) -> None:
        """Use another worker from now on: configure the session there as it was.

        Args:
            worker: The other worker.
            session_id: The session.
            until: The deadline.
            instead: The call that this is done for. What it sets anew may fail to be set as it was.

        Raises:
            BridgeError: That failed; the next call tries it again.
        """
        if not worker.link.acquire(self._moving, until):
            raise CallTimeoutError(f"the session {session_id!r} was not configured again in time")
        try:
            if worker.number <= self.number:
                return
            for key, arguments in list(self._configured.items()):
                try:
                    worker.link.call(key[0], self.resolved(key[0], arguments), session_id=session_id, until=until)
                except BridgeError:
                    if key != _key(*instead):
                        raise
            self._lost = self.number != 0
            self.number = worker.number
        finally:
            self._moving.release()

    def outcome(self, reply: Reply) -> Any:
        """Return a reply's result.

        Raises:
            BridgeError: What went wrong instead; an object that is not there was lost, if the worker was replaced.
        """
        error = reply.error
        if self._lost and isinstance(error, BridgeError):
            raise ref_lost(error)
        return reply.take()


def _key(operation: str, arguments: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """Return what a configuring call sets."""
    config = arguments.get("config")
    return operation, frozenset([*arguments, *(config if isinstance(config, Mapping) else ())])
