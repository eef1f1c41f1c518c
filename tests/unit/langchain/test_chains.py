"""Chains: made, listed, described, run and deleted, each in its session."""

from __future__ import annotations

from typing import Any

import pytest
from unit.langchain.calls import Peer

from bridge_core.errors import (
    ChainNotFoundError,
    InvalidArgumentsError,
    NotConfiguredError,
    RefExistsError,
    RefNotFoundError,
)
from bridge_core.sessions import MemoryObjectStore

pytestmark = [pytest.mark.capability("B02")]


class ForgetfulStore(MemoryObjectStore):
    """Has lost what it lists, as when another call deletes it in between."""

    def get(self, id: str, /, *, kind: str | None = None) -> Any:
        raise RefNotFoundError(id)


def peer_with(template: Any = "Tell me about {topic}.") -> Peer:
    peer = Peer()
    peer.call("create_chain", id="tell", template=template)
    return peer


def test_created_chain_is_described_the_same_way_everywhere() -> None:
    peer = Peer()
    template = [{"role": "system", "content": "Be {how}."}, {"role": "user", "content": "{q}"}]
    created = peer.call("create_chain", template=template, input_variables=["q", "how"])
    assert created.pop("status") == "created"
    assert created == {"chain_id": created["chain_id"], "template": template, "input_variables": ["how", "q"]}
    assert peer.call("get_chain", chain_id=created["chain_id"]) == created
    assert peer.call("list_chains") == {"chains": [created], "count": 1}


def test_list_has_the_chains_of_its_session_only() -> None:
    peer = peer_with()
    peer.call("create_chain", id="other", template="x", session="b")
    assert [chain["chain_id"] for chain in peer.call("list_chains")["chains"]] == ["tell"]


def test_chain_that_is_deleted_while_the_list_is_made_is_left_out() -> None:
    peer = Peer()
    session = peer.sessions.get("a")
    session.objects = ForgetfulStore("a")
    session.objects.put(object(), kind="langchain.chain", id="gone")
    assert peer.call("list_chains")["chains"] == []


def test_deleted_chain_is_gone() -> None:
    peer = peer_with()
    assert peer.call("delete_chain", chain_id="tell") == {"chain_id": "tell", "status": "deleted"}
    assert peer.call("list_chains") == {"chains": [], "count": 0}


@pytest.mark.capability("B03")
@pytest.mark.parametrize(
    ("operation", "more"), [("get_chain", {}), ("delete_chain", {}), ("run_chain", {"inputs": {}})]
)
def test_unknown_chain_is_not_found(operation: str, more: dict[str, Any]) -> None:
    error = Peer().error(operation, chain_id="nobody", **more)
    assert isinstance(error, ChainNotFoundError)
    assert error.details == {"chain_id": "nobody"}


def test_object_that_is_no_chain_is_not_found() -> None:
    peer = Peer()
    peer.call("create_agent", id="agent")
    assert isinstance(peer.error("get_chain", chain_id="agent"), ChainNotFoundError)


def test_taken_id_is_refused_and_the_chain_stays() -> None:
    peer = peer_with()
    assert isinstance(peer.error("create_chain", id="tell", template="{other}"), RefExistsError)
    assert peer.call("get_chain", chain_id="tell")["input_variables"] == ["topic"]


def test_variables_that_are_not_the_templates_are_refused() -> None:
    error = Peer().error("create_chain", template="{a}", input_variables=["a", "b"])
    assert isinstance(error, InvalidArgumentsError)
    assert error.details == {"path": "$.input_variables"}


def test_run_returns_the_answer_and_its_usage() -> None:
    assert peer_with().call("run_chain", chain_id="tell", inputs={"topic": "bridges"}) == {
        "chain_id": "tell",
        "output": "The embedded model only echoes Tell me about bridges.",
        "usage": {"embedded": {"prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}},
    }


def test_streamed_run_has_one_chunk_a_word_and_the_same_result() -> None:
    peer = peer_with()
    chunks, result = peer.streamed("run_chain", chain_id="tell", inputs={"topic": "bridges"})
    assert result == peer.call("run_chain", chain_id="tell", inputs={"topic": "bridges"})
    assert {chunk["field"] for chunk in chunks} == {"output"}
    assert len(chunks) == 9
    assert "".join(chunk["text"] for chunk in chunks) == result["output"]


def test_chain_uses_the_model_that_the_session_has_when_it_runs() -> None:
    peer = Peer(configured=False)
    peer.call("create_chain", id="c", template="hello")
    assert isinstance(peer.error("run_chain", chain_id="c", inputs={}), NotConfiguredError)
    peer.call("configure_llm", model="embedded")
    assert peer.call("run_chain", chain_id="c", inputs={})["output"].endswith("hello")
