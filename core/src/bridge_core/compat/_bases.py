"""Base classes for old bridges whose own base class is left behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

__all__ = ["BaseBridge", "BaseFrameworkPlugin"]


class BaseBridge:
    """The base of a class with `_register_handlers` or `_register_commands`, in the place of the one it had.

    Unlike those, it neither registers nor initialises anything itself: `_register_handlers` is called when the worker
    starts, `_initialize_framework` before the first operation.

    Args:
        mode: The worker's `--mode`.
        worker_id: The worker's `--worker-id`.
    """

    def __init__(self, mode: str = "standalone", worker_id: str | None = None) -> None:
        self.mode = mode
        self.worker_id = worker_id
        self.start_time = time.time()
        self._handlers: dict[str, Callable[..., Any]] = {}

    def register_handler(self, name: str, handler: Callable[..., Any]) -> None:
        """Have a handler answer requests of this name."""
        self._handlers[name] = handler

    def register_command(self, name: str, handler: Callable[..., Any]) -> None:
        """Have a handler answer requests of this name."""
        self._handlers[name] = handler

    def get_supported_commands(self) -> list[str]:
        """List what has been registered."""
        return [*self._handlers]

    def ping(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Say that the bridge is alive; a worker answers `ping` itself."""
        return {"status": "ok", "worker_id": self.worker_id}

    def get_stats(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Say how long the bridge has lived; a worker answers `get_stats` itself."""
        return {"uptime": time.time() - self.start_time}

    def get_info(self, args: Mapping[str, Any]) -> Any:
        """Say what `get_framework_info` says."""
        return getattr(self, "get_framework_info", dict)()

    def cleanup(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Let go of what the bridge holds; called when the worker ends, too."""
        return {"status": "cleaned"}

    def run(self) -> NoReturn:
        """Turn this process into a worker that serves this class, as the old base's loop did: it never returns."""
        kind = type(self)
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        where = f"{os.path.abspath(file)}:{kind.__qualname__}" if file else f"{kind.__module__}:{kind.__qualname__}"
        flags = ["--bridge", where, "--mode", self.mode]
        flags += ["--worker-id", self.worker_id] if self.worker_id else []
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, "-m", "bridge_core", "worker", *flags])


class BaseFrameworkPlugin:
    """The base of a class with `name`, `load`, `configure` and `serialize_result`, in the place of the one it had."""

    def load(self) -> Any:
        """Import the framework; called before the first operation."""

    def serialize_result(self, value: Any) -> Any:
        """Describe a framework object as JSON, None for what is none."""
