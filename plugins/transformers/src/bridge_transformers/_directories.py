"""Directories with models: what is in them, looked at before anything is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from os.path import isdir, isfile, lexists  # unlike the methods of a Path, they never raise
from pathlib import Path
from typing import Any

from msgspec import Struct

from ._errors import (
    TransformersDirectoryNotFoundError,
    TransformersHubRefusedError,
    TransformersLoadFailedError,
    TransformersModelIncompleteError,
    TransformersRemoteCodeError,
    TransformersUnsafeWeightsError,
)

__all__ = ["ModelDirectory", "look_into"]

_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", re.ASCII)
_CONFIG, _TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"
_OWN_GENERATE, _ADAPTER = "custom_generate", "adapter_config.json"
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
# One of them has the vocabulary. Where all are missing, transformers 5 makes an empty one and says nothing.
_VOCABULARIES = ("tokenizer.json", "vocab*", "*.model", "*.spm", "*.tiktoken", "tekken.json")
# Entries that name other files, and code, and those that do so unless they are empty.
_ELSEWHERE = frozenset(["auto_map", "backbone_kwargs", "configuration_files", "fast_tokenizer_files"])
_ELSEWHERE_IF_SET = frozenset(["backbone", "trust_remote_code", "use_pretrained_backbone"])
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


class ModelDirectory(Struct, kw_only=True, frozen=True):
    """A directory that has what a model needs, and nothing that would run code."""

    path: str
    weights: tuple[Path, ...]


def look_into(model: str) -> ModelDirectory:
    """Return what is in a model's directory.

    Raises:
        TransformersDirectoryNotFoundError: There is none.
        TransformersHubRefusedError: There is none, and the name looks like one of the hub.
        TransformersModelIncompleteError: A file is missing.
        TransformersUnsafeWeightsError: The weights are pickles only.
        TransformersRemoteCodeError: The model brings code of its own.
        TransformersLoadFailedError: What is to be read first is no JSON object.
    """
    path = Path(model)
    if not isdir(model):
        if _HUB_NAME.fullmatch(model):
            raise TransformersHubRefusedError(
                f"the worker has no directory {model!r}, and models of the hub are not loaded; download it and give"
                " the directory",
                model=model,
            )
        raise TransformersDirectoryNotFoundError(f"the worker has no directory {model!r}", model=model)
    if not isfile(path / _CONFIG):
        raise _incomplete(path, _CONFIG)
    _refuse_code(path)
    weights = _weights(path)
    if not any(found for pattern in _VOCABULARIES for found in path.glob(pattern)):
        raise _incomplete(path, "tokenizer.json")
    return ModelDirectory(path=model, weights=weights)


def _refuse_code(path: Path) -> None:
    """Refuse a model that brings or names code, also where transformers would run it unasked or leave it out unsaid."""
    wanting: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        wanting.extend(key for key, value in pairs if _leads_elsewhere(key, value))
        return dict(pairs)

    for name in (_CONFIG, _TOKENIZER_CONFIG):
        if isfile(path / name):
            _read_object(path / name, look)
        if wanting:
            raise _wants_code(path, name, f"its entry `{wanting[0]}` leads to code or files elsewhere")
    if lexists(path / _OWN_GENERATE):
        raise _wants_code(path, _OWN_GENERATE, "transformers 4.57 runs it, whatever it is told about trust")
    if lexists(path / _ADAPTER):  # another directory, which nobody has looked into, has the model
        problem = "it is an adapter, and only whole models are loaded yet; merge it with its model"
        raise _unreadable(path / _ADAPTER, problem)


def _leads_elsewhere(key: str, value: Any) -> bool:
    """Return whether an entry of a configuration makes transformers run, or read, what nobody has looked into."""
    if "attn_implementation" in key:
        return "/" in str(value)  # a repository on the hub
    # Before 5.20 a backbone is another directory, loaded with arguments of the model's own choice: `trust_remote_code`.
    return key in _ELSEWHERE or (key in _ELSEWHERE_IF_SET and bool(value))


def _weights(path: Path) -> tuple[Path, ...]:
    if isfile(path / _WEIGHTS):
        return (path / _WEIGHTS,)
    if isfile(path / _INDEX):
        return _shards(path)
    pickles = sorted(found.name for pattern in _PICKLES for found in path.glob(pattern))
    if pickles:
        raise TransformersUnsafeWeightsError(
            f"{str(path)!r} has its weights in {pickles[0]!r}, a pickle, which could run code; save them as"
            " safetensors",
            file=pickles[0],
        )
    raise _incomplete(path, _WEIGHTS)


def _shards(path: Path) -> tuple[Path, ...]:
    """Return the files of weights that are divided among several."""
    index = _read_object(path / _INDEX).get("weight_map")
    if not isinstance(index, dict) or not all(isinstance(name, str) for name in index.values()):
        raise _unreadable(path / _INDEX, "it has no `weight_map` with the names of files")
    shards = tuple(path / name for name in sorted(set(index.values())))
    for shard in shards:
        if not isfile(shard):
            raise _incomplete(path, shard.name)
    return shards


def _read_object(file: Path, look: Callable[[list[tuple[str, Any]]], dict[str, Any]] = dict) -> dict[str, Any]:
    """Return the object in a JSON file; `look` is given the pairs of each object in it."""
    try:
        found = json.loads(file.read_bytes(), object_pairs_hook=look)
    except (OSError, ValueError, RecursionError) as exc:
        raise _unreadable(file, str(exc)) from exc
    if not isinstance(found, dict):
        raise _unreadable(file, "it has no JSON object")
    return found


def _wants_code(path: Path, file: str, problem: str) -> TransformersRemoteCodeError:
    return TransformersRemoteCodeError(
        f"{str(path / file)!r}: {problem}, and no code of a model's own is ever run; remove it if transformers knows"
        " this model by itself",
        file=file,
    )


def _unreadable(file: Path, problem: str) -> TransformersLoadFailedError:
    return TransformersLoadFailedError(f"{str(file)!r} cannot be read: {problem}", file=file.name, text=problem)


def _incomplete(path: Path, missing: str) -> TransformersModelIncompleteError:
    return TransformersModelIncompleteError(f"{str(path)!r} has no {missing}, which a model needs", missing=missing)
