"""The place of one framework's worker: started when first needed, and replaced when it has died."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from bridge_core.errors import (
    BridgeError,
    CallTimeoutError,
    ForkedProcessError,
    InternalError,
    InvalidConfigError,
    StartupTimeoutError,
    TransportClosedError,
)
from bridge_core.protocol import PROTOCOL_VERSION
from bridge_core.secrets._redactor import Redactor
from bridge_core.secrets._references import SecretReferences
from bridge_core.transports import WorkerProcess

from ._link import Link
from ._replies import Reply
from ._settings import WorkerSettings

__all__ = ["Slot", "Worker"]

_NO_PROGRAM = frozenset([errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR])


class Worker(Struct, eq=False):
    """One started worker."""

    number: int
    """1 for the first in this place, 2 for its replacement, and so on."""
    process: WorkerProcess
    link: Link
    greeting: Reply
    due: float
    """When it must have greeted back (`time.monotonic()`)."""
    ready: bool = False
    configures: frozenset[str] = frozenset()
    """The operations that configure the session they are run in."""
    may_configure: frozenset[str] = frozenset()
    """Those, and the ones whose answers say whether they have."""


class Slot:
    """Has a worker that lives, or makes one.

    Args:
        framework: What the worker serves.
        settings: How it is started.
        configuration: What its operator decides, as JSON.
        on_stderr: Called with each line of its stderr.
        on_event: Called with the name and data of each event.
        always: See Link.
        redactor: Keeps what is secret out of all that is shown; shared by the workers of a Bridge.
    """

    def __init__(
        self,
        *,
        framework: str,
        settings: WorkerSettings,
        configuration: str | None = None,
        on_stderr: Callable[[str], None],
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        always: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self.framework = framework
        self.settings = settings
        self._configuration = configuration
        self._redactor = Redactor() if redactor is None else redactor
        self.references = SecretReferences(self._redactor, environ=self._environ, resolved="marked")
        """What this program may refer to: it is the operator of its own workers."""
        self._on_stderr = on_stderr
        self._on_event = on_event
        self._always = always
        self._worker: Worker | None = None
        self._owner = os.getpid()
        self._count = 0
        self._closed = False
        # Re-entrant, because what is told of events may run something.
        self._changing = threading.RLock()

    @property
    def current(self) -> Worker | None:
        """The worker that `worker` returns at once, None if there is none."""
        worker = self._worker
        if worker is None or not worker.ready or worker.process.forked or not worker.link.usable():
            return None
        return worker

    def worker(self, until: float | None) -> Worker:
        """Return the worker, started if need be; by `until`, or else it goes on starting for those who come later.

        Raises:
            WorkerCrashedError: It ended while it started; `details.stderr` may say why.
            BridgeError: It said itself why it does not serve, as PluginLoadFailedError or FrameworkNotFoundError.
            StartupTimeoutError: It did not greet back in time.
            CallTimeoutError: `until` came first.
            InvalidConfigError: The interpreter cannot be run.
            InternalError: The system has no room for another process.
            TransportClosedError: The place was closed.
        """
        if (worker := self.current) is not None:
            return worker
        if os.getpid() != self._owner:
            raise ForkedProcessError(f"this Bridge belongs to process {self._owner}; make a new one after a fork")
        if not self._changing.acquire(timeout=-1 if until is None else max(0.0, until - time.monotonic())):
            raise CallTimeoutError(f"the worker of {self.framework} was not ready in time")
        try:
            self._check_open()
            if self._worker is None or not self._worker.link.usable():
                if self._worker is not None:
                    self._worker.link.bury()
                self._worker = None
                self._worker = self._start()
                if self._closed:  # meanwhile, so that nobody has told it
                    self._worker.link.close()
            self._greet(self._worker, until)
            return self._worker
        finally:
            self._changing.release()

    def hang_up(self) -> None:
        """Let the worker end, and start no other."""
        self._closed = True
        worker = self._worker
        if worker is not None:
            worker.link.hang_up()

    def close(self) -> None:
        """Return when the worker has ended; again does nothing."""
        self.hang_up()
        worker = self._worker
        if worker is not None:
            worker.link.close()  # one that is starting too: who waits for it lets go of the lock
        with self._changing:  # who is about to start one ends it
            return

    def _environ(self) -> Mapping[str, str]:
        """Return the worker's environment variables."""
        given = {**os.environ, **self.settings.environment}
        return {name: value for name, value in given.items() if value is not None}

    def _check_open(self) -> None:
        if self._closed:
            raise TransportClosedError("this Bridge is closed; make a new one", retryable=False)

    def _start(self) -> Worker:
        settings = self.settings
        self._count += 1
        python = settings.python or sys.executable
        configuration = [] if self._configuration is None else ["--config", self._configuration]
        try:
            process = WorkerProcess(
                ["--framework", self.framework, "--codec", settings.codec, *configuration],
                python=python,
                environment=settings.environment,
                wire="socket" if settings.transport == "socket" else "pipes",
                on_stderr=self._on_stderr,
                redactor=self._redactor,
            )
        except OSError as exc:
            if exc.errno not in _NO_PROGRAM:
                raise InternalError(f"no worker can be started: {exc.strerror}", retryable=True) from exc
            path = f"$.{self.framework}.python"
            raise InvalidConfigError(f"{path}: {python!r} cannot be run: {exc.strerror}", path=path) from exc
        link = Link(
            process, codec=settings.codec, on_event=self._on_event, always=self._always, redactor=self._redactor
        )
        hello = {
            "protocol": [PROTOCOL_VERSION, PROTOCOL_VERSION],
            "peer": "bridge_core",
            "want": ["progress"] if self._on_event is not None else [],
        }
        greeting = link.send("hello", hello)
        return Worker(self._count, process, link, greeting, time.monotonic() + settings.start_timeout)

    def _greet(self, worker: Worker, until: float | None) -> None:
        """Wait until the worker has greeted back; the caller holds the lock."""
        if worker.ready:
            return
        try:
            worker.link.wait(worker.greeting, worker.due if until is None else min(until, worker.due))
        except TimeoutError:
            if time.monotonic() < worker.due:
                raise CallTimeoutError(f"the worker of {self.framework} was not ready in time") from None
            worker.process.send_signal(signal.SIGTERM)
            worker.link.close()
            raise StartupTimeoutError(
                f"the worker of {self.framework} did not greet back within {self.settings.start_timeout:g} seconds",
                stderr=self._redactor.scrub(worker.process.last_lines()),
            ) from None
        try:
            greeting = worker.greeting.take()
        except BridgeError:
            worker.link.close()  # it speaks another version, died, or said why it does not serve
            if worker.link.last_words is not None:
                raise worker.link.last_words from None
            raise
        named = ["configure", *greeting.get("configures", ())]
        # Also without the framework, which is the worker's default one.
        worker.configures = frozenset([*named, *(name.removeprefix(f"{self.framework}.") for name in named)])
        worker.may_configure = worker.configures | {"call", "pipeline"}
        worker.ready = True
