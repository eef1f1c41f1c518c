"""The worker: one process that runs plugins and answers one peer over its standard input and output."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # importing `typing` has to wait until after the fork
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end and return the exit code; `arguments` are what follows `pybridge worker`.

    Exit codes: 0 orderly, 1 could not start, 2 wrong use, 3 the peer broke the framing.
    """
    from ._fork import fork_guardian

    try:
        os.fstat(0)
        os.fstat(1)
    except OSError as exc:
        os.write(2, f"pybridge worker: standard input and output must both be open: {exc}\n".encode())
        return 1
    say_ready = fork_guardian()
    # The wire is claimed before anything else is imported that could print or read.
    from bridge_core.transports._descriptors import claim_standard_streams

    wire_in, wire_out = claim_standard_streams()
    if os.environ.get("PYTHONSAFEPATH") == "bridge":
        del os.environ["PYTHONSAFEPATH"]  # meant for this process only: see transports/_process.py
    from ._entry import serve

    return serve(arguments, wire_in, wire_out, say_ready)
