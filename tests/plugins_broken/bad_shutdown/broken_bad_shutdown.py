"""A plugin that fails when it is told that all is over."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="bad_shutdown", distribution="bad_shutdown", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"


@hookimpl
def bridge_shutdown() -> None:
    raise RuntimeError("cannot let go")
