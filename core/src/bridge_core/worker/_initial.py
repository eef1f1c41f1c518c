"""What the operator's configuration gives to every new session of a framework."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from bridge_core.errors import BridgeError, InvalidConfigError

if TYPE_CHECKING:
    from bridge_core._plugins import PluginHost
    from bridge_core.secrets._references import SecretReferences
    from bridge_core.sessions import PeerSession

__all__ = ["InitialConfiguration"]


class InitialConfiguration:
    """Configures each session once for each framework, before anything else of that framework runs in it.

    Args:
        plugins: The frameworks.
        configurations: By framework name; may have references to secrets.
        references: Resolves them.
    """

    def __init__(
        self, plugins: PluginHost, configurations: Mapping[str, Mapping[str, Any]], references: SecretReferences
    ) -> None:
        self._plugins = plugins
        self._references = references
        self._configurations = {name: config for name, config in configurations.items() if config}
        self._done: dict[str, WeakSet[PeerSession]] = {name: WeakSet() for name in self._configurations}
        self._locks = {name: threading.Lock() for name in self._configurations}

    def concerns(self, framework: str) -> bool:
        """Return whether sessions of the framework are configured at all."""
        return framework in self._configurations

    def pending(self, framework: str | None, session: PeerSession) -> bool:
        """Return whether the session has still to be configured."""
        return framework in self._configurations and session not in self._done[framework]

    def ensure(self, framework: str, session: PeerSession) -> None:
        """Configure the session unless that is done; other callers wait for the first.

        Raises:
            InvalidConfigError: The configuration is wrong; it is tried again at the next call.
            BridgeError: The plugin cannot apply it; likewise.
        """
        if not self.pending(framework, session):
            return
        with self._locks[framework]:
            if self.pending(framework, session):
                with _of_the_operator(framework):
                    config = self._references.resolve(self._configurations[framework], holder=session)
                    self._plugins.configure(framework, config, session)
                self._done[framework].add(session)

    def forget(self, session: PeerSession) -> None:
        """Configure the session anew before its next call: its settings were cleared."""
        for sessions in self._done.values():
            sessions.discard(session)


@contextmanager
def _of_the_operator(framework: str) -> Iterator[None]:
    """Say of what is wrong that it is not the peer's doing, and where it is."""
    try:
        yield
    except BridgeError as exc:
        path = exc.details.get("path")
        if not isinstance(path, str):
            raise
        where = f"$.frameworks.{framework}.configuration{path.removeprefix('$')}"
        raise InvalidConfigError(
            f"the worker's own configuration of {framework} is wrong: {exc.message}", path=where
        ) from exc
