"""The embedded language model: deterministic, needs no key and no network, and is not intelligent.

It echoes what the user said last. Offered tools, it first calls those that the user names, or else the first one, each
once, with arguments taken from the text. It is there for trying things out and for tests; equal messages get equal
answers.

This module imports LangChain: import it inside functions only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from ._llm import EMBEDDED

_PIECES = re.compile(r"\s*\S+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_EXPRESSION = re.compile(r"[\d(][\d\s.()]*(?:[-+*/%]+\s*[\d\s.()]+)+")
_ECHO_LIMIT = 200


class EmbeddedChatModel(BaseChatModel):
    """A chat model that anybody can run."""

    tools: tuple[dict[str, Any], ...] = ()
    """In OpenAI's form, as `bind_tools` has made them."""

    @property
    def _llm_type(self) -> str:
        return EMBEDDED

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> EmbeddedChatModel:
        """Return the same model with these tools."""
        functions = tuple(convert_to_openai_tool(tool)["function"] for tool in tools)
        bound: EmbeddedChatModel = self.model_copy(update={"tools": functions})
        return bound

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=answer(messages, self.tools))])

    def _stream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        whole = answer(messages, self.tools)
        for piece in _PIECES.findall(str(whole.content)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        calls = [
            {"id": call["id"], "name": call["name"], "args": json.dumps(call["args"]), "index": 0}
            for call in whole.tool_calls
        ]
        last = AIMessageChunk(content="", tool_call_chunks=calls, usage_metadata=whole.usage_metadata)
        yield ChatGenerationChunk(message=last)


def answer(messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]]) -> AIMessage:
    """Call the next tool, or answer in one sentence."""
    asked = max((index for index, one in enumerate(messages) if one.type == "human"), default=0)
    said = str(messages[asked].text)
    results = [one for one in messages[asked:] if one.type == "tool"]
    wanted = [tool for tool in tools if tool["name"] in said] or list(tools[:1])
    read = sum(len(str(one.text).split()) for one in messages)
    if len(results) < len(wanted):
        tool = wanted[len(results)]
        properties = tool["parameters"].get("properties", {})
        call = {"id": f"call_{len(messages)}", "name": tool["name"], "args": _arguments(properties, said)}
        return AIMessage(content="", tool_calls=[call], usage_metadata=_usage(read, 1))
    echoes = [f"{one.name}: {one.text}" for one in results] or [said]
    text = f"The embedded model only echoes {_short('; '.join(echoes))}"
    return AIMessage(content=text, usage_metadata=_usage(read, len(text.split())))


def _arguments(properties: dict[str, Any], said: str) -> dict[str, Any]:
    """Take an argument of the right type for each parameter from what was said."""
    numbers = iter(_NUMBER.findall(said))
    expression = _EXPRESSION.search(said[:_ECHO_LIMIT])
    text = expression[0].strip() if expression else said
    values: dict[str, Callable[[], Any]] = {
        "integer": lambda: int(float(next(numbers, 0))),
        "number": lambda: float(next(numbers, 0)),
        "boolean": lambda: True,
        "array": list,
        "object": dict,
    }
    return {name: values.get(schema.get("type", ""), lambda: text)() for name, schema in properties.items()}


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _ECHO_LIMIT else words[:_ECHO_LIMIT] + "…"


def _usage(read: int, written: int) -> Any:
    """Count words, which are this model's tokens."""
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
