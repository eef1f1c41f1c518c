"""A plugin as its author would write it for hook API 1. Never edited: later cores must serve it.

`mypy --strict` over this file proves that our types serve consumers.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec

from bridge_core import (
    HOOK_API,
    BridgeError,
    CallContext,
    Encode,
    FrameworkInfo,
    JsonValue,
    ObjectStore,
    Register,
    Session,
    hookimpl,
    installed_version,
    parse_arguments,
)
from bridge_core.errors import NotConfiguredError, RefNotFoundError

BRIDGE_HOOK_API = 1


class IrisModelMissingError(BridgeError, code="not_found", reason="IRIS_MODEL_MISSING"):
    """There is no such model."""


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """How to train."""

    rounds: Annotated[int, msgspec.Meta(ge=1, description="passes over the data")] = 10
    seed: int | None = None


class Model:
    """A live object of the framework."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def predict(self, values: list[float]) -> str:
        return "setosa" if sum(values) < self.options.rounds else "virginica"


@hookimpl
def bridge_framework_info() -> FrameworkInfo:
    return FrameworkInfo(
        name="iris",
        distribution="iris",
        version=installed_version("iris"),
        imports=("statistics",),
        environment={"IRIS_HOME": "/nowhere"},
        capabilities=("train", "predict"),
        callables=("iris.Model",),
        configuration_targets=("iris.configure",),
        requires_python=">=3.9",
        required_packages=("iris>=1",),
        test_layers=("fake", "real"),
        deterministic=True,
    )


@hookimpl
def bridge_register_handlers(register: Register) -> None:
    register("train", train, summary="Train a model.")
    register("predict", predict, streaming=True, idempotent=True, runs="thread", cancellable="cooperative")
    register("score", score, stateless=True)
    register("get_model", get_model, idempotent=True)
    register("set_threshold", set_threshold, configures=True)
    register("forget", forget)


@hookimpl
def bridge_configure(config: Mapping[str, Any], session: Session) -> Mapping[str, Any]:
    settings = parse_arguments(configure, config)
    session.settings["iris"] = settings
    return settings


@hookimpl
def bridge_serialize_result(value: object, encode: Encode) -> JsonValue:
    return {"rounds": encode(value.options.rounds)} if isinstance(value, Model) else None


@hookimpl
@contextmanager
def bridge_call_context(session: Session) -> Iterator[None]:
    if "iris" not in session.settings:
        raise NotConfiguredError("iris: call configure first", session=session.id)
    yield


@hookimpl
def bridge_shutdown() -> None:
    if path := os.environ.get("IRIS_JOURNAL"):
        with open(path, "w", encoding="utf-8") as journal:
            journal.write(f"over, hook API {HOOK_API}")


def configure(*, threshold: float = 0.5, labels: list[str] | None = None) -> dict[str, Any]:
    """Set the defaults of a session."""
    return {"threshold": threshold, "labels": labels or []}


def set_threshold(ctx: CallContext, *, threshold: float) -> dict[str, Any]:
    """Set one of them."""
    ctx.session.settings["iris"]["threshold"] = threshold
    return {"threshold": threshold}


def get_model(ctx: CallContext, *, model_id: str) -> Model:
    """Return a model, which the hook describes."""
    model: Model = ctx.session.objects.get(model_id, kind="iris.model")
    return model


def train(ctx: CallContext, *, options: Options, id: str | None = None) -> dict[str, Any]:
    """Train a model and keep it."""
    ctx.check()
    ctx.progress("training", fraction=0.5)
    store: ObjectStore = ctx.session.objects
    return {"model_id": store.put(Model(options), kind="iris.model", id=id)}


def forget(ctx: CallContext, *, model_id: str) -> dict[str, Any]:
    """Delete a model, and say all that a call knows of itself."""
    store = ctx.session.objects
    before = [*store.ids(kind="iris.model")], len(store)
    store.delete(model_id, kind="iris.model")
    return {
        "before": before,
        "after": store.ids(),
        "session": ctx.session.id,
        "operation": ctx.operation,
        "framework": ctx.framework,
        "request": ctx.request_id,
        "deadline": ctx.deadline is not None and ctx.deadline > 0,
    }


def predict(
    ctx: CallContext, *, model_id: str, values: list[list[float]]
) -> dict[str, Any] | Generator[dict[str, Any], None, dict[str, Any]]:
    """Run a model on rows of numbers."""
    try:
        model: Model = ctx.session.objects.get(model_id, kind="iris.model")
    except RefNotFoundError as error:
        raise IrisModelMissingError(f"no model {model_id!r}; train one", model_id=model_id) from error
    if ctx.streaming:
        return labelled(ctx, model, values)
    return {"labels": [model.predict(row) for row in values]}


def labelled(
    ctx: CallContext, model: Model, values: list[list[float]]
) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """Yield one label at a time while somebody wants them."""
    done = 0
    for row in values:
        if ctx.cancelled or ctx.remaining() == 0.0:
            break
        done += 1
        yield {"label": model.predict(row)}
    return {"count": done}


async def score(*, expected: list[str], got: list[str], **extra: object) -> float:
    """Say how many labels are right."""
    return sum(a == b for a, b in zip(expected, got, strict=True)) / max(1, len(expected))
