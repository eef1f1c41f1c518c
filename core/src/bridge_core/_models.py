"""Values that plugins, the host and the protocol share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Union

from msgspec import Struct, field

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["FrameworkInfo", "JsonValue", "PluginFailure", "PluginMetadata"]

# What JSON and MessagePack both carry unchanged.
JsonValue: TypeAlias = Union[bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]", None]


class FrameworkInfo(Struct, kw_only=True, frozen=True):
    """What a plugin says about the framework it serves, without importing it."""

    name: str
    """The framework's name: the same as the plugin's entry point."""
    distribution: str
    """The distribution that installs the framework, as `pip install` knows it."""
    version: str | None
    """The installed version; None when the framework is absent."""
    imports: tuple[str, ...] = ()
    """Modules that the worker imports, once and with progress events, before the first operation that needs them."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set before the framework is imported; one that the operator has already set is left alone."""
    capabilities: tuple[str, ...] = ()
    """What this plugin can do, in words of its own, for peers that choose by it."""
    callables: tuple[str, ...] = ()
    """Dotted names of what dynamic calls may reach: callables, classes, `Class.method`; never whole packages.

    A class that is named may be instantiated, and of its objects what is no callable may be read.
    """
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    """What dynamic calls of a dotted name reach instead, as `module:function`; `Class.__call__` is calling its objects.

    For callables that are safe only with arguments that the plugin has checked, and for objects that only operations
    know to use. The function is given the call's context first, then the object if there is one, and may be a generator
    as handlers are. What the operator allows is reached itself.
    """
    configuration_targets: tuple[str, ...] = ()
    """Dotted names whose dynamic call configures the calling session instead."""
    requires_python: str = ">=3.10"
    required_packages: tuple[str, ...] = ()
    """Requirements (PEP 508) that must be installed for the operations to work."""
    test_layers: tuple[str, ...] = ()
    """Which kinds of tests the plugin supports: "fake", "protocol", "real"."""
    deterministic: bool = False
    """Whether equal inputs give equal results."""


class PluginMetadata(Struct, kw_only=True, frozen=True):
    """An installed plugin as its distribution describes it; nothing has been imported."""

    name: str
    distribution: str
    version: str
    target: str
    """The entry point's value, `module` or `module:attribute`."""


class PluginFailure(Struct, kw_only=True, frozen=True):
    """Why a plugin is not in use: data, so that one broken plugin never stops the others."""

    name: str
    distribution: str
    version: str
    stage: str
    """One of "conflict", "import", "hook_api", "hooks", "framework_info", "handlers", "environment"."""
    cause: str
    remedy: str

    def sentence(self) -> str:
        """Say what happened to which plugin and what to do about it."""
        plugin = f"plugin {self.name!r} ({self.distribution} {self.version})"
        return f"{plugin} failed at {self.stage}: {self.cause}; {self.remedy}"
