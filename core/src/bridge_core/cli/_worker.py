"""Starting a worker for one command and talking to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from bridge_core._distributions import installed_plugins
from bridge_core.client import BlockingClient
from bridge_core.errors import FrameworkNotFoundError, WorkerCrashedError
from bridge_core.protocol import PROTOCOL_VERSION
from bridge_core.secrets._redactor import Redactor
from bridge_core.transports import WorkerProcess

__all__ = ["START_TIMEOUT", "worker"]

START_TIMEOUT = 30.0


@contextmanager
def worker(
    frameworks: list[str],
    *,
    config: str | None = None,
    debug: bool = False,
    report: Callable[[str], None] | None = None,
    watch: Callable[[str, bytes], None] | None = None,
    stderr: Any = None,
    redactor: Redactor | None = None,
) -> Iterator[BlockingClient]:
    """Start a worker that serves these frameworks (all when empty), greet it and end it afterwards.

    Args:
        frameworks: Their names.
        config: What its operator decides: a file, or JSON.
        debug: Whether the worker logs.
        report: Called with what the worker is doing, in words.
        watch: See BlockingClient.
        stderr: Where the worker's stderr goes.
        redactor: Takes secrets out of errors and events, and of the stderr, which then goes to this process's.

    Raises:
        FrameworkNotFoundError: None of the installed plugins serves one of them.
        WorkerCrashedError: It did not start; why is on its stderr.
        CallTimeoutError: It did not greet back in time.
    """
    installed = [one.name for one in installed_plugins()]
    for name in frameworks:
        if name not in installed:
            known = ", ".join(installed) or "none"
            raise FrameworkNotFoundError(f"no plugin for {name!r} is installed; installed are: {known}")

    def tell(name: str, data: Mapping[str, Any]) -> None:
        if report is not None and name == "progress":
            report(str(data["message"]))

    flags = [word for name in frameworks for word in ("--framework", name)] + (["--debug"] if debug else [])
    flags += [] if config is None else ["--config", config]
    on_stderr = None if redactor is None else _to_stderr
    process = WorkerProcess(flags, stderr=stderr, on_stderr=on_stderr, redactor=redactor)
    with BlockingClient(process, watch=watch, on_event=tell, redactor=redactor) as client:
        hello = {"protocol": [PROTOCOL_VERSION, PROTOCOL_VERSION], "peer": "pybridge", "want": ["progress"]}
        try:
            client.run("hello", hello, timeout=START_TIMEOUT)
        except WorkerCrashedError as exc:
            if exc.details.get("exit_code") == 1 and stderr is None:
                raise click.exceptions.Exit(1) from exc  # the worker has just said on stderr why it does not start
            raise
        yield client


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
