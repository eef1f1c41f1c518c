"""A plugin that implements a hook nobody calls."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="unknown_hook", distribution="unknown_hook", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"


@hookimpl
def bridge_no_such_hook() -> None:
    """Never called."""
