"""Bridges for tests: the framework `probe` in workers, over every wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from peer import PATIENCE, PLUGINS, plugin_path

from bridge_core import Bridge

__all__ = ["WIRES", "Wire", "at_once", "opened", "probe"]

Wire: TypeAlias = "tuple[str, str]"
WIRES: list[Wire] = [("socket", "msgpack"), ("stdio", "json"), ("socket", "json"), ("stdio", "msgpack")]
"""Transport and codec; the first is the usual one, the second what any other peer speaks."""


def probe(
    wire: Wire = WIRES[0],
    *,
    folders: tuple[Path, ...] = (PLUGINS,),
    environment: Mapping[str, str] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return the settings of a worker that finds the plugins of these folders."""
    variables = {"PYTHONPATH": plugin_path(*folders), **(environment or {})}
    return {"transport": wire[0], "codec": wire[1], "environment": variables, **settings}


def _nowhere(line: str) -> None:
    """Drop a line of a worker's log."""


@contextmanager
def opened(
    wire: Wire = WIRES[0],
    *,
    on_stderr: Callable[[str], None] = _nowhere,
    policy: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[Bridge]:
    """Open a Bridge that serves `probe`, with all the processes and threads that it will have."""
    with Bridge({"probe": probe(wire, **settings)}, on_stderr=on_stderr, policy=policy) as bridge:
        bridge.start()
        bridge.submit("ping").result()  # from now on there is the thread that reads for futures
        yield bridge


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run functions in threads of their own, started together; return what they return or raise."""
    results: list[Any] = [None] * len(jobs)
    together = threading.Barrier(len(jobs))

    def work(number: int) -> None:
        together.wait(PATIENCE)
        try:
            results[number] = jobs[number]()
        except BaseException as exc:
            results[number] = exc

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not [thread for thread in threads if thread.is_alive()], "threads hang"
    return results
