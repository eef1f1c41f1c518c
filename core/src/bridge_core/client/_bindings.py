"""A session's tie to the worker of one framework: what has to be done again when another worker takes its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bridge_core.errors import BridgeError, CallTimeoutError

from ._arguments import SentArguments, names_objects
from ._exceptions import ref_lost
from ._replies import Reply
from ._slot import Slot, Worker

__all__ = ["Binding"]

_CALL = "call"


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

    def configuring(
        self, worker: Worker, operation: str, arguments: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Callable[[Any], None]]:
        """Return what to send of a call that may configure the session, and what to call with its result.

        Raises:
            InvalidConfigError: See `resolved`.
        """
        if operation in worker.configures:
            return self.resolved(operation, arguments), partial(self.remember, operation, arguments)
        return arguments, partial(self._learn, arguments)

    def remember(self, operation: str, arguments: Mapping[str, Any], result: object = None) -> None:
        """Keep what configured the session, in place of what set the same things before."""
        key = _key(operation, arguments)
        with self._moving:
            self._configured.pop(key, None)
            if operation != _CALL or not names_objects(arguments):  # which would be lost with the worker
                self._configured[key] = arguments

    def _learn(self, arguments: Mapping[str, Any], answer: Any) -> None:
        """Keep the dynamic calls that have configured the session."""
        if type(answer) is not dict:
            return
        steps, answers = arguments.get("steps", [arguments]), answer.get("pipeline_results", [answer])
        for step, one in zip(steps, answers, strict=False):
            if type(one) is dict and one.get("configured"):
                kept = SentArguments(target=step["target"], kwargs=step.get("kwargs") or {})
                self.remember(_CALL, kept)

    def resolved(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a configuring call's arguments with the values that they refer to; what is remembered only refers.

        Raises:
            InvalidConfigError: A reference is wrong or leads nowhere; `details.path` says which.
        """
        if type(arguments) is SentArguments:  # a dynamic call's: what looks like a reference in it is data
            return arguments
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
    if operation == _CALL:
        return operation, frozenset([arguments.get("target"), *(arguments.get("kwargs") or ())])
    config = arguments.get("config")
    return operation, frozenset([*arguments, *(config if isinstance(config, Mapping) else ())])
