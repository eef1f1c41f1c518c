"""A plugin for a later hook API."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 2


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="wrong_api", distribution="wrong_api", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
