"""The framework of the worker's tests: operations that do whatever a framework may do to a worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import probe_calls
import probe_output
import probe_secrets
import probe_sessions
import probe_streams
import probe_values

from bridge_core import CallContext, Encode, FrameworkInfo, JsonValue, Register, Session, hookimpl

BRIDGE_HOOK_API = 1

_visits: dict[str, list[list[Any]]] = {}
_inside = threading.local()


def _note(line: str) -> None:
    """Append a line to the journal that a test reads after the worker's end, if it asked for one."""
    if path := os.environ.get("PROBE_JOURNAL"):
        with open(path, "a", encoding="utf-8") as journal:
            journal.write(f"{line}\n")


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(
        name="probe",
        distribution="probe",
        version="0.1.0",
        imports=("probe_framework",),
        environment={"PROBE_DECLARED": "by the plugin", "PROBE_OPERATOR": "by the plugin"},
        deterministic=True,
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    for module in (probe_calls, probe_output, probe_secrets, probe_sessions, probe_streams, probe_values):
        module.register(register)
    register("visits", visits, runs="thread")
    register("inside", inside)
    register("inside_thread", inside, runs="thread")
    register("inside_stream", inside_stream, streaming=True, runs="thread")
    register("note", note)
    _note("loaded")
    if fifo := os.environ.get("PROBE_STARTING"):
        Path(fifo).write_text("starting")
        Path(fifo).read_text()


@hookimpl
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
    probe_secrets.note_configuration(config, session)
    session.settings["probe"] = dict(config)
    return {**config, "secret": "***"} if "secret" in config else config


@hookimpl
@contextmanager
def bridge_call_context(session: Session) -> Iterator[None]:
    journey = _visits.setdefault(session.id, [])
    journey.append(["entered", threading.get_ident()])
    _inside.session = session.id
    try:
        yield
    finally:
        _inside.session = None
        journey.append(["left", threading.get_ident()])


@hookimpl
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    return probe_values.describe(value, encode)


@hookimpl
def bridge_shutdown() -> None:
    _note("shutdown")


def visits(ctx: CallContext, *, of: str) -> list[list[Any]]:
    """List where the call context of a session was entered and left."""
    return _visits.get(of, [])


def inside(ctx: CallContext) -> dict[str, Any]:
    """Say in which thread this runs, and in which session's context."""
    main = threading.current_thread() is threading.main_thread()
    return {"thread": threading.get_ident(), "main": main, "session": getattr(_inside, "session", None)}


def inside_stream(ctx: CallContext) -> Iterator[dict[str, Any]]:
    """Say it with every chunk."""
    yield inside(ctx)
    yield inside(ctx)


def note(*, line: str) -> None:
    """Write a line to the journal."""
    _note(line)
