"""Agents: made, listed, described, run with tools and deleted, each in its session."""

from __future__ import annotations

import time
from typing import Any

import pytest
from unit.langchain.calls import Peer

from bridge_core.errors import (
    AgentNotFoundError,
    CallCancelledError,
    CallTimeoutError,
    InvalidArgumentsError,
    NotConfiguredError,
    RefExistsError,
)
from bridge_langchain._embedded import EmbeddedChatModel
from bridge_langchain._llm import LanguageModel

pytestmark = [pytest.mark.capability("B02")]

QUESTION = "What is (2 + 3) * 4?"


def peer_with(**made_of: Any) -> Peer:
    peer = Peer()
    peer.call("create_agent", id="helper", **(made_of or {"tools": ["calculator", "current_time"]}))
    return peer


def ask(peer: Peer, question: Any = QUESTION) -> Any:
    return peer.call("run_agent", agent_id="helper", input=question)


def test_created_agent_is_described_the_same_way_everywhere() -> None:
    peer = Peer()
    created = peer.call("create_agent", tools=["calculator"], system_prompt="Be brief.", max_turns=3)
    assert created.pop("status") == "created"
    assert created == {
        "agent_id": created["agent_id"],
        "tools": ["calculator"],
        "system_prompt": "Be brief.",
        "max_turns": 3,
    }
    assert peer.call("get_agent", agent_id=created["agent_id"]) == created
    assert peer.call("list_agents") == {"agents": [created], "count": 1}


def test_agent_calls_a_tool_of_the_worker_and_answers() -> None:
    result = ask(peer_with())
    assert result["output"] == "The embedded model only echoes calculator: 20"
    assert result["messages"] == [
        {"role": "user", "content": QUESTION},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call_1", "name": "calculator", "arguments": {"expression": "(2 + 3) * 4"}}],
        },
        {"role": "tool", "content": "20", "tool_call_id": "call_1", "name": "calculator"},
        {"role": "assistant", "content": result["output"]},
    ]
    assert result["usage"] == {"embedded": {"prompt_tokens": 15, "completion_tokens": 8, "total_tokens": 23}}


def test_streamed_agent_tells_what_it_does_and_says_word_by_word_and_returns_the_same() -> None:
    peer = peer_with()
    chunks, result = peer.streamed("run_agent", agent_id="helper", input=QUESTION)
    assert result == ask(peer)
    call = {"id": "call_1", "name": "calculator", "arguments": {"expression": "(2 + 3) * 4"}}
    assert chunks[:2] == [
        {"tool_call": call},
        {"tool_result": {"id": "call_1", "name": "calculator", "content": "20"}},
    ]
    assert [chunk["text"] for chunk in chunks[2:]] == [
        "The", " embedded", " model", " only", " echoes", " calculator:", " 20",
    ]  # fmt: skip


def test_model_that_cannot_stream_says_all_at_once() -> None:
    peer = peer_with()
    settings = peer.sessions.get("a").settings
    model = settings["langchain"]
    settings["langchain"] = LanguageModel(EmbeddedChatModel(disable_streaming=True), model.public, model.secrets)
    peer.call("create_chain", id="say", template="hi")
    answers = {"run_agent": {"agent_id": "helper", "input": QUESTION}, "run_chain": {"chain_id": "say", "inputs": {}}}
    for operation, arguments in answers.items():
        chunks, result = peer.streamed(operation, **arguments)
        assert [chunk["text"] for chunk in chunks if "text" in chunk] == [result["output"]]


def test_agent_without_tools_answers_at_once() -> None:
    assert ask(peer_with(tools=[]), "hello")["output"] == "The embedded model only echoes hello"


def test_fault_of_a_tool_is_told_to_the_model() -> None:
    assert "calculator: error: " in ask(peer_with(), "calculator please")["output"]


def test_conversation_can_be_continued_with_what_was_returned() -> None:
    peer = peer_with()
    said = ask(peer)["messages"]
    continued = ask(peer, [*said, {"role": "user", "content": "And 6*7?"}])
    assert continued["output"] == "The embedded model only echoes calculator: 42"
    assert continued["messages"][: len(said)] == said
    assert len(continued["messages"]) == 2 * len(said)


def test_system_prompt_is_told_to_the_model_and_is_no_part_of_the_conversation() -> None:
    plain, told = (ask(peer_with(tools=[], **more), "hi") for more in ({}, {"system_prompt": "Be very brief."}))
    assert plain["messages"] == told["messages"]
    assert told["usage"]["embedded"]["prompt_tokens"] == plain["usage"]["embedded"]["prompt_tokens"] + 3


@pytest.mark.parametrize(("turns", "enough"), [(1, False), (2, True)])
def test_model_is_asked_as_often_as_allowed(turns: int, enough: bool) -> None:
    peer = peer_with(tools=["calculator"], max_turns=turns)
    if enough:
        assert ask(peer)["output"].endswith("20")
    else:
        error = peer.error("run_agent", agent_id="helper", input=QUESTION)
        assert (error.reason, error.code, error.retryable) == ("LANGCHAIN_TURNS_EXCEEDED", "resource_exhausted", False)


@pytest.mark.parametrize("streaming", [False, True])
def test_agent_that_is_no_longer_wanted_asks_and_calls_nobody_any_more(streaming: bool) -> None:
    peer = peer_with()
    for changes, kind in (
        ({"cancelled": True}, CallCancelledError),
        ({"deadline": time.monotonic()}, CallTimeoutError),
    ):
        ctx = peer.context("run_agent")
        for name, value in changes.items():
            setattr(ctx, name, value)
        run = peer.streamed if streaming else peer.call
        with pytest.raises(kind):
            run("run_agent", ctx=ctx, agent_id="helper", input=QUESTION)


def test_stream_that_is_closed_early_ends_the_agent() -> None:
    stream = peer_with().stream("run_agent", agent_id="helper", input=QUESTION)
    assert next(stream)
    stream.close()  # a thread that is left behind fails the test


def test_agent_uses_the_model_that_the_session_has_when_it_runs() -> None:
    peer = Peer(configured=False)
    peer.call("create_agent", id="helper")
    assert isinstance(peer.error("run_agent", agent_id="helper", input="hi"), NotConfiguredError)
    for _ in range(2):
        peer.call("configure_llm", model="embedded")
        assert ask(peer, "hi")["output"].endswith("hi")


def test_deleted_agent_is_gone() -> None:
    peer = peer_with()
    assert peer.call("delete_agent", agent_id="helper") == {"agent_id": "helper", "status": "deleted"}
    assert peer.call("list_agents") == {"agents": [], "count": 0}


@pytest.mark.capability("B03")
@pytest.mark.parametrize(
    ("operation", "more"), [("get_agent", {}), ("delete_agent", {}), ("run_agent", {"input": "hi"})]
)
def test_unknown_agent_is_not_found(operation: str, more: dict[str, Any]) -> None:
    error = Peer().error(operation, agent_id="nobody", **more)
    assert isinstance(error, AgentNotFoundError)
    assert error.details == {"agent_id": "nobody"}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"tools": ["shell"]}, "$.tools[0]"),
        ({"max_turns": 0}, "$.max_turns"),
        ({"system_prompt": ""}, "$.system_prompt"),
        ({"prompt": "x"}, "$.prompt"),
    ],
)
def test_wrong_agent_is_refused_with_its_path(arguments: dict[str, Any], path: str) -> None:
    error = Peer().error("create_agent", **arguments)
    assert isinstance(error, InvalidArgumentsError)
    assert error.details == {"path": path}


def test_taken_id_is_refused() -> None:
    assert isinstance(peer_with().error("create_agent", id="helper"), RefExistsError)
