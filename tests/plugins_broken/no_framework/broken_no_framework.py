"""A plugin whose framework cannot be imported."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(
        name="no_framework",
        distribution="no_framework",
        version=None,
        imports=("no_such_module_anywhere",),
        required_packages=("no-such>=1",),
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("greet", greet)


def greet(*, name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}"
