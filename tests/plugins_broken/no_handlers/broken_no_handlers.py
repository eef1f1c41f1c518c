"""A plugin without the hook that registers handlers."""

from __future__ import annotations

from bridge_core import FrameworkInfo, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="no_handlers", distribution="no_handlers", version=None)
