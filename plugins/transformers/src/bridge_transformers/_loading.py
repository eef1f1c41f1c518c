"""Loading: from a directory to a model that can be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

from bridge_core import BridgeError, CallContext

from ._directories import ModelDirectory
from ._errors import TransformersDeviceUnavailableError, TransformersLoadFailedError
from ._loaded import LoadedModel, Task

__all__ = ["Dtype", "load"]

Dtype: TypeAlias = Literal["auto", "float32", "float16", "bfloat16"]

_CLASSES: dict[Task, str] = {"generation": "AutoModelForCausalLM", "embeddings": "AutoModel"}
# Unset, the first would ask on standard output and run the code if standard input says yes.
_SAFELY = {"trust_remote_code": False, "local_files_only": True}
# What the author of a model may decide about every text. The rest is the caller's: transformers would mix it with what
# the author recommends, and say nothing.
_AUTHORS = (
    "bos_token_id", "eos_token_id", "pad_token_id", "repetition_penalty", "no_repeat_ngram_size", "bad_words_ids",
    "suppress_tokens", "begin_suppress_tokens",
)  # fmt: skip
_BLOCK = 1 << 24
_TEXT_LIMIT = 2000


def load(ctx: CallContext, *, directory: ModelDirectory, task: Task, dtype: Dtype, device: str) -> LoadedModel:
    """Load a model, telling how far it is.

    Raises:
        TransformersDeviceUnavailableError: torch cannot use the device.
        TransformersLoadFailedError: The files make no model of this task.
        CallCancelledError, CallTimeoutError: The model is no longer wanted, or late.
    """
    import torch
    import transformers

    _try_device(device)
    with _Translating(directory.path):
        ctx.progress("loading the tokenizer", fraction=0.0)
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory.path, **_SAFELY)
        for fraction in _read(directory.weights):
            ctx.check()
            ctx.progress("reading the weights", fraction=0.8 * fraction)
        ctx.progress("making the model", fraction=0.8)
        model, found = getattr(transformers, _CLASSES[task]).from_pretrained(
            directory.path,
            dtype=dtype if dtype == "auto" else getattr(torch, dtype),
            use_safetensors=True,
            output_loading_info=True,
            **_SAFELY,
        )
        _refuse_gaps(directory, task, model, found)
        if task == "generation":
            model.generation_config = _neutral(model.generation_config)
        ctx.check()
        model.to(device).eval()
    ctx.progress("loaded", fraction=1.0)
    limit = _context_length(model, tokenizer, task)
    return LoadedModel(model, tokenizer, task=task, directory=directory.path, context_length=limit)


class _Translating:
    """A block in which broken files make transformers raise anything at all."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(exc, Exception) and not isinstance(exc, BridgeError):
            name, text = type(exc).__name__, str(exc).strip()[:_TEXT_LIMIT]
            raise TransformersLoadFailedError(
                f"{self._path!r} cannot be loaded: {name}: {text}", exception=name, text=text
            ) from exc


def _try_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as exc:
        text = str(exc).partition("\n")[0][:_TEXT_LIMIT]
        raise TransformersDeviceUnavailableError(
            f"the worker's torch {torch.__version__} cannot use the device {device!r}: {text}", device=device
        ) from exc


def _read(files: tuple[Path, ...]) -> Iterator[float]:
    """Read files and yield how much of them is read, each time it is one hundredth more.

    It is what takes the time, and the only part of loading that can say how far it is: what transformers does then
    finds the files in memory.
    """
    total = sum(file.stat().st_size for file in files)
    block = bytearray(_BLOCK)
    done, said = 0, 0.0
    for file in files:
        with file.open("rb", buffering=0) as opened:
            while count := opened.readinto(block):
                done += count
                if (fraction := min(done / total, 1.0)) >= said + 0.01:
                    said = fraction
                    yield fraction


def _refuse_gaps(directory: ModelDirectory, task: Task, model: Any, found: dict[str, Any]) -> None:
    """Refuse a model that transformers has filled up with random numbers, or that takes a second text."""
    missing = sorted(name for name in found["missing_keys"] if task != "embeddings" or "pooler." not in name)
    if missing:
        raise TransformersLoadFailedError(
            f"{directory.path!r} has no weights for {len(missing)} parts of a model for {task}, such as {missing[0]!r};"
            " is it a model for something else?",
            missing=missing[:10],
        )
    if model.config.is_encoder_decoder:
        raise TransformersLoadFailedError(f"{directory.path!r} is a model of encoder and decoder; none is loaded yet")


def _neutral(recommended: Any) -> Any:
    """Return the settings of a model without those that are the caller's."""
    import transformers

    kept = {name: value for name in _AUTHORS if (value := getattr(recommended, name)) is not None}
    ends = kept.get("eos_token_id")
    # Nothing is ever padded here, but without one transformers logs a line for each text.
    kept.setdefault("pad_token_id", ends[0] if isinstance(ends, list) else ends)
    return transformers.GenerationConfig(**kept)


def _context_length(model: Any, tokenizer: Any, task: Task) -> int | None:
    limits = [getattr(model.config.get_text_config(), "max_position_embeddings", None)]
    if task == "embeddings":  # some encoders have positions that no text may use
        limits.append(tokenizer.model_max_length)
    # A tokenizer without a limit has a number beyond all bounds.
    return min((limit for limit in limits if limit and limit < 1 << 31), default=None)
