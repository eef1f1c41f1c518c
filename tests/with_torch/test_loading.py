"""Loading: what a directory must have, what is told meanwhile, and what is refused."""

from __future__ import annotations

import json
import shutil
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen2ForCausalLM, T5Config, T5ForConditionalGeneration
from with_torch.calls import Peer
from with_torch.models import CONTEXT, SAYS, make_model

from bridge_core import BridgeError, CallContext
from bridge_core.errors import CallCancelledError, CallTimeoutError, ModelNotFoundError, RefExistsError

pytestmark = [pytest.mark.capability("B05")]


def refusal(model: Any, **arguments: Any) -> BridgeError:
    peer = Peer()
    with pytest.raises(BridgeError) as caught:
        peer.call("load_model", model=str(model), **arguments)
    assert peer.call("list_models") == {"models": [], "count": 0}
    return caught.value


def changed(file: str, **fields: Any) -> Callable[[Path], None]:
    """Return what changes fields of a JSON file."""

    def change(folder: Path) -> None:
        read = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**read, **fields}))

    return change


def written(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content)


def removed(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def with_code(file: str, **fields: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        changed(file, **fields)(folder)
        (folder / "own.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()")

    return change


def with_own_generate(folder: Path) -> None:
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate/generate.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()")


def with_one_layer_more(folder: Path) -> None:
    changed("config.json", num_hidden_layers=2, layer_types=["full_attention"] * 2)(folder)


def test_loaded_model_is_described_and_listed(directory: str) -> None:
    peer = Peer()
    loaded = peer.call("load_model", model=directory, id="my model.1")
    assert loaded.pop("status") == "loaded"
    assert loaded == {
        "model_id": "my model.1",
        "task": "generation",
        "architecture": "Qwen2ForCausalLM",
        "directory": directory,
        "device": "cpu",
        "dtype": "float32",
        "parameters": Qwen2ForCausalLM.from_pretrained(directory).num_parameters(),
        "context_length": CONTEXT,
    }
    assert peer.call("list_models") == {"models": [loaded], "count": 1}


def test_missing_id_is_made_and_names_the_framework(directory: str) -> None:
    assert Peer().call("load_model", model=directory)["model_id"].startswith("transformers:")


def test_models_belong_to_their_session(peer: Peer) -> None:
    assert peer.call("list_models", session="b") == {"models": [], "count": 0}
    with pytest.raises(ModelNotFoundError):
        peer.call("unload_model", session="b", model_id="m")


def test_taken_id_is_refused_before_anything_is_loaded(peer: Peer) -> None:
    with pytest.raises(RefExistsError):
        peer.call("load_model", model="/no/such/directory", id="m")


@pytest.mark.parametrize(("dtype", "held"), [("auto", "bfloat16"), ("float32", "float32"), ("float16", "float16")])
def test_type_of_the_numbers_is_that_of_the_file_or_as_asked(tmp_path: Path, dtype: str, held: str) -> None:
    peer = Peer()
    make_model(tmp_path, dtype=torch.bfloat16)
    assert peer.call("load_model", model=str(tmp_path), id="m", dtype=dtype)["dtype"] == held
    assert peer.call("generate", model_id="m", prompt="?")["text"] == SAYS


def test_weights_may_be_divided_among_several_files(directory: str, tmp_path: Path) -> None:
    Qwen2ForCausalLM.from_pretrained(directory).save_pretrained(tmp_path, max_shard_size="800KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) == 3
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(directory) / name, tmp_path)
    peer = Peer()
    peer.call("load_model", model=str(tmp_path), id="m")
    assert peer.call("generate", model_id="m", prompt="?")["text"] == SAYS


def test_progress_goes_from_nothing_to_all(directory: str) -> None:
    peer = Peer()
    told: list[tuple[str, float | None]] = []
    ctx = peer.context(_progress=lambda message, fraction: told.append((message, fraction)))
    peer.call("load_model", model=directory, ctx=ctx)
    assert told == [
        ("loading the tokenizer", 0.0),
        ("reading the weights", 0.8),
        ("making the model", 0.8),
        ("loaded", 1.0),
    ]


@pytest.mark.parametrize(("field", "error"), [("cancelled", CallCancelledError), ("deadline", CallTimeoutError)])
def test_loading_stops_when_the_model_is_not_wanted_any_more(
    directory: str, field: str, error: type[BridgeError]
) -> None:
    peer = Peer()
    ctx: CallContext = peer.context(_progress=lambda *_: setattr(ctx, field, time.monotonic()))
    with pytest.raises(error):
        peer.call("load_model", model=directory, ctx=ctx)


@pytest.mark.parametrize(
    ("change", "reason", "details"),
    [
        (removed("config.json"), "MODEL_INCOMPLETE", {"missing": "config.json"}),
        (removed("model.safetensors"), "MODEL_INCOMPLETE", {"missing": "model.safetensors"}),
        (removed("tokenizer.json"), "MODEL_INCOMPLETE", {"missing": "tokenizer.json"}),
        (pickled, "UNSAFE_WEIGHTS", {"file": "pytorch_model.bin"}),
        (with_code("config.json", auto_map={"AutoModel": "own.Model"}), "REMOTE_CODE", {"file": "config.json"}),
        (
            with_code("config.json", model_type="own", auto_map={"AutoConfig": "own.Config"}),
            "REMOTE_CODE",
            {"file": "config.json"},
        ),
        (
            with_code("tokenizer_config.json", tokenizer_class="Own", auto_map={"AutoTokenizer": ["own.Own", None]}),
            "REMOTE_CODE",
            {"file": "tokenizer_config.json"},
        ),
        (
            with_code("config.json", model_type="detr", use_pretrained_backbone=True, backbone="own"),
            "REMOTE_CODE",
            {"file": "config.json"},
        ),
        (
            with_code("config.json", nested={"backbone_kwargs": {"trust_remote_code": True}}),
            "REMOTE_CODE",
            {"file": "config.json"},
        ),
        (with_code("config.json", configuration_files=["config.4.0.0.json"]), "REMOTE_CODE", {"file": "config.json"}),
        (with_code("config.json", _attn_implementation_internal="own/kernel"), "REMOTE_CODE", {"file": "config.json"}),
        (
            with_code("tokenizer_config.json", fast_tokenizer_files=["tokenizer.4.0.0.json"]),
            "REMOTE_CODE",
            {"file": "tokenizer_config.json"},
        ),
        (with_own_generate, "REMOTE_CODE", {"file": "custom_generate"}),
        (written("config.json", b"{"), "LOAD_FAILED", None),
        (written("config.json", b"[]"), "LOAD_FAILED", None),
        (written("config.json", b"{}"), "LOAD_FAILED", None),
        (written("tokenizer.json", b"{}"), "LOAD_FAILED", None),
        (written("model.safetensors", b""), "LOAD_FAILED", None),
        (written("model.safetensors", b"\x10\x00"), "LOAD_FAILED", None),
        (changed("config.json", model_type="of our own"), "LOAD_FAILED", None),
        (changed("config.json", hidden_size=100), "LOAD_FAILED", None),
        (changed("config.json", hidden_size="big"), "LOAD_FAILED", None),
        (changed("config.json", num_attention_heads=0), "LOAD_FAILED", None),
        (changed("config.json", quantization_config={"quant_method": "gptq", "bits": 4}), "LOAD_FAILED", None),
        (with_one_layer_more, "LOAD_FAILED", None),
    ],
)
def test_directory_that_is_no_model_is_refused_and_runs_nothing(
    directory: str, tmp_path: Path, change: Callable[[Path], object], reason: str, details: dict[str, str] | None
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(directory, folder)
    change(folder)
    error = refusal(folder)
    assert error.reason == f"TRANSFORMERS_{reason}"
    assert details in (None, error.details)
    assert not (folder / "ran").exists()


def test_weights_that_are_missing_are_named(directory: str, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    with_one_layer_more(tmp_path)
    missing = refusal(tmp_path).details["missing"]
    assert isinstance(missing, list)
    assert all(str(name).startswith("model.layers.1.") for name in missing)


def test_encoder_is_not_taken_for_a_model_that_writes(encoder: str) -> None:
    assert refusal(encoder).reason == "TRANSFORMERS_LOAD_FAILED"


def test_model_of_encoder_and_decoder_is_refused(encoder: str, tmp_path: Path) -> None:
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    T5ForConditionalGeneration(T5Config(vocab_size=300, **sizes)).save_pretrained(tmp_path)
    shutil.copy(Path(encoder) / "tokenizer.json", tmp_path)
    shutil.copy(Path(encoder) / "tokenizer_config.json", tmp_path)
    assert refusal(tmp_path, task="embeddings").reason == "TRANSFORMERS_LOAD_FAILED"
    assert refusal(tmp_path).reason == "TRANSFORMERS_LOAD_FAILED"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"dtype": "float8"}, "$.dtype"),
        ({"device": "gpu"}, "$.device"),
        ({"device": "meta"}, "$.device"),
        ({"task": "summarization"}, "$.task"),
        ({"id": ""}, "$.id"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(directory: str, arguments: dict[str, str], path: str) -> None:
    error = refusal(directory, **arguments)
    assert (error.reason, error.details["path"]) == ("INVALID_ARGUMENTS", path)


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "xpu:0"])
def test_device_that_is_not_there_is_refused_before_anything_is_read(directory: str, device: str) -> None:
    error = refusal(directory, device=device)
    assert (error.reason, error.details) == ("TRANSFORMERS_DEVICE_UNAVAILABLE", {"device": device})


def test_unloaded_model_is_gone_and_so_is_its_memory(peer: Peer) -> None:
    held = weakref.ref(peer.sessions.get("a").objects.get("m").model)
    assert peer.call("unload_model", model_id="m") == {"model_id": "m", "status": "unloaded"}
    assert held() is None
    assert peer.call("list_models") == {"models": [], "count": 0}
    with pytest.raises(ModelNotFoundError):
        peer.call("unload_model", model_id="m")
