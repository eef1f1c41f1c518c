"""Programs: made, listed, described, executed and deleted, each in its session."""

from __future__ import annotations

from typing import Any

import pytest
from unit.dspy.calls import Peer

from bridge_core import BridgeError
from bridge_core.errors import (
    InvalidArgumentsError,
    NotConfiguredError,
    ProgramNotFoundError,
    RefExistsError,
)
from bridge_core.sessions import MemoryObjectStore

pytestmark = [pytest.mark.capability("B01", "B11")]


class ForgetfulStore(MemoryObjectStore):
    """Every object is deleted by somebody else between being listed and being asked for."""

    def get(self, id: str, /, *, kind: str | None = None) -> Any:
        self.delete(id)
        return super().get(id, kind=kind)


def peer_with(signature: Any = "question -> answer", **more: Any) -> Peer:
    peer = Peer()
    peer.call("configure_lm", model="embedded")
    peer.call("create_program", id="qa", signature=signature, **more)
    return peer


def test_given_id_is_returned_unchanged() -> None:
    assert Peer().call("create_program", id="my id.1", signature="q -> a")["program_id"] == "my id.1"


def test_missing_id_is_made_and_names_the_framework() -> None:
    peer = Peer()
    ids = [peer.call("create_program", signature="q -> a")["program_id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(program_id.startswith("dspy:") for program_id in ids)


def test_created_program_is_described_as_get_program_describes_it() -> None:
    peer = Peer()
    created = peer.call("create_program", id="qa", signature="question -> answer", program_type="chain_of_thought")
    assert created.pop("status") == "created"
    assert created["program_type"] == "chain_of_thought"
    assert [field["name"] for field in created["signature"]["outputs"]] == ["reasoning", "answer"]
    assert peer.call("get_program", program_id="qa") == created


def test_list_has_the_programs_of_its_session_only() -> None:
    peer = Peer()
    peer.call("create_program", id="one", signature="q -> a")
    peer.call("create_program", id="two", signature="q -> a", session="b")
    assert [program["program_id"] for program in peer.call("list_programs")["programs"]] == ["one"]


def test_program_that_is_deleted_while_the_list_is_made_is_left_out() -> None:
    peer = peer_with()
    session = peer.sessions.get("a")
    session.objects = ForgetfulStore("a")
    session.objects.put(object(), kind="dspy.program", id="gone")
    assert peer.call("list_programs")["programs"] == []


def test_deleted_program_is_gone() -> None:
    peer = Peer()
    peer.call("create_program", id="qa", signature="q -> a")
    assert peer.call("delete_program", program_id="qa") == {"program_id": "qa", "status": "deleted"}
    assert peer.call("list_programs") == {"programs": [], "count": 0}


@pytest.mark.capability("B03")
@pytest.mark.parametrize(
    ("operation", "more"), [("get_program", {}), ("delete_program", {}), ("execute_program", {"inputs": {}})]
)
def test_unknown_program_is_not_found(operation: str, more: dict[str, Any]) -> None:
    with pytest.raises(ProgramNotFoundError) as caught:
        Peer().call(operation, program_id="nobody", **more)
    assert caught.value.details == {"program_id": "nobody"}


def test_object_that_is_no_program_is_not_found() -> None:
    peer = Peer()
    peer.sessions.get("a").objects.put(object(), kind="other.thing", id="x")
    with pytest.raises(ProgramNotFoundError):
        peer.call("get_program", program_id="x")


def test_taken_id_is_refused_and_the_program_stays() -> None:
    peer = peer_with()
    with pytest.raises(RefExistsError):
        peer.call("create_program", id="qa", signature="other -> thing")
    assert peer.call("get_program", program_id="qa")["signature"]["inputs"][0]["name"] == "question"


def test_execution_returns_outputs_and_usage() -> None:
    result = peer_with().call("execute_program", program_id="qa", inputs={"question": "Where is Paris?"})
    assert result["program_id"] == "qa"
    assert result["outputs"] == {"answer": "The embedded model only echoes question: Where is Paris?"}
    assert result["usage"]["embedded"]["completion_tokens"] > 0


def test_chain_of_thought_also_returns_its_reasoning() -> None:
    peer = peer_with(program_type="chain_of_thought")
    assert peer.call("execute_program", program_id="qa", inputs={"question": "?"})["outputs"].keys() == {
        "reasoning",
        "answer",
    }


def test_execution_without_a_language_model_says_what_to_call() -> None:
    peer = Peer()
    peer.call("create_program", id="qa", signature="q -> a")
    with pytest.raises(NotConfiguredError):
        peer.call("execute_program", program_id="qa", inputs={"q": "?"})


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({}, "$.inputs.question"),
        ({"question": "?"}, "$.inputs.limit"),
        ({"question": "?", "limit": 1, "qestion": "?"}, "$.inputs.qestion"),
        ({"question": "?", "limit": "many"}, "$.inputs.limit"),
        ({"question": "?", "limit": 1, "tags": ["a", 3]}, "$.inputs.tags"),
        ({"question": "?", "limit": 1, "lm": "x"}, "$.inputs.lm"),
    ],
)
def test_wrong_inputs_are_refused_before_the_model_is_asked(inputs: dict[str, Any], path: str) -> None:
    peer = peer_with("question, limit: int, tags: list[str] | None -> answer")
    with pytest.raises(InvalidArgumentsError) as caught:
        peer.call("execute_program", program_id="qa", inputs=inputs)
    assert caught.value.details == {"path": path}


def test_optional_input_may_be_left_out() -> None:
    peer = peer_with("question, tags: list[str] | None -> answer")
    assert peer.call("execute_program", program_id="qa", inputs={"question": "?"})["outputs"]["answer"]


def test_input_without_a_declared_type_takes_any_value() -> None:
    result = peer_with().call("execute_program", program_id="qa", inputs={"question": {"deep": [1, None]}})
    assert '{"deep": [1, null]}' in result["outputs"]["answer"]


def test_history_is_made_from_plain_messages() -> None:
    peer = peer_with("question, history: dspy.History -> answer")
    history = {"messages": [{"question": "Who?", "answer": "Nobody."}]}
    result = peer.call("execute_program", program_id="qa", inputs={"question": "Why?", "history": history})
    assert result["outputs"]["answer"].endswith("question: Why?")


def test_refused_input_is_not_repeated_in_the_error() -> None:
    peer = peer_with("limit: int -> answer")
    with pytest.raises(BridgeError) as caught:
        peer.call("execute_program", program_id="qa", inputs={"limit": "a-private-thing"})
    assert "private" not in str(caught.value)
