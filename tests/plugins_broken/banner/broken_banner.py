"""A plugin that prints when it is imported."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

print("welcome to the banner plugin")  # noqa: T201
BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="banner", distribution="banner", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
