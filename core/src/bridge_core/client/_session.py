"""A session as a Python program sees it: the verbs, over the workers of its Bridge."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from bridge_core.errors import BridgeError, SessionNotFoundError

from ._bindings import Binding
from ._dynamic import DynamicVerbs
from ._futures import CallFuture
from ._given import check_at_once, merged, until_of
from ._link import Link
from ._objects import Objects
from ._replies import Reply
from ._slot import Slot
from ._streams import Stream
from ._verbs import Verb

__all__ = ["BridgeSession"]

_CONFIGURE = "configure"
# Operations of every worker that say in their arguments whom they mean.
_ABOUT_FRAMEWORKS = frozenset([_CONFIGURE, "describe"])
# Operations of every worker that neither use nor change a session: no configuration has to be replayed for them.
_OF_NO_SESSION = frozenset(
    ["ping", "get_stats", "get_capabilities", "describe", "list_sessions", "open_session", "shutdown", "hello"]
)
_MOST_USUAL = 1000


class BridgeSession(DynamicVerbs):
    """A conversation with its own objects and settings; safe from any thread.

    Keyword arguments of the verbs are the operation's arguments, `timeout` (seconds) excepted. Arguments may also be
    given as one mapping, whatever their names.
    """

    def __init__(self, slots: Mapping[str, Slot], id: str, owner: object = None) -> None:
        self.id = id
        self._owner = owner  # a Bridge ends its workers when nothing refers to it any more
        self._bindings = {name: Binding(slot) for name, slot in slots.items()}
        self._objects = Objects(id, self._bindings)
        self._usual: dict[str, Binding] = {}  # of operations that were used, by their names
        self._closed = False
        for name, slot in slots.items():
            if slot.settings.configuration:
                initial = {"framework": name, "config": slot.settings.configuration}
                self._bindings[name].remember(_CONFIGURE, initial)

    def run(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Any:
        """Run one operation and return its result.

        Args:
            operation: Its name: `framework.name`, or the name alone for the default framework.
            arguments: Its arguments, in addition to the keywords.
            timeout: Seconds for all of it, the start of a worker included; None for no end.
            more: Its arguments.

        Raises:
            BridgeError: The class says why: one for each reason of the core, RemoteError for any other.
        """
        return _received(*self._send(operation, merged(arguments, more), until_of(timeout)))

    def submit(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Future[Any]:
        """Send one request and return the future of its result; arguments as for `run`.

        Raises:
            BridgeError: It could not be sent.
        """
        binding, link, reply = self._send(operation, merged(arguments, more), until_of(timeout), together=True)
        return CallFuture(link, reply, binding.outcome, self)

    def batch(
        self,
        calls: Iterable[tuple[str, Mapping[str, Any]]],
        /,
        *,
        at_once: int = 1000,
        timeout: float | None = None,
    ) -> list[Any | BridgeError]:
        """Run many operations without waiting for each, and return their results in order.

        An error takes the place of the result it stands for; the other requests are not affected.

        Args:
            calls: Operations and their arguments; taken as they can be sent.
            at_once: How many requests may be without an answer.
            timeout: Seconds for all of them.
        """
        check_at_once(at_once)
        until = until_of(timeout)
        sent: deque[tuple[Binding, Link, Reply] | BridgeError] = deque()
        outcomes: list[Any] = []
        for operation, arguments in calls:
            if len(sent) >= at_once:
                outcomes.append(_outcome(sent.popleft()))
            sent.append(self._sent(operation, arguments, until))
        return [*outcomes, *map(_outcome, sent)]

    def stream(
        self,
        operation: str,
        /,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Stream:
        """Run one operation and return its chunks as they come; arguments as for `run`.

        Raises:
            BridgeError: It could not be sent.
        """
        binding, link, reply = self._send(operation, merged(arguments, more), until_of(timeout), stream=True)
        return Stream(link, reply, binding.outcome, self)

    def configure(
        self,
        framework: str,
        /,
        config: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Any:
        """Configure a framework for this session and return its effective settings, secrets redacted.

        The settings are given again to every worker that takes the place of a dead one.

        Raises:
            InvalidConfigError: The framework's plugin refuses them.
        """
        arguments = {"framework": framework, "config": merged(config, more)}
        return self.run(_CONFIGURE, arguments, timeout=timeout)

    def close(self) -> None:
        """Have the workers forget the session's objects and settings; again does nothing."""
        if self._closed:
            return
        self._closed = True
        for binding in self._bindings.values():
            worker = binding.slot.current
            if worker is not None and worker.number == binding.number:
                with suppress(BridgeError):  # then it has ended, or is ending, with all that it held
                    reply = worker.link.send("close_session", {}, session_id=self.id)
                    worker.link.expect(reply)  # not waited for: the worker may be busy

    def __enter__(self) -> BridgeSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def info(self, framework: str | None = None, *, timeout: float | None = None) -> Any:
        """Return what a worker can do: operations with their schemas, plugins, versions, limits.

        Args:
            framework: Whose worker; the default framework's if None.
            timeout: See `run`.
        """
        sent = self._send("get_capabilities", {}, until_of(timeout), framework=framework)
        return _received(*sent)

    def _send(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        until: float | None,
        *,
        stream: bool = False,
        framework: str | None = None,
        together: bool = False,
    ) -> tuple[Binding, Link, Reply]:
        """Send one request and return whose it is, where its answer comes from, and the answer on its way."""
        binding = self._binding(operation, arguments, framework)
        while True:
            worker = binding.slot.current or binding.slot.worker(until)
            given, learn = arguments, None
            if operation in worker.may_configure:
                given, learn = binding.configuring(worker, operation, arguments)
            if worker.number > binding.number and operation not in _OF_NO_SESSION:
                binding.move(worker, self.id, until, instead=(operation, arguments))
            reply = worker.link.send(
                operation,
                given,
                session_id=self.id,
                until=until,
                stream=stream,
                on_success=learn,
                together=together,
            )
            if reply.sent:  # or else the worker has just died of something else
                return binding, worker.link, reply

    def _send_now(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        until: float | None,
        *,
        stream: bool = False,
        framework: str | None = None,
    ) -> tuple[Binding, Link, Reply] | None:
        """Do the same without waiting for anything; None if there is something to `_prepare`."""
        binding = self._binding(operation, arguments, framework)
        worker = binding.slot.current
        if worker is None or (worker.number > binding.number and operation not in _OF_NO_SESSION):
            return None
        given, learn = arguments, None
        if operation in worker.may_configure:
            given, learn = binding.configuring(worker, operation, arguments)
        reply = worker.link.send(
            operation,
            given,
            session_id=self.id,
            until=until,
            stream=stream,
            on_success=learn,
            bury=False,
        )
        return (binding, worker.link, reply) if reply.sent else None

    def _prepare(
        self, operation: str, arguments: Mapping[str, Any], until: float | None, framework: str | None = None
    ) -> None:
        """Wait for what `_send` would wait for: a worker, and what configures the session on it."""
        binding = self._binding(operation, arguments, framework)
        worker = binding.slot.worker(until)
        if operation not in _OF_NO_SESSION:
            binding.move(worker, self.id, until, instead=(operation, arguments))

    def _perform(self, verb: Verb, until: float | None) -> Any:
        self._check_open()
        to, arguments = self._objects.request(verb)
        sent = self._send(verb.operation, arguments, until, framework=to.slot.framework)
        return self._objects.result(verb, to, sent[1], _received(*sent), self._ref)

    def _binding(self, operation: str, arguments: Mapping[str, Any], framework: str | None) -> Binding:
        if framework is None and not self._closed and (known := self._usual.get(operation)) is not None:
            return known
        self._check_open()
        if framework is not None:
            return self._objects.bound(framework)
        named, dot, _ = operation.partition(".")
        if not dot and operation in _ABOUT_FRAMEWORKS:
            return self._objects.bound(arguments.get("framework") or None)
        binding = self._objects.bound(named if dot and named else None)
        if len(self._usual) < _MOST_USUAL:
            self._usual[operation] = binding
        return binding

    def _check_open(self) -> None:
        if self._closed:
            raise SessionNotFoundError(f"the session {self.id!r} was closed; open another")

    def _sent(
        self, operation: str, arguments: Mapping[str, Any], until: float | None
    ) -> tuple[Binding, Link, Reply] | BridgeError:
        try:
            binding, link, reply = self._send(operation, arguments, until, together=True)
            link.expect(reply)  # the next call may be long in coming
            return binding, link, reply
        except BridgeError as exc:
            return exc


def _received(binding: Binding, link: Link, reply: Reply) -> Any:
    if not reply.done:
        try:
            link.wait(reply)
        finally:
            link.abandon(reply)  # if Ctrl-C came first
    return binding.outcome(reply)


def _outcome(sent: tuple[Binding, Link, Reply] | BridgeError) -> Any:
    if isinstance(sent, BridgeError):
        return sent
    try:
        return _received(*sent)
    except BridgeError as exc:
        return exc
