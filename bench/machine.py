"""What a reader must know about the machine and the run to make anything of the numbers."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path

__all__ = ["description"]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _memory() -> str:
    kilobytes = int(Path("/proc/meminfo").read_text("ascii").split()[1])
    return f"{kilobytes / 2**20:.0f} GiB"


def description(command: str, *, rounds: int, seed: int) -> str:
    """Describe them in a few lines of Markdown."""
    when = dt.datetime.now(dt.timezone.utc)
    lines = [
        f"{when:%Y-%m-%d %H:%M} UTC: `{command}`",
        f"{rounds} rounds, shuffled with seed {seed}; the machine's load before it {os.getloadavg()[0]:.2f}",
        f"{_cpu()}, {len(os.sched_getaffinity(0))} cores, {_memory()} of memory",
        f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        f"{platform.python_implementation()} {platform.python_version()}",
    ]
    return "\n".join(f"* {line}" for line in lines)
