"""The hooks of the plugin for custom_ml, made from CustomBridge in custom_bridge.py."""

from __future__ import annotations

from bridge_core import FrameworkInfo, Register, hookimpl, installed_version

from . import _operations

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    """Describe custom_ml as it is installed here."""
    return FrameworkInfo(
        name="custom_ml",
        distribution="tiny_ml",
        version=installed_version("tiny_ml"),
        imports=("tiny_ml",),
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    """Register the operations of framework `custom_ml`."""
    register("load_model", _operations.load_model)
    register("predict", _operations.predict)
    register("evaluate", _operations.evaluate)
    register("train", _operations.train, streaming=True)
    register("get_shape", _operations.get_shape)
    register("do_it", _operations.do_it)
    register("odd", _operations.odd)
    register("refuse", _operations.refuse)
    register("describe", _operations.describe)
