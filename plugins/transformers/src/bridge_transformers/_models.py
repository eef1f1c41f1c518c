"""Models: loaded into the session's object store, listed and unloaded, and found there by other operations."""

from __future__ import annotations

import gc
from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import ModelNotFoundError, RefExistsError, RefNotFoundError

from ._directories import look_into
from ._errors import TransformersWrongTaskError
from ._loaded import LoadedModel, Task
from ._loading import Dtype, load

__all__ = ["ModelId", "find_model", "list_models", "load_model", "unload_model"]

_KIND = "transformers.model"
_DEVICE = r"^(cpu|cuda|mps|xpu)(:\d{1,3})?$"

ModelId: TypeAlias = Annotated[str, Meta(min_length=1, description="the id given to, or made by, load_model")]


def load_model(
    ctx: CallContext,
    *,
    model: Annotated[str, Meta(min_length=1, description="a directory on the worker's machine")],
    id: Annotated[str, Meta(min_length=1, description="chosen by you, or made here")] | None = None,
    task: Annotated[Task, Meta(description="what it is for; embed works with both")] = "generation",
    dtype: Annotated[Dtype, Meta(description='of the weights in memory; "auto" is that of the file')] = "auto",
    device: Annotated[str, Meta(pattern=_DEVICE, description="as torch calls it: cpu, cuda, cuda:1")] = "cpu",
) -> dict[str, Any]:
    """Load a model and its tokenizer from a directory and keep them in the session."""
    if id is not None and id in ctx.session.objects.ids():  # not only after it has been loaded
        raise RefExistsError(f"the session already has an object {id!r}; delete it first or choose another id", id=id)
    loaded = load(ctx, directory=look_into(model), task=task, dtype=dtype, device=device)
    model_id = ctx.session.objects.put(loaded, kind=_KIND, id=id)
    return {"model_id": model_id, "status": "loaded", **loaded.describe()}


def unload_model(ctx: CallContext, *, model_id: ModelId) -> dict[str, Any]:
    """Forget a model and give its memory back; calls that use it end with an error at their next step."""
    loaded = find_model(ctx, model_id)
    ctx.session.objects.delete(model_id, kind=_KIND)
    loaded.unload()
    del loaded
    gc.collect()  # it has parts that refer to each other
    return {"model_id": model_id, "status": "unloaded"}


def list_models(ctx: CallContext) -> dict[str, Any]:
    """List the session's models."""
    ids = ctx.session.objects.ids(kind=_KIND)
    # None goes meanwhile: what forgets models runs on the main thread, as this does.
    models = [{"model_id": model_id, **find_model(ctx, model_id).describe()} for model_id in ids]
    return {"models": models, "count": len(models)}


def find_model(ctx: CallContext, model_id: str, *, task: Task | None = None) -> LoadedModel:
    """Return a model of the session.

    Raises:
        ModelNotFoundError: There is none with this id.
        TransformersWrongTaskError: It was loaded for another task.
    """
    try:
        found: LoadedModel = ctx.session.objects.get(model_id, kind=_KIND)
    except RefNotFoundError:
        raise ModelNotFoundError(
            f"the session has no model {model_id!r}; list_models has those it has", model_id=model_id
        ) from None
    if task not in (None, found.task):
        raise TransformersWrongTaskError(
            f"the model {model_id!r} was loaded for {found.task}; load it with task={task!r}", model_id=model_id
        )
    return found
