"""Directories with models: what is seen before anything is loaded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bridge_core import BridgeError
from bridge_transformers._directories import look_into

pytestmark = [pytest.mark.capability("B05")]

INDEX = "model.safetensors.index.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    return tmp_path


def refusal(model: Any) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        look_into(str(model))
    return caught.value


def divided(folder: Path, weight_map: Any) -> None:
    (folder / "model.safetensors").unlink()
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}))


def test_complete_directory_is_taken_as_it_is(folder: Path) -> None:
    found = look_into(str(folder))
    assert (found.path, found.weights) == (str(folder), (folder / "model.safetensors",))


def test_directory_may_be_relative_and_look_like_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert look_into(folder.name).path == folder.name


def test_weights_may_be_divided_among_files(folder: Path) -> None:
    divided(folder, {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"})
    shards = (folder / "model-1.safetensors", folder / "model-2.safetensors")
    for shard in shards:
        shard.write_bytes(b"")
    assert look_into(str(folder)).weights == shards


def test_file_that_is_missing_of_several_is_named(folder: Path) -> None:
    divided(folder, {"a": "model-1.safetensors"})
    error = refusal(folder)
    assert (error.reason, error.details) == ("TRANSFORMERS_MODEL_INCOMPLETE", {"missing": "model-1.safetensors"})


@pytest.mark.parametrize("weight_map", [None, [], {"a": 1}])
def test_index_without_files_is_refused(folder: Path, weight_map: Any) -> None:
    divided(folder, weight_map)
    error = refusal(folder)
    assert (error.reason, error.details["file"]) == ("TRANSFORMERS_LOAD_FAILED", INDEX)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_configuration_that_is_no_object_is_refused(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    error = refusal(folder)
    assert (error.reason, error.details["file"]) == ("TRANSFORMERS_LOAD_FAILED", "config.json")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_file_that_is_missing_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    error = refusal(folder)
    assert (error.reason, error.details) == ("TRANSFORMERS_MODEL_INCOMPLETE", {"missing": missing})


def test_vocabulary_may_have_another_name(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "vocab.txt")
    assert look_into(str(folder)).path == str(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.ckpt"])
def test_weights_that_could_run_code_are_refused(folder: Path, name: str) -> None:
    (folder / "model.safetensors").rename(folder / name)
    error = refusal(folder)
    assert (error.reason, error.code, error.details) == (
        "TRANSFORMERS_UNSAFE_WEIGHTS", "permission_denied", {"file": name},
    )  # fmt: skip


def test_pickles_beside_safe_weights_are_not_looked_at(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert look_into(str(folder)).weights == (folder / "model.safetensors",)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", {"auto_map": {}}),
        ("tokenizer_config.json", {"auto_map": None}),
        ("config.json", {"text_config": [{"auto_map": {}}]}),
        ("config.json", {"_attn_implementation": "somebody/kernel"}),
        ("config.json", {"attn_implementation": {"": "sdpa", "vision": "somebody/kernel@v1:attend"}}),
    ],
)
def test_entry_that_wants_code_is_refused(folder: Path, file: str, content: dict[str, Any]) -> None:
    (folder / file).write_text(json.dumps(content))
    error = refusal(folder)
    assert (error.reason, error.code, error.details) == (
        "TRANSFORMERS_REMOTE_CODE", "permission_denied", {"file": file},
    )  # fmt: skip


def test_generate_function_of_a_models_own_is_refused(folder: Path) -> None:
    (folder / "custom_generate").symlink_to("/nowhere")
    error = refusal(folder)
    assert (error.reason, error.details) == ("TRANSFORMERS_REMOTE_CODE", {"file": "custom_generate"})


def test_adapter_of_a_model_elsewhere_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/elsewhere"}')
    error = refusal(folder)
    assert (error.reason, error.details["file"]) == ("TRANSFORMERS_LOAD_FAILED", "adapter_config.json")


def test_usual_attention_is_no_code(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"_attn_implementation": "sdpa", "model_type": "x/y"}))
    assert look_into(str(folder)).path == str(folder)


@pytest.mark.parametrize("name", ["gpt2", "org/model", "sentence-transformers/all-MiniLM-L6-v2", "org/model.v1"])
def test_name_on_the_hub_is_refused_as_such(name: str) -> None:
    error = refusal(name)
    assert (error.reason, error.code, error.details) == ("TRANSFORMERS_HUB_REFUSED", "unimplemented", {"model": name})


@pytest.mark.parametrize(
    "name", ["/no/such", "./gpt2", "../m", "~/m", "a/b/c", "m\x00", "", " ", "x" * 5000 + "/y/z", "ü"]
)
def test_path_that_leads_nowhere_is_not_found(name: str) -> None:
    assert refusal(name).reason == "TRANSFORMERS_DIRECTORY_NOT_FOUND"


def test_file_is_no_directory(folder: Path) -> None:
    assert refusal(folder / "config.json").reason == "TRANSFORMERS_DIRECTORY_NOT_FOUND"


def test_pipe_in_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    assert refusal(folder).details == {"missing": "config.json"}
