"""The hooks: what the host calls, each handed on to the module that knows."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bridge_core import (
    Encode,
    FrameworkInfo,
    JsonValue,
    Register,
    Session,
    hookimpl,
    installed_version,
    parse_arguments,
)

from . import _calls, _dynamic, _lm, _programs, _values

BRIDGE_HOOK_API = 1


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    """Describe DSPy as it is installed here."""
    installed = installed_version("dspy")
    return FrameworkInfo(
        name="dspy",
        distribution="dspy",
        version=installed,
        imports=("dspy",),
        environment={
            # Without it litellm downloads a price list when it is imported, and retries in a thread.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "DSPY_CACHEDIR": str(_cache_directory(installed)),
        },
        capabilities=("programs", "streaming", "usage", "embedded_model"),
        callables=("dspy.Example", "dspy.History", "dspy.Prediction", *_members()),
        stand_ins=_dynamic.STAND_INS,
        configuration_targets=("dspy.configure", "dspy.settings.configure"),
        required_packages=("dspy>=3.4",),
        test_layers=("protocol", "real"),
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    """Register the operations of framework `dspy`."""
    register("configure_lm", _lm.configure_lm, idempotent=True, configures=True)
    register("create_program", _programs.create_program)
    register("execute_program", _programs.execute_program, streaming=True, runs="thread")
    register("list_programs", _programs.list_programs, idempotent=True)
    register("get_program", _programs.get_program, idempotent=True)
    register("delete_program", _programs.delete_program)


@hookimpl
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
    """Give the session a language model; `config` has the arguments of `configure_lm`, or a `dspy.LM` as `lm`."""
    if "lm" in config:
        return _lm.use_object(session, config)
    return _lm.use_model(session, **parse_arguments(_lm.configure_lm, config))


@hookimpl
def bridge_call_context(session: Session) -> AbstractContextManager[None]:
    """Run a call with the session's own DSPy settings."""
    return _calls.calling(session)


@hookimpl
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    """Describe a prediction, example or history as a tagged object of its fields."""
    return _values.describe(value, encode)


def _members() -> list[str]:
    """Return the methods of DSPy's records that dynamic calls may use: those that read, and those that copy."""
    reading = ("copy", "get", "inputs", "items", "keys", "labels", "toDict", "values", "with_inputs", "without")
    records = [f"dspy.{record}.{name}" for record in ("Example", "Prediction") for name in reading]
    return [*records, "dspy.Prediction.get_lm_usage", "dspy.History.model_dump"]


def _cache_directory(installed: str | None) -> Path:
    """One directory per environment and DSPy version: entries that one version wrote crash another."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:12]
    return Path(caches) / "bridge" / "dspy" / f"{installed or 'none'}-{environment}"
