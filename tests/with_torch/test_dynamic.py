"""Models and programs by dynamic calls, in a worker process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from peer import Peer

pytestmark = [pytest.mark.capability("C10")]


@pytest.fixture(scope="module")
def worker(directory: str, encoder: str) -> Iterator[Peer]:
    with Peer("--framework", "transformers", folders=()) as running:
        running.result("transformers.load_model", {"model": directory, "id": "m"})
        running.result("transformers.load_model", {"model": encoder, "id": "e", "task": "embeddings"})
        running.result("transformers.create_program", {"model_id": "m", "template": "Q: {question}", "id": "p"})
        yield running


def called(worker: Peer, target: str, *args: Any, **kwargs: Any) -> Any:
    return worker.result("call", {"target": target, "args": list(args), "kwargs": kwargs})["result"]


def test_calling_a_model_is_generating(worker: Peer) -> None:
    generated = worker.result("transformers.generate", {"model_id": "m", "prompt": "Hello?", "max_new_tokens": 3})
    assert {"model_id": "m", **called(worker, "stored.m", "Hello?", max_new_tokens=3)} == generated


def test_calling_a_program_is_executing_it(worker: Peer) -> None:
    run = worker.result("transformers.execute_program", {"program_id": "p", "inputs": {"question": "Why?"}})
    assert called(worker, "stored.p.__call__", question="Why?")["text"] == run["outputs"]["text"]


@pytest.mark.parametrize(
    ("target", "kwargs", "reason"),
    [
        ("stored.m", {"prompt": "x", "colour": "red"}, "INVALID_ARGUMENTS"),
        ("stored.m", {"prompt": "x", "temperature": 1.0}, "INVALID_ARGUMENTS"),
        ("stored.e", {"prompt": "x"}, "TRANSFORMERS_WRONG_TASK"),
        ("stored.p", {}, "INVALID_ARGUMENTS"),
        ("stored.m.model", {}, "TARGET_NOT_ALLOWED"),
        ("torch.load", {"f": "x"}, "TARGET_NOT_ALLOWED"),
        ("transformers.AutoModel.from_pretrained", {}, "TARGET_NOT_ALLOWED"),
    ],
)
def test_wrong_calls_are_refused_with_the_reason(
    worker: Peer, target: str, kwargs: dict[str, Any], reason: str
) -> None:
    assert worker.reason("call", {"target": target, "kwargs": kwargs}) == reason
