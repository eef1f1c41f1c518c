"""A second framework beside `probe`, for a Bridge with several workers; plugin and library in one."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

from probe_things import Thing

from bridge_core import CallContext, FrameworkInfo, Register, Session, hookimpl

__all__ = ["Thing"]

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(
        name="second", distribution="second", version="0.1.0", configuration_targets=("second.settings.configure",)
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("settings", settings)
    register("end", end)


@hookimpl
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
    session.settings.setdefault("second", {}).update(config)
    return config


def settings(ctx: CallContext) -> dict[str, Any]:
    """Return what the session was configured with."""
    return {name: str(value) for name, value in ctx.session.settings.get("second", {}).items()}


def end() -> None:
    """Die."""
    os.kill(os.getpid(), signal.SIGKILL)
