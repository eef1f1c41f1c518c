"""The Python face: frameworks out of process, used by blocking threads."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bridge_core.secrets._redactor import Redactor

from ._given import until_of
from ._session import BridgeSession
from ._settings import operator_settings, settings_by_framework
from ._slot import Slot

__all__ = ["Bridge", "Finalizer", "open_slots", "pids_of", "start_slots"]


class Bridge(BridgeSession):
    """Python frameworks in processes of their own, one worker for each, and itself the default session.

    A worker is started by the first call that needs it, and replaced by the next call after it has died.

        with Bridge("dspy") as bridge:
            bridge.configure("dspy", model="embedded")

    Args:
        frameworks: A name, several, or a mapping of names to settings: `python`, `environment`, `configuration`,
            `transport`, `codec`, `start_timeout`; see WorkerSettings. The first is the default framework.
        on_stderr: Called with each line that a worker writes to its stderr; by default it goes to this program's.
        on_event: Called with the name and data of events: "progress" while a framework is imported or an operation
            tells how far it is.
        policy: What dynamic calls may reach, as `[policy]` of a `bridge.toml`: `{"allow": ["pandas.*"]}`. By default
            only what the plugins vouch for.
        limits: How much a worker holds for this program, as `[limits]` of a `bridge.toml`.

    Both functions are called in a thread of ours, and should be quick.

    Raises:
        InvalidConfigError: Settings, policy or limits are wrong; `details.path` says where.
    """

    def __init__(
        self,
        frameworks: str | Iterable[str] | Mapping[str, Mapping[str, Any]],
        *,
        on_stderr: Callable[[str], None] | None = None,
        on_event: Callable[[str, Mapping[str, Any]], None] | None = None,
        policy: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        self._slots = open_slots(frameworks, on_stderr, on_event, operator_settings(policy=policy, limits=limits))
        super().__init__(self._slots, "anonymous")
        self._finalizer = Finalizer(self, self._slots)

    def session(self, id: str | None = None) -> BridgeSession:
        """Open a session with objects and settings of its own.

        Args:
            id: Its name; one that nobody can guess by default.
        """
        return BridgeSession(self._slots, id or os.urandom(16).hex(), owner=self)

    def start(self, *, timeout: float | None = None) -> None:
        """Start all workers now instead of when they are needed.

        Raises:
            BridgeError: One of them cannot be started.
        """
        start_slots(self._slots, until_of(timeout))

    def pids(self) -> dict[str, int]:
        """Return, by framework, the ids of the processes started for the workers that live."""
        return pids_of(self._slots)

    def close(self) -> None:
        """End all workers in order; again does nothing."""
        self._finalizer.close()

    def __enter__(self) -> Bridge:
        return self


def open_slots(
    frameworks: str | Iterable[str] | Mapping[str, Mapping[str, Any]],
    on_stderr: Callable[[str], None] | None,
    on_event: Callable[[str, Mapping[str, Any]], None] | None,
    configuration: str | None,
    *,
    always: bool = False,
) -> dict[str, Slot]:
    """Return a place for the worker of each framework; none is started yet."""
    redactor = Redactor()
    return {
        name: Slot(
            framework=name,
            settings=settings,
            configuration=configuration,
            on_stderr=on_stderr or _to_stderr,
            on_event=on_event,
            always=always,
            redactor=redactor,
        )
        for name, settings in settings_by_framework(frameworks).items()
    }


def pids_of(slots: Mapping[str, Slot]) -> dict[str, int]:
    """Return, by framework, the ids of the processes started for the workers that live."""
    workers = {name: slot.current for name, slot in slots.items()}
    return {name: one.process.pid for name, one in workers.items() if one is not None and one.link.alive()}


def start_slots(slots: Mapping[str, Slot], until: float | None) -> None:
    """Start the worker of each place."""
    for slot in slots.values():
        slot.worker(until)


class Finalizer:
    """Ends the workers of a Bridge that nobody closes: when nothing refers to it any more, or at the program's end.

    Args:
        bridge: The Bridge.
        slots: The places of its workers.
    """

    def __init__(self, bridge: object, slots: Mapping[str, Slot]) -> None:
        self._slots = [*slots.values()]
        self._owner = os.getpid()
        # Garbage is collected in any thread at any moment, also while it holds a lock of ours: so in another one.
        forgotten = weakref.finalize(bridge, threading.Thread(target=self.close, name="bridge-closer").start)
        forgotten.atexit = False
        self._forgotten = forgotten
        atexit.register(self.close)

    def close(self) -> None:
        """End all workers in order; in a process forked from their owner, or again, do nothing."""
        self._forgotten.detach()
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        for slot in self._slots:
            slot.hang_up()
        for slot in self._slots:
            slot.close()


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
