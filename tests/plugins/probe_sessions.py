"""Operations that configure their session, and some about a worker's log and its wire."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge_core import CallContext, Register
from bridge_core.errors import ProgramNotFoundError, RefNotFoundError

_freed: dict[str, threading.Event] = {}
_freed_in: dict[str, str] = {}


def register(register: Register) -> None:
    register("tune", tune, configures=True, runs="thread")
    register("tuned", tuned)
    register("mutter", mutter)
    register("let_go", let_go)
    register("tell", tell)
    register("hang_on", hang_on, streaming=True, runs="thread")
    register("keep", keep)
    register("find", find)
    register("freed", freed, runs="thread")
    register("is_freed", is_freed, runs="thread")


def tune(
    ctx: CallContext, *, name: str, value: Any = None, needs: str | None = None, told: str | None = None
) -> dict[str, Any]:
    """Set something for the session; a file may have to be there, and a fifo be read and written first."""
    if needs is not None and not Path(needs).exists():
        raise FileNotFoundError(needs)
    if told is not None:
        Path(told).write_text("tuning")
        Path(told).read_text()
    settings: dict[str, Any] = ctx.session.settings.setdefault("tuned", {})
    settings[name] = value
    return {name: value}


def tuned(ctx: CallContext) -> Any:
    """Return what was set."""
    return ctx.session.settings.get("tuned", {})


def mutter(*, count: int) -> None:
    """Write lines to stderr."""
    for number in range(count):
        sys.stderr.write(f"line {number}\n")


def tell(*, fifo: str) -> None:
    """Say through a fifo that everything asked for before has been answered."""
    Path(fifo).write_text("told")


def hang_on() -> Iterator[str]:
    """Yield one word, and then nothing for long."""
    yield "first"
    threading.Event().wait(60)


def let_go() -> None:
    """Close every pipe and socket but those that everybody has, and live on."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                mode = os.fstat(int(name)).st_mode
            except OSError:  # what listed the folder
                continue
            if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
                os.close(int(name))
    threading.Event().wait(60)


class _Watched:
    """An object whose end is noted, as is the thread in which it came."""

    def __init__(self, name: str, stuck: bool) -> None:
        self._name = name
        self._stuck = stuck

    def __del__(self) -> None:
        _freed_in[self._name] = threading.current_thread().name
        _freed.setdefault(self._name, threading.Event()).set()
        if self._stuck:
            threading.Event().wait(60)


def keep(ctx: CallContext, *, name: str, id: str | None = None, stuck: bool = False) -> dict[str, str]:
    """Keep an object whose end is noted under a name, and may take longer than anybody waits."""
    return {"id": ctx.session.objects.put(_Watched(name, stuck), kind="probe.watched", id=id)}


def find(ctx: CallContext, *, id: str) -> None:
    """Fail, if there is no such object, with an error of another kind, as plugins do."""
    try:
        ctx.session.objects.get(id)
    except RefNotFoundError:
        raise ProgramNotFoundError(f"no program {id!r}", program_id=id) from None


def freed(*, name: str) -> str:
    """Return once the object goes, and in which thread it goes."""
    assert _freed.setdefault(name, threading.Event()).wait(60), "it is still there"
    return _freed_in[name]


def is_freed(*, name: str) -> bool:
    """Say whether the object has gone."""
    return name in _freed_in
