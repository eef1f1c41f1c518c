"""Running `pybridge` as a person would, and keeping what it printed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping

import attrs

BOUND = 60.0


@attrs.frozen
class Ran:
    """What one command line came to."""

    code: int
    out: str
    err: str


def pybridge(*words: str, environment: Mapping[str, str] | None = None) -> Ran:
    """Run `pybridge WORDS` without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "bridge_core", *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        timeout=BOUND,
        check=False,
    )
    # What a worker says is frames.
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())


def on_a_terminal(*words: str) -> Ran:
    """Run `pybridge WORDS` with a terminal of its own; what it prints, stdout and stderr together, is `out`."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    with subprocess.Popen(
        [sys.executable, "-m", "bridge_core", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: the terminal's last user is gone
                break
            if not piece:
                break
            pieces.append(piece)
        os.close(ours)
        code = process.wait(BOUND)
    return Ran(code, b"".join(pieces).decode(), "")
