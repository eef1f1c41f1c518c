"""The hooks: what the host calls, each handed on to the module that knows."""

from __future__ import annotations

from bridge_core import Encode, FrameworkInfo, JsonValue, Register, hookimpl, installed_version

from . import _embeddings, _generation, _models, _programs, _values

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    """Describe Transformers as it is installed here."""
    return FrameworkInfo(
        name="transformers",
        distribution="transformers",
        version=installed_version("transformers"),
        imports=("torch", "transformers"),
        environment={
            # Only local directories are loaded, so nothing here has a reason to ask the hub.
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            # They would be drawn on standard error, by a thread that stays.
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        },
        capabilities=("models", "generation", "embeddings", "programs", "streaming", "usage"),
        stand_ins={
            "bridge_transformers._loaded.LoadedModel.__call__": "bridge_transformers._generation:call_model",
            "bridge_transformers._programs.Program.__call__": "bridge_transformers._programs:call_program",
        },
        # Not torch itself: which build of it is right depends on the machine, and the extra is where that is explained.
        required_packages=("bridge-transformers[torch]",),
        test_layers=("protocol", "real"),
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    """Register the operations of framework `transformers`."""
    # One at a time: what loads sets torch's default type of numbers, which the whole process has in common.
    register("load_model", _models.load_model)
    register("unload_model", _models.unload_model)
    register("list_models", _models.list_models, idempotent=True)
    register("generate", _generation.generate, streaming=True, runs="thread")
    register("embed", _embeddings.embed, idempotent=True, runs="thread")
    register("create_program", _programs.create_program)
    register("execute_program", _programs.execute_program, streaming=True, runs="thread")
    register("list_programs", _programs.list_programs, idempotent=True)
    register("get_program", _programs.get_program, idempotent=True)
    register("delete_program", _programs.delete_program)


@hookimpl
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    """Describe a tensor as a tagged object."""
    return _values.describe(value, encode)
