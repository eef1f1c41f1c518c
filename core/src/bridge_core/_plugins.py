"""The plugin host: finds, loads and calls plugins, one at a time, so that one failure is one record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import importlib_metadata
import msgspec
import pluggy

from . import hookspecs
from ._context import Session
from ._distributions import plugin_entry_points
from ._handlers import Operation
from ._models import FrameworkInfo, JsonValue, PluginFailure, PluginMetadata
from .errors import (
    BridgeError,
    FrameworkNotFoundError,
    HandlerRaisedError,
    InternalError,
    InvalidConfigError,
    PluginConflictError,
    PluginLoadFailedError,
)
from .hookspecs import HOOK_API, Encode, Handler

__all__ = ["LoadedPlugin", "PluginHost"]

_log = logging.getLogger(__name__)


class _LoadError(Exception):
    """One plugin cannot be used; becomes a PluginFailure."""

    def __init__(self, stage: str, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.stage, self.cause, self.remedy = stage, cause, remedy


class LoadedPlugin(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A plugin that can be used: what it said about itself and its operations."""

    metadata: PluginMetadata
    info: FrameworkInfo
    operations: Mapping[str, Operation]
    hooks: Mapping[str, pluggy.HookCaller]
    """The callers of this plugin's own hooks, by name."""

    @property
    def name(self) -> str:
        """The framework's name."""
        return self.metadata.name


class PluginHost:
    """Holds the plugins in use and the failures of the others.

    Args:
        allow: The only names to load; all when None.
        block: Names never to load.
        distributions: Which distribution to take where several claim one name.
        strict: Whether the first failure is raised instead of recorded.
    """

    def __init__(
        self,
        *,
        allow: Collection[str] | None = None,
        block: Collection[str] = (),
        distributions: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> None:
        self.allow = allow
        self.block = block
        self.distributions = distributions or {}
        self.strict = strict
        self._plugins: dict[str, LoadedPlugin] = {}
        self._failures: list[PluginFailure] = []
        self._offered: dict[str, list[str]] = {}

    @property
    def plugins(self) -> Mapping[str, LoadedPlugin]:
        """The plugins in use, by framework name."""
        return self._plugins

    @property
    def failures(self) -> tuple[PluginFailure, ...]:
        """What could not be used, and why."""
        return tuple(self._failures)

    def discover(self) -> None:
        """Load every installed plugin that allow and block lists leave.

        Raises:
            PluginConflictError, PluginLoadFailedError: Only with `strict`.
        """
        by_name: dict[str, list[tuple[PluginMetadata, importlib_metadata.EntryPoint]]] = {}
        for metadata, point in plugin_entry_points():
            self._offered.setdefault(metadata.name, []).append(metadata.distribution)
            chosen = self.distributions.get(metadata.name, metadata.distribution)
            if self._wanted(metadata.name) and metadata.distribution == chosen:
                by_name.setdefault(metadata.name, []).append((metadata, point))
        for _, found in sorted(by_name.items()):
            if len(found) > 1:
                self._conflict([metadata for metadata, _ in found])
            else:
                metadata, point = found[0]
                self.load(metadata, point.load)

    def load(self, metadata: PluginMetadata, importer: Callable[[], object]) -> None:
        """Import one plugin and put it in use, or record why that failed.

        Raises:
            PluginLoadFailedError: Only with `strict`.
        """
        try:
            plugin = self._load(metadata, importer)
        except _LoadError as exc:
            self._fail(metadata, exc)
        else:
            self._plugins[metadata.name] = plugin

    def get(self, name: str) -> LoadedPlugin:
        """Return the plugin of a framework.

        Raises:
            PluginLoadFailedError: The plugin is installed and broken; `details` has the failure.
            PluginConflictError: Several distributions claim the name.
            FrameworkNotFoundError: No plugin has this name, or lists keep it out.
        """
        if plugin := self._plugins.get(name):
            return plugin
        for failure in self._failures:
            if failure.name == name:
                raise _failure_error(failure)
        known = ", ".join(sorted(self._plugins)) or "none"
        cause = self.absence(name) if name in self.distributions else None
        cause = cause if self._wanted(name) else "it is kept out by the allow or block list"
        hint = f" ({cause})" if cause else ""
        raise FrameworkNotFoundError(
            f"no plugin serves the framework {name!r}{hint}; served here: {known}",
            framework=name,
        )

    def absence(self, name: str) -> str | None:
        """Return why nothing that is installed could serve a framework, whatever the lists say; None if it could."""
        offered, chosen = self._offered.get(name, []), self.distributions.get(name)
        if name in self._plugins or (offered and chosen in (None, *offered)):
            return None
        found = f"; found: {', '.join(sorted(offered))}" if offered else ""
        return (
            f"no installed distribution {chosen} offers it{found}" if chosen else "no installed distribution offers it"
        )

    def set_environment(self, environ: MutableMapping[str, str]) -> None:
        """Set what the plugins' frameworks want in the environment; what is already set is left alone."""
        for plugin in list(self._plugins.values()):
            try:
                for name, value in plugin.info.environment.items():
                    environ.setdefault(name, value)
            except (TypeError, ValueError, OSError) as exc:
                del self._plugins[plugin.name]
                remedy = f"report it to the author of {plugin.metadata.distribution}"
                self._fail(plugin.metadata, _LoadError("environment", _text(exc), remedy))

    def shutdown(self) -> None:
        """Tell every plugin in use, last loaded first, that it is over; failures are logged, and again does nothing."""
        plugins, self._plugins = self._plugins, {}
        for plugin in reversed(plugins.values()):
            try:
                self._call(plugin, "bridge_shutdown")
            except BaseException as exc:  # boundary: plugin call
                _log.warning("plugin %r failed at shutdown: %s", plugin.name, _text(exc))

    def configure(self, name: str, config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
        """Configure one framework for a session and return the effective settings, secrets redacted.

        Raises:
            InvalidConfigError: The plugin takes no configuration.
        """
        plugin = self.get(name)
        if "bridge_configure" not in plugin.hooks:
            raise InvalidConfigError(f"{name} takes no configuration", path="$")
        effective = self._call(plugin, "bridge_configure", config=config, session=session)
        if not effective or not isinstance(effective[0], Mapping):
            distribution = plugin.metadata.distribution
            raise InternalError(f"bridge_configure of {distribution} must return the effective settings as a mapping")
        return dict(effective[0])

    def call_context(self, name: str, session: Session) -> AbstractContextManager[Any]:
        """Return what the framework's calls for this session run in."""
        context = self._call(self.get(name), "bridge_call_context", session=session)
        return context or nullcontext()

    def serialize(self, value: object, encode: Encode, *, first: str | None) -> JsonValue:
        """Ask the plugins for a framework object's JSON form, the named one first; None when nobody knows it."""
        for plugin in sorted(self._plugins.values(), key=lambda plugin: (plugin.name != first, plugin.name)):
            form: JsonValue = self._call(plugin, "bridge_serialize_result", value=value, encode=encode)
            if form is not None:
                return form
        return None

    @staticmethod
    def _call(plugin: LoadedPlugin, hook: str, **arguments: Any) -> Any:
        """Call one hook of one plugin; None if the plugin does not have it."""
        caller = plugin.hooks.get(hook)
        return caller(**arguments) if caller else None

    def _wanted(self, name: str) -> bool:
        return name not in self.block and (self.allow is None or name in self.allow)

    def _load(self, metadata: PluginMetadata, importer: Callable[[], object]) -> LoadedPlugin:
        package = metadata.distribution
        if not metadata.name.isidentifier():
            raise _LoadError("import", "an entry point's name must be an identifier", f"ask the author of {package}")
        with _stage("import", f"run `pybridge plugins --check` and reinstall or update {package}"):
            plugin = importer()
        with _stage("hook_api", f"report it to the author of {package}"):
            api = getattr(plugin, "BRIDGE_HOOK_API", None)
        if api != HOOK_API:
            cause = f"it is written for hook API {api!r}, this bridge-core offers {HOOK_API}"
            raise _LoadError("hook_api", cause, f"upgrade bridge-core or {package}")
        with _stage("hooks", f"upgrade bridge-core or {package}: their hooks differ"):
            # A manager of its own: a call of this plugin's hooks can never reach another, also not one loaded later.
            manager = pluggy.PluginManager("bridge")
            manager.add_hookspecs(hookspecs)
            manager.register(plugin, metadata.name)
            manager.check_pending()
        return self._describe(metadata, {hook.name: hook for hook in manager.get_hookcallers(plugin) or ()})

    def _describe(self, metadata: PluginMetadata, hooks: Mapping[str, pluggy.HookCaller]) -> LoadedPlugin:
        remedy = f"report it to the author of {metadata.distribution}"
        for required in ("bridge_framework_info", "bridge_register_handlers"):
            if required not in hooks:
                raise _LoadError("hooks", f"it has no {required}", remedy)
        with _stage("framework_info", remedy):
            info = next(iter(hooks["bridge_framework_info"]()), None)
            if not isinstance(info, FrameworkInfo) or info.name != metadata.name:
                raise TypeError(f"bridge_framework_info must return a FrameworkInfo with name {metadata.name!r}")
            msgspec.convert(msgspec.to_builtins(info), FrameworkInfo)  # raises for fields of a wrong type
        operations: dict[str, Operation] = {}

        def register(name: str, handler: Handler, /, **options: Any) -> None:
            if name in operations:
                raise TypeError(f"operation {name!r} is registered twice")
            operations[name] = Operation.of(metadata.name, name, handler, **options)

        with _stage("handlers", remedy):
            hooks["bridge_register_handlers"](register=register)
        return LoadedPlugin(metadata=metadata, info=info, operations=operations, hooks=hooks)

    def _conflict(self, found: list[PluginMetadata]) -> None:
        names = " and ".join(sorted(f"{one.distribution} {one.version}" for one in found))
        error = _LoadError("conflict", f"{names} all claim the name", "uninstall all but one")
        self._fail(msgspec.structs.replace(found[0], distribution=names, version=""), error)

    def _fail(self, metadata: PluginMetadata, error: _LoadError) -> None:
        failure = PluginFailure(
            name=metadata.name,
            distribution=metadata.distribution,
            version=metadata.version,
            stage=error.stage,
            cause=error.cause,
            remedy=error.remedy,
        )
        if self.strict:
            raise _failure_error(failure) from error
        self._failures.append(failure)


def _failure_error(failure: PluginFailure) -> BridgeError:
    error = PluginConflictError if failure.stage == "conflict" else PluginLoadFailedError
    return error(failure.sentence(), **msgspec.structs.asdict(failure))


def _text(exc: BaseException) -> str:
    return HandlerRaisedError.wrapping(exc).message


@contextmanager
def _stage(stage: str, remedy: str) -> Iterator[None]:
    """Turn whatever a plugin raises into the record of where it failed."""
    try:
        yield
    except BaseException as exc:  # boundary: plugin call — it may even exit
        raise _LoadError(stage, _text(exc), remedy) from exc
