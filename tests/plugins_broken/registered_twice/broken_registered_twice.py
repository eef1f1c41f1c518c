"""A plugin that registers one name twice."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="registered_twice", distribution="registered_twice", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
