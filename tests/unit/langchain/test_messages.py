"""Messages: plain objects for peers that can be sent again, and tagged ones where LangChain's own are returned."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from unit.langchain.calls import Peer

from bridge_core import Encode, JsonValue
from bridge_core.errors import InvalidArgumentsError
from bridge_core.secrets import Secrets
from bridge_core.serialize import Serializer
from bridge_langchain._llm import LanguageModel
from bridge_langchain._messages import Message, describe, sent, shown, usage_of

CALL = {"id": "c1", "name": "calculator", "args": {"expression": "1+1"}}
CONVERSATION = [
    SystemMessage("Be brief."),
    HumanMessage("1+1?", name="me"),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage("2", tool_call_id="c1", name="calculator"),
    AIMessage("Two."),
]
SHOWN = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "1+1?", "name": "me"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "name": "calculator", "arguments": {"expression": "1+1"}}],
    },
    {"role": "tool", "content": "2", "tool_call_id": "c1", "name": "calculator"},
    {"role": "assistant", "content": "Two."},
]


def test_conversation_is_shown_as_plain_objects() -> None:
    assert [shown(message) for message in CONVERSATION] == SHOWN


def test_shown_conversation_can_be_sent_again() -> None:
    again = sent(msgspec.convert(SHOWN, list[Message]), "$.input")
    assert [shown(message) for message in again] == SHOWN
    assert [type(message) for message in again] == [type(message) for message in CONVERSATION]


def test_answer_of_a_tool_must_say_to_what() -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        sent([Message(role="user", content="?"), Message(role="tool", content="2")], "$.input")
    assert caught.value.details == {"path": "$.input[1].tool_call_id"}


def test_content_in_blocks_is_shown_as_text() -> None:
    blocks: list[Any] = [{"type": "text", "text": "Two"}, {"type": "text", "text": "!"}]
    assert shown(AIMessage(blocks)) == {"role": "assistant", "content": "Two!"}


def test_messages_without_a_report_have_no_usage() -> None:
    model = LanguageModel(None, {"model": "x"}, Secrets())
    assert usage_of(model, CONVERSATION) == {}


@pytest.mark.capability("B08")
def test_langchains_own_objects_are_tagged_with_their_class() -> None:
    def ask(value: object, encode: Encode) -> JsonValue:
        return Peer().host.serialize(value, encode, first="langchain")

    encoded = Serializer(ask).encode([AIMessage("Two."), Document("text", metadata={"page": 1})])
    assert encoded == [
        {
            "$type": "model",
            "class": "langchain_core.messages.ai.AIMessage",
            "fields": {"role": "assistant", "content": "Two."},
        },
        {
            "$type": "model",
            "class": "langchain_core.documents.base.Document",
            "fields": {"page_content": "text", "metadata": {"page": 1}},
        },
    ]


@pytest.mark.capability("B08")
def test_anything_else_is_left_to_others() -> None:
    assert describe(object(), repr) is None


@pytest.mark.capability("B08")
def test_where_langchain_is_not_imported_nothing_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "langchain_core")
    assert describe(AIMessage("Two."), repr) is None
