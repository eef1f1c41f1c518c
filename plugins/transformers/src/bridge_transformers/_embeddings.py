"""Embeddings: what a model makes of whole texts, as vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from bridge_core import CallContext
from bridge_core.errors import InvalidArgumentsError

from ._errors import TransformersContextExceededError
from ._loaded import LoadedModel
from ._models import ModelId, find_model

__all__ = ["embed"]

_BATCH = 32
# A message has at most a million values; a tensor is one, whatever its size.
_MAX_NUMBERS = 900_000

Text = Annotated[str, Meta(min_length=1, max_length=4_000_000)]


def embed(
    ctx: CallContext,
    *,
    model_id: ModelId,
    texts: Annotated[list[Text], Meta(min_length=1, max_length=10_000)],
    pooling: Annotated[
        Literal["mean", "first", "last"], Meta(description="the vector of which tokens stands for a text")
    ] = "mean",
    normalize: Annotated[bool, Meta(description="make each vector one long")] = False,
    form: Annotated[
        Literal["lists", "tensor"], Meta(description="lists of numbers, or bytes with dtype and shape")
    ] = "lists",
) -> dict[str, Any]:
    """Turn texts into vectors."""
    import torch

    model = find_model(ctx, model_id)
    tokens = [_tokens(model, number, text) for number, text in enumerate(texts)]
    rows: dict[int, Any] = {}
    with torch.inference_mode():
        for batch in _batches(tokens):
            model.still_wanted(ctx)
            ids = torch.tensor([tokens[number] for number in batch], device=model.model.device)
            states = model.model.base_model(ids, attention_mask=torch.ones_like(ids))[0].float()
            if form == "lists":
                _refuse_too_many(len(texts), states.shape[-1])
            pooled = states.mean(1) if pooling == "mean" else states[:, 0 if pooling == "first" else -1]
            rows.update(zip(batch, pooled.cpu(), strict=True))
        vectors = torch.stack([rows[number] for number in range(len(texts))])
        if normalize:
            vectors = torch.nn.functional.normalize(vectors)
    embeddings = vectors if form == "tensor" else vectors.tolist()
    return {"model_id": model_id, "embeddings": embeddings, "dimensions": vectors.shape[1]}


def _refuse_too_many(count: int, dimensions: int) -> None:
    if count * dimensions > _MAX_NUMBERS:
        most = _MAX_NUMBERS // dimensions
        raise InvalidArgumentsError(f"$.texts: at most {most} at a time, or ask for form='tensor'", path="$.texts")


def _tokens(model: LoadedModel, number: int, text: str) -> list[int]:
    tokens, limit, path = model.encode(text), model.context_length, f"$.texts[{number}]"
    if not tokens:
        raise InvalidArgumentsError(f"{path}: it has no token that the model knows", path=path)
    if limit is not None and len(tokens) > limit:
        raise TransformersContextExceededError(
            f"{path}: it has {len(tokens)} tokens and the model looks at {limit}; divide it",
            path=path,
            tokens=len(tokens),
            limit=limit,
        )
    return tokens


def _batches(tokens: list[list[int]]) -> Iterator[list[int]]:
    """Yield the numbers of texts that have equally many tokens: nothing is padded, so no text changes another's."""
    of_length: dict[int, list[int]] = {}
    for number, found in enumerate(tokens):
        of_length.setdefault(len(found), []).append(number)
    for numbers in of_length.values():
        for start in range(0, len(numbers), _BATCH):
            yield numbers[start : start + _BATCH]
