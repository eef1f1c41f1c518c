"""The run: every round and peer in a process of its own, in a shuffled order, and nothing left behind between them."""

from __future__ import annotations

import compileall
import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .link import ROOT
from .lives import descendants

__all__ = ["Job", "jobs", "perform", "prepare"]

_LIMIT = 150.0
_LEAVING = 10.0
_TIDYING = 0.5
_PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>
# Either would falsify what is measured: the first doubles import times, the second splits writes.
_REMOVED = ["PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONSAFEPATH"]
_ADDED = {"PYTHONPATH": str(ROOT), "GRPC_VERBOSITY": "ERROR", "RAY_DEDUP_LOGS": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@attrs.frozen(kw_only=True)
class Job:
    """What one process does."""

    round: int
    name: str
    place: str
    works: tuple[str, ...]


def jobs(rounds: int, works: Mapping[tuple[str, str], Sequence[str]], seed: int) -> list[Job]:
    """Return all jobs, each round shuffled by itself.

    Args:
        rounds: How many there are.
        works: What is to be done, by the peer's name and place.
        seed: Of the shuffling.
    """
    order = random.Random(seed)
    found: list[Job] = []
    for number in range(1, rounds + 1):
        every = [
            Job(round=number, name=name, place=place, works=tuple(todo))
            for (name, place), todo in works.items()
            if todo
        ]
        order.shuffle(every)
        found += every
    return found


def prepare() -> None:
    """Compile what is measured, and become the parent of what the jobs leave behind."""
    from importlib.util import find_spec

    compileall.compile_dir(str(ROOT / "bench"), quiet=1)
    for name in ("bridge_core", "bridge_dspy"):
        if (spec := find_spec(name)) is not None and spec.submodule_search_locations is not None:
            compileall.compile_dir(next(iter(spec.submodule_search_locations)), quiet=1)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def perform(job: Job, python: str) -> dict[str, Any]:
    """Do a job in a process of its own and return what it has found."""
    environment = {name: value for name, value in os.environ.items() if name not in _REMOVED} | _ADDED
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder, "found.json")
        arguments = (job.name, job.place, job.works, str(path))
        # Not `-m`: the children of multiprocessing would import the main module again.
        command = [python, "-c", f"from bench.child import main; main(*{arguments!r})"]
        with open(Path(folder, "stderr"), "w+b") as stderr:  # a pipe could be held open by what is left behind
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, env=environment, cwd=folder
            )
            ended = _wait(process, path)
            _sweep()
            stderr.seek(0)
            words = stderr.read().decode(errors="replace").strip()
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"doing": "start"}
    doing = found.pop("doing")
    found = {"numbers": {}, "versions": {}, "failed": {}, **found}
    if doing and not ended:
        found["failed"][doing] = f"still at it after {_LIMIT:.0f} s"
    elif doing:
        found["failed"][doing] = f"exit code {process.returncode}: {words.splitlines()[-1] if words else ''}"[:200]
    return {**attrs.asdict(job), **found}


def _wait(process: subprocess.Popen[bytes], path: Path) -> bool:
    """Say whether the process has ended by itself; one that has all its numbers need not leave politely."""
    end = time.monotonic() + _LIMIT
    leaving = None
    while time.monotonic() < end:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
            return True
        if leaving is None and path.exists() and not json.loads(path.read_text("utf-8"))["doing"]:
            leaving = end = min(end, time.monotonic() + _LEAVING)
    process.kill()
    process.wait()
    return leaving is not None


def _sweep() -> None:
    """Reap whatever a job has left, and kill what does not end by itself: a resource tracker does, and tidies up."""
    end = time.monotonic() + _TIDYING
    while left := descendants(os.getpid()):
        for pid in left if time.monotonic() > end else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)
