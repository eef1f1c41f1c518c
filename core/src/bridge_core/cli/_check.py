"""Whether a plugin can be used: tried in a worker of its own, so that a crash is a finding and nothing more."""

from __future__ import annotations

import tempfile
from typing import Any

from msgspec import Struct

from bridge_core.errors import BridgeError

from ._worker import START_TIMEOUT, worker

__all__ = ["Check", "check_plugin"]


class Check(Struct, kw_only=True, frozen=True):
    """What came of trying one plugin."""

    state: str
    """"loads", or why not."""
    info: dict[str, Any] | None
    """What the plugin says about itself and its framework, if it loads."""


def check_plugin(name: str) -> Check:
    """Start a worker that serves this framework and ask it what it serves."""
    with tempfile.TemporaryFile() as log:
        try:
            with worker([name], stderr=log.fileno()) as client:
                return Check(state="loads", info=client.run("describe", {"framework": name}, timeout=START_TIMEOUT))
        except BridgeError as exc:
            log.seek(0)
            last = log.read().decode(errors="replace").strip().splitlines()[-1:]
            return Check(state=last[0].removeprefix("pybridge worker: ") if last else str(exc), info=None)
