"""Importing frameworks: lazily, once, outside of any lock that the reader needs, and saying so."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable

from bridge_core._plugins import LoadedPlugin
from bridge_core.errors import FrameworkUnavailableError

__all__ = ["FrameworkImporter"]


class FrameworkImporter:
    """Imports each framework's modules before the first call that needs them; safe from any thread."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}

    def is_ready(self, plugin: LoadedPlugin) -> bool:
        """Return whether the framework has been imported, or needs no import."""
        return plugin.name in self._ready or not plugin.info.imports

    def ensure(self, plugin: LoadedPlugin, progress: Callable[[str], None]) -> None:
        """Import what the framework needs unless that is done; other callers wait for the first.

        Raises:
            FrameworkUnavailableError: A module cannot be imported; it is tried again at the next call.
        """
        if self.is_ready(plugin):
            return
        with self._locks.setdefault(plugin.name, threading.Lock()):
            if self.is_ready(plugin):
                return
            modules = plugin.info.imports
            started = time.monotonic()
            for module in modules:
                progress(f"importing {module}")
                self._import(plugin, module)
            progress(f"imported {', '.join(modules)} in {time.monotonic() - started:.1f} s")
            self._ready.add(plugin.name)

    @staticmethod
    def _import(plugin: LoadedPlugin, module: str) -> None:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as exc:  # boundary: plugin call
            wanted = " ".join(f"'{requirement}'" for requirement in plugin.info.required_packages)
            remedy = f"pip install {wanted or plugin.info.distribution} into the worker's environment"
            raise FrameworkUnavailableError(
                f"{module} cannot be imported ({type(exc).__name__}: {exc}); {remedy}",
                framework=plugin.name,
                module=module,
                installed=plugin.info.version,
            ) from exc
