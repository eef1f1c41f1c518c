"""Chains as programs: the five verbs that every framework has."""

from __future__ import annotations

from typing import Any

import pytest
from unit.langchain.calls import Peer

from bridge_core.errors import InvalidArgumentsError, ProgramNotFoundError

pytestmark = [pytest.mark.capability("B11")]


def peer_with(**made_of: Any) -> Peer:
    peer = Peer()
    peer.call("create_program", id="qa", **(made_of or {"signature": "question -> answer"}))
    return peer


def test_program_of_a_signature_returns_its_output() -> None:
    result = peer_with().call("execute_program", program_id="qa", inputs={"question": "Why?"})
    assert result["outputs"] == {"answer": "The embedded model only echoes question: Why?"}
    assert result["usage"]["embedded"]["completion_tokens"] == 7


def test_streamed_program_names_the_field_and_returns_the_same() -> None:
    peer = peer_with()
    chunks, result = peer.streamed("execute_program", program_id="qa", inputs={"question": "Why?"})
    assert result == peer.call("execute_program", program_id="qa", inputs={"question": "Why?"})
    assert {chunk["field"] for chunk in chunks} == {"answer"}
    assert "".join(chunk["text"] for chunk in chunks) == result["outputs"]["answer"]


def test_program_of_a_template_returns_output() -> None:
    result = peer_with(template="{x}").call("execute_program", program_id="qa", inputs={"x": "hello"})
    assert result["outputs"] == {"output": "The embedded model only echoes hello"}


def test_program_is_described_by_its_fields() -> None:
    peer = peer_with()
    described = peer.call("get_program", program_id="qa")
    assert described["program_type"] == "chain"
    assert described["signature"] == {
        "instructions": "Given `question`, write `answer`, and nothing else.",
        "inputs": [{"name": "question", "type": "str", "description": ""}],
        "outputs": [{"name": "answer", "type": "str", "description": ""}],
    }
    assert peer.call("list_programs") == {"programs": [described], "count": 1}


def test_programs_and_chains_are_the_same_objects() -> None:
    peer = peer_with(template="{x}")
    assert peer.call("get_chain", chain_id="qa")["input_variables"] == ["x"]
    peer.call("delete_chain", chain_id="qa")
    assert peer.call("list_programs") == {"programs": [], "count": 0}


def test_deleted_program_is_gone() -> None:
    peer = peer_with()
    assert peer.call("delete_program", program_id="qa") == {"program_id": "qa", "status": "deleted"}
    assert isinstance(peer.error("get_program", program_id="qa"), ProgramNotFoundError)


@pytest.mark.capability("B03")
@pytest.mark.parametrize(
    ("operation", "more"), [("get_program", {}), ("delete_program", {}), ("execute_program", {"inputs": {}})]
)
def test_unknown_program_is_not_found(operation: str, more: dict[str, Any]) -> None:
    error = Peer().error(operation, program_id="nobody", **more)
    assert isinstance(error, ProgramNotFoundError)
    assert error.details == {"program_id": "nobody"}


@pytest.mark.parametrize("made_of", [{}, {"signature": "q -> a", "template": "{q}"}])
def test_program_is_made_of_one_thing(made_of: dict[str, str]) -> None:
    assert isinstance(Peer().error("create_program", **made_of), InvalidArgumentsError)
