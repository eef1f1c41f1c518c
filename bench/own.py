"""What only concerns us: imports, a framework behind the bridge, and many calls that wait for a model at once."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from time import perf_counter

from .lives import descendants, megabytes
from .overlap import overlap
from .works import Numbers

__all__ = ["OWN"]

_TIMES = 7
_REPORT_RSS = "; print(open('/proc/self/smaps_rollup').read())"


def _milliseconds(code: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (perf_counter() - started) * 1e3


def imports() -> Numbers:
    """Measure what our imports add to a bare Python, in turns."""
    codes = {"bare_ms": "pass", "import_ms": "import bridge_core", "import_client_ms": "from bridge_core import Bridge"}
    taken: dict[str, list[float]] = {name: [] for name in codes}
    for turn in range(_TIMES + 1):
        for name, code in codes.items():
            milliseconds = _milliseconds(code)
            if turn:  # the first one may have to compile
                taken[name].append(milliseconds)
    bare = statistics.median(taken.pop("bare_ms"))
    return {"bare_ms": bare, **{name: statistics.median(values) - bare for name, values in taken.items()}}


def framework() -> Numbers:
    """Measure a worker with DSPy, and DSPy in a process of its own for comparison."""
    from bridge_core import Bridge

    from .peers.ours import worker_of

    subprocess.run([sys.executable, "-c", "import dspy"], check=True)  # it may have to compile
    started = perf_counter()
    with Bridge("dspy") as bridge:
        bridge.configure("dspy", model="embedded")
        found = {"dspy_start_ms": (perf_counter() - started) * 1e3}
        guardian = bridge.pids()["dspy"]
        found["dspy_rss_mb"] = megabytes(worker_of(guardian), "Rss")
        found["dspy_guardian_mb"] = megabytes(guardian, "Pss")
        found["dspy_pss_mb"] = sum(megabytes(pid, "Pss") for pid in descendants(os.getpid()))
    started = perf_counter()
    report = subprocess.run(
        [sys.executable, "-c", f"import dspy{_REPORT_RSS}"], check=True, capture_output=True, text=True
    )
    found["bare_dspy_ms"] = (perf_counter() - started) * 1e3
    rss = next(line for line in report.stdout.splitlines() if line.startswith("Rss:"))
    return {**found, "bare_dspy_rss_mb": int(rss.split()[1]) / 1024}


OWN = {"imports": imports, "framework": framework, "overlap": overlap}
