"""The embedded language model: deterministic, and able to drive an agent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool

from bridge_langchain._embedded import EmbeddedChatModel

pytestmark = [pytest.mark.capability("B07")]


def look_up(name: str, count: int, share: float, exact: bool, tags: list[str], more: dict[str, str]) -> str:
    """Look something up."""
    return f"{name} {count} {share} {exact} {tags} {more}"


def model_with(*names: str) -> Any:
    tools = [StructuredTool.from_function(look_up, name=name, description="Look.") for name in names]
    return EmbeddedChatModel().bind_tools(tools)


def test_it_echoes_what_the_user_said_last_and_says_so() -> None:
    messages = [SystemMessage("Be nice."), HumanMessage("One"), AIMessage("1"), HumanMessage("Two\n three")]
    assert EmbeddedChatModel().invoke(messages).content == "The embedded model only echoes Two three"


def test_equal_messages_get_equal_answers() -> None:
    model = EmbeddedChatModel()
    answers = {str(model.invoke(question).content) for question in ("a", "b", "a")}
    assert len(answers) == 2


def test_long_message_is_echoed_in_part() -> None:
    assert len(EmbeddedChatModel().invoke("word " * 1000).text) < 300


def test_it_writes_a_word_at_a_time() -> None:
    pieces = [str(piece.content) for piece in EmbeddedChatModel().stream("hello") if piece.content]
    assert pieces == ["The", " embedded", " model", " only", " echoes", " hello"]


def test_it_can_be_awaited() -> None:
    answer = asyncio.run(EmbeddedChatModel().ainvoke("hello"))
    assert answer.content == "The embedded model only echoes hello"


def test_it_counts_words_plain_and_streamed() -> None:
    model = EmbeddedChatModel()
    whole: Any = None
    for piece in model.stream("hello you"):
        whole = piece if whole is None else whole + piece
    assert whole.usage_metadata == model.invoke("hello you").usage_metadata
    assert whole.usage_metadata == {"input_tokens": 2, "output_tokens": 7, "total_tokens": 9}


def test_call_has_arguments_of_the_tools_types_out_of_the_text() -> None:
    (call,) = model_with("look_up").invoke("Take 3 of 1.5, please").tool_calls
    assert (call["name"], call["args"]) == (
        "look_up",
        {"name": "Take 3 of 1.5, please", "count": 3, "share": 1.5, "exact": True, "tags": [], "more": {}},
    )


def test_arithmetic_in_the_text_is_what_a_tool_for_text_gets() -> None:
    (call,) = model_with("look_up").invoke("What is (2 + 3) * 4 then?").tool_calls
    assert call["args"]["name"] == "(2 + 3) * 4"


def test_streamed_call_is_the_same_as_a_plain_one() -> None:
    whole: Any = None
    for piece in model_with("look_up").stream("3"):
        whole = piece if whole is None else whole + piece
    assert whole.tool_calls == model_with("look_up").invoke("3").tool_calls


def test_it_calls_the_tools_that_the_user_names_each_once() -> None:
    model = model_with("first", "second", "third")
    conversation: list[Any] = [HumanMessage("third and second")]
    for _ in range(2):
        conversation.append(model.invoke(conversation))
        (call,) = conversation[-1].tool_calls
        conversation.append(ToolMessage("done", tool_call_id=call["id"], name=call["name"]))
    assert [message.name for message in conversation if message.type == "tool"] == ["second", "third"]
    assert model.invoke(conversation).content == "The embedded model only echoes second: done; third: done"


def test_without_a_name_it_calls_the_first_tool() -> None:
    assert model_with("first", "second").invoke("go").tool_calls[0]["name"] == "first"
