"""Programs: made, listed, described, executed and deleted, each in its session."""

from __future__ import annotations

from typing import Any

import pytest
from with_torch.calls import Peer
from with_torch.models import SAYS

from bridge_core import BridgeError
from bridge_core.errors import (
    InvalidArgumentsError,
    ModelNotFoundError,
    ProgramNotFoundError,
    RefExistsError,
    RefNotFoundError,
)

pytestmark = [pytest.mark.capability("B11")]

TEMPLATE = "Q: {question}\nA:"


@pytest.fixture
def qa(peer: Peer) -> Peer:
    peer.call("create_program", id="qa", model_id="m", template=TEMPLATE)
    return peer


def execute(peer: Peer, **inputs: Any) -> Any:
    return peer.call("execute_program", program_id="qa", inputs=inputs)


def test_program_asks_its_model(qa: Peer) -> None:
    assert execute(qa, question="Why?") == {
        "program_id": "qa",
        "outputs": {"text": SAYS},
        "finish_reason": "stop",
        "usage": {"m": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}},
    }


def test_streamed_and_plain_execution_give_the_same_result(qa: Peer) -> None:
    chunks, streamed = qa.streamed("execute_program", program_id="qa", inputs={"question": "Why?"})
    assert streamed == execute(qa, question="Why?")
    assert {chunk["field"] for chunk in chunks} == {"text"}
    assert "".join(chunk["text"] for chunk in chunks) == SAYS


def test_settings_are_the_programs_own(peer: Peer) -> None:
    settings = {"max_new_tokens": 2, "do_sample": True, "top_k": 1}
    peer.call("create_program", id="qa", model_id="m", template="{a}{b}{a}", settings=settings)
    result = execute(peer, a="x", b=7)
    assert (result["outputs"], result["finish_reason"]) == ({"text": "The tiny"}, "length")
    assert result["usage"]["m"]["prompt_tokens"] == 3


def test_created_program_is_described_as_get_program_describes_it(peer: Peer) -> None:
    created = peer.call("create_program", id="qa", model_id="m", template=TEMPLATE, settings={"max_length": 50})
    assert created.pop("status") == "created"
    assert created == peer.call("get_program", program_id="qa")
    assert created["settings"]["max_length"] == 50
    assert (created["inputs"], created["outputs"]) == (["question"], ["text"])
    assert peer.call("list_programs") == {"programs": [created], "count": 1}


def test_missing_id_is_made_and_a_taken_one_is_refused(qa: Peer) -> None:
    made = qa.call("create_program", model_id="m", template=TEMPLATE)["program_id"]
    assert made.startswith("transformers:")
    with pytest.raises(RefExistsError):
        qa.call("create_program", id="m", model_id="m", template=TEMPLATE)


def test_deleted_program_is_gone(qa: Peer) -> None:
    assert qa.call("delete_program", program_id="qa") == {"program_id": "qa", "status": "deleted"}
    for operation in ("get_program", "delete_program"):
        with pytest.raises(ProgramNotFoundError):
            qa.call(operation, program_id="qa")
    assert qa.call("list_programs") == {"programs": [], "count": 0}


def test_program_is_no_model_and_a_model_is_no_program(qa: Peer) -> None:
    with pytest.raises(ModelNotFoundError):
        qa.call("unload_model", model_id="qa")
    with pytest.raises(ProgramNotFoundError):
        qa.call("delete_program", program_id="m")


def test_program_whose_model_was_unloaded_works_again_when_there_is_one(qa: Peer, directory: str) -> None:
    qa.call("unload_model", model_id="m")
    with pytest.raises(ModelNotFoundError):
        execute(qa, question="Why?")
    qa.call("load_model", model=directory, id="m")
    assert execute(qa, question="Why?")["outputs"] == {"text": SAYS}


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({}, "$.inputs.question"),
        ({"question": "Why?", "answer": "?"}, "$.inputs.answer"),
        ({"question": None}, "$.inputs[...]"),
        ({"question": True}, "$.inputs[...]"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(qa: Peer, inputs: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        execute(qa, **inputs)
    assert caught.value.details["path"] == path


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"settings": {"temperature": 0.5}}, "INVALID_ARGUMENTS"),
        ({"settings": {"num_beams": 2}}, "INVALID_ARGUMENTS"),
        ({"template": "{a.__class__}"}, "INVALID_ARGUMENTS"),
        ({"model_id": "nobody"}, "MODEL_NOT_FOUND"),
        ({"model_id": "e"}, "TRANSFORMERS_WRONG_TASK"),
    ],
)
def test_program_that_could_never_run_is_not_made(
    peer: Peer, encoder: str, arguments: dict[str, Any], reason: str
) -> None:
    peer.call("load_model", model=encoder, id="e", task="embeddings")
    with pytest.raises(BridgeError) as caught:
        peer.call("create_program", **{"id": "qa", "model_id": "m", "template": TEMPLATE, **arguments})
    assert caught.value.reason == reason
    with pytest.raises(RefNotFoundError):
        peer.sessions.get("a").objects.get("qa")
