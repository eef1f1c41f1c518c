"""A plugin that does not say for which hook API it is."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="no_api", distribution="no_api", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
