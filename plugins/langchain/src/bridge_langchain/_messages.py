"""Messages: what a peer sends and gets as plain objects, and LangChain's own."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from bridge_core import Encode, JsonValue
from bridge_core.errors import InvalidArgumentsError

from ._llm import LanguageModel

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
_COUNTS = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}


class ToolCall(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A model's wish that a tool be called."""

    id: str
    name: str
    arguments: dict[str, Any]


class Message(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[ToolCall] = []
    tool_call_id: str | None = None
    name: str | None = None


def sent(messages: list[Message], path: str) -> list[Any]:
    """Return a peer's messages as LangChain's.

    Raises:
        InvalidArgumentsError: A tool's does not say which call it answers; `details.path` says where.
    """
    from langchain_core.messages import convert_to_messages

    for index, message in enumerate(messages):
        if message.role == "tool" and message.tool_call_id is None:
            where = f"{path}[{index}].tool_call_id"
            raise InvalidArgumentsError(f"{where}: required of a tool's message, but missing", path=where)
    return list(convert_to_messages([_for_langchain(message) for message in messages]))


def shown(message: Any) -> dict[str, Any]:
    """Return one of LangChain's messages as a peer sees it, and may send it again."""
    form = {"role": _ROLES.get(message.type, message.type), "content": str(message.text)}
    if calls := getattr(message, "tool_calls", None):
        form["tool_calls"] = [shown_call(call) for call in calls]
    if message.type == "tool":
        form["tool_call_id"] = message.tool_call_id
    if message.name:
        form["name"] = message.name
    return form


def shown_call(call: Any) -> dict[str, Any]:
    """Return a call of a tool as a peer sees it."""
    return {"id": call["id"], "name": call["name"], "arguments": call["args"]}


def usage_of(model: LanguageModel, messages: Iterable[Any]) -> dict[str, Any]:
    """Return `{"usage": …}` for all messages together, or nothing if the model does not say."""
    reports = [report for message in messages if (report := getattr(message, "usage_metadata", None))]
    if not reports:
        return {}
    counts = {ours: sum(report[theirs] for report in reports) for ours, theirs in _COUNTS.items()}
    return {"usage": {model.public["model"]: counts}}


def describe(value: object, encode: Encode) -> JsonValue:
    """Describe a message or document as a `model` tag; None for everything else."""
    core: Any = sys.modules.get("langchain_core")  # a value of LangChain's exists only where it has been imported
    if core is None:
        return None
    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage

    if isinstance(value, BaseMessage):
        fields: dict[str, Any] = shown(value)
    elif isinstance(value, Document):
        fields = {"page_content": value.page_content, "metadata": value.metadata}
    else:
        return None
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    return {"$type": "model", "class": name, "fields": {key: encode(field) for key, field in fields.items()}}


def _for_langchain(message: Message) -> dict[str, Any]:
    form: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        form["tool_calls"] = [{"id": one.id, "name": one.name, "args": one.arguments} for one in message.tool_calls]
    if message.tool_call_id is not None:
        form["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        form["name"] = message.name
    return form
