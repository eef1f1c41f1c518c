"""A plugin that does not start."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(name="bad_startup", distribution="bad_startup", version=None)


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"


@hookimpl
def bridge_startup() -> None:
    raise SystemExit("no licence")
