"""Which operation a request means."""

from __future__ import annotations

from collections.abc import Mapping

from bridge_core._handlers import Operation
from bridge_core._plugins import PluginHost
from bridge_core.errors import AmbiguousOperationError, FrameworkNotFoundError, UnknownOperationError

__all__ = ["Catalogue"]

_NONE: Mapping[str, str] = {}
# What classes of an older kind have too, with the same meaning.
_SAME = frozenset(["get_capabilities", "get_stats", "ping", "shutdown"])


class Catalogue:
    """The operations of a worker: its own and those of its frameworks.

    Args:
        own: The worker's own operations, by name; no framework can hide one.
        plugins: Where the frameworks' operations come from.
        default: The framework meant when a request names none.
        wire_names: Full names by others that no operation can have, and that older peers use.
    """

    def __init__(
        self,
        own: Mapping[str, Operation],
        plugins: PluginHost,
        default: str | None,
        wire_names: Mapping[str, str] = _NONE,
    ) -> None:
        self._own = own
        self._wire_names = wire_names
        self._plugins = plugins
        self.default = default
        # What was asked for without a framework: each operation by its full name, its own one, or both.
        self._found: dict[str, Operation] = {}

    def find(self, name: str, framework: str | None) -> Operation:
        """Return the operation a request means by a name and, perhaps, a framework.

        Looked up as one of the worker's own, as `framework.operation`, in the request's framework, in the
        default framework, then as the only framework that has it.

        Raises:
            UnknownOperationError, AmbiguousOperationError: Nothing, or too much, has this name.
            FrameworkNotFoundError: The request's framework is not served here.
            PluginLoadFailedError: The plugin of the framework is broken.
        """
        if framework is not None:
            return self._find(name, framework)
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._find(name, None)
        return found

    def _find(self, name: str, framework: str | None) -> Operation:
        name = self._wire_names.get(name, name)
        if own := self._own.get(name):
            return own
        prefix, dot, rest = name.partition(".")
        if dot:
            try:
                return self._of(prefix, rest, name)
            except FrameworkNotFoundError:
                raise self._unknown(name) from None
        if framework is not None:
            return self._of(framework, name, name)
        if self.default is not None and (operation := self._plugins.get(self.default).operations.get(name)):
            return operation
        found = [plugin.operations[name] for plugin in self._plugins.plugins.values() if name in plugin.operations]
        if len(found) > 1:
            names = sorted(operation.full_name for operation in found)
            raise AmbiguousOperationError(
                f"{name!r} may mean {' or '.join(names)}; use the full name or say which framework", candidates=[*names]
            )
        if not found:
            raise self._unknown(name)
        return found[0]

    def all(self) -> dict[str, Operation]:
        """Return every operation by its full name."""
        theirs = [one for plugin in self._plugins.plugins.values() for one in plugin.operations.values()]
        return {one.full_name: one for one in sorted([*self._own.values(), *theirs], key=lambda one: one.full_name)}

    def hidden(self) -> list[str]:
        """Return the full names of operations that need them, because the worker has another one of the same name."""
        others = self._own.keys() - _SAME
        return [name for name, one in self.all().items() if one.framework is not None and one.name in others]

    def runs_in(self, place: str) -> bool:
        """Return whether any operation runs there."""
        return any(one.runs == place for one in self.all().values())

    def _of(self, framework: str, operation: str, asked: str) -> Operation:
        found = self._plugins.get(framework).operations.get(operation)
        if found is None:
            raise self._unknown(asked)
        return found

    def _unknown(self, name: str) -> UnknownOperationError:
        # Older peers look for exactly this text; what is supported goes into the details.
        return UnknownOperationError(f"Unknown command: {name}", operation=name, supported=[*self.all()])
