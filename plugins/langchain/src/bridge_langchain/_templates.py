"""Templates of chains: what a peer may send, and LangChain's prompt for it."""

from __future__ import annotations

import json
import re
from string import Formatter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bridge_core.errors import InvalidArgumentsError

Text = Annotated[str, Meta(min_length=1, max_length=100_000)]
_FIELD = re.compile(r"\s*([a-zA-Z_]\w*)\s*(?::\s*str\s*)?", re.ASCII)


class TemplateMessage(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One message of a conversation, with `{variables}`."""

    role: Literal["system", "user", "assistant"]
    content: Text


Template = Text | Annotated[list[TemplateMessage], Meta(min_length=1, max_length=100)]


class Prompt:
    """A template that has been found right.

    Args:
        template: A text for one message of the user's, or messages.

    Raises:
        InvalidArgumentsError: A variable is not written as one; `details.path` says where.
    """

    def __init__(self, template: str | list[TemplateMessage]) -> None:
        from langchain_core.prompts import ChatPromptTemplate

        if isinstance(template, str):
            messages, paths = [TemplateMessage("user", template)], ["$.template"]
        else:
            messages, paths = template, [f"$.template[{index}].content" for index in range(len(template))]
        found = [_variables(message.content, path) for message, path in zip(messages, paths, strict=True)]
        self.variables = list(dict.fromkeys(name for names in found for name in names))
        """In the order in which they appear."""
        self.template: Any = template if isinstance(template, str) else msgspec.to_builtins(template)
        """As the peer sent it."""
        self.instructions = "\n".join(message.content for message in messages if message.role == "system")
        """What it tells the model before the user says anything."""
        self._prompt = ChatPromptTemplate.from_messages([(message.role, message.content) for message in messages])

    def fill(self, inputs: dict[str, Any]) -> Any:
        """Return the messages for these inputs: texts as they are, other values as JSON.

        Raises:
            InvalidArgumentsError: One is missing or unknown; `details.path` says which.
        """
        for name in inputs.keys() - set(self.variables):
            raise _invalid(f"$.inputs.{name}", f"unknown; the inputs are: {', '.join(self.variables) or 'none'}")
        for name in self.variables:
            if name not in inputs:
                raise _invalid(f"$.inputs.{name}", "required, but missing")
        return self._prompt.invoke({name: _text(value) for name, value in inputs.items()})


def template_of(signature: str) -> tuple[list[TemplateMessage], str]:
    """Return a template for a signature such as `context, question -> answer`, and the name of its output.

    Raises:
        InvalidArgumentsError: It is none, has more than one output, or another type than text.
    """
    before, _, after = signature.partition("->")
    fields = [_FIELD.fullmatch(text) for text in [*before.split(","), after]]
    names = [field[1] for field in fields if field is not None]
    if len(names) < len(fields) or len(names) != len(set(names)):
        problem = "expected names of text fields and one output, such as `context, question -> answer`"
        raise _invalid("$.signature", f"{problem}, got {signature!r}")
    *inputs, output = names
    task = f"Given {', '.join(f'`{name}`' for name in inputs)}, write `{output}`, and nothing else."
    lines = "\n".join(f"{name}: {{{name}}}" for name in inputs)
    return [TemplateMessage("system", task), TemplateMessage("user", lines)], output


def _variables(text: str, path: str) -> list[str]:
    """Return the variables of a text.

    Python's format could do more than put a value in: read attributes of it, or fill a gigabyte with blanks.
    """
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as exc:
        raise _invalid(path, f"{exc}; a brace that is none of a variable is written twice") from None
    names = []
    for _, name, spec, conversion in parsed:
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            problem = f"{name!r} is no name; a variable is written {{name}}, and a brace that is none of one twice"
            raise _invalid(path, problem)
        names.append(name)
    return names


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
