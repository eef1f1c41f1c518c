"""The embedded language model: deterministic, needs no key and no network, and is not intelligent.

It is a DSPy engine. It reads from the prompt which fields DSPy's adapter wants, in which format and of which type, and
answers with sentences that echo the inputs and with small values that are computed from them. It is there for
trying things out and for tests; equal prompts get equal answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ._samples import Sample, sample_of

EMBEDDED = "embedded"

_INPUT = re.compile(r"^\[\[ ## (\w+) ## \]\]\n(.*?)(?=\n\n\[\[ ## \w+ ## \]\]\n|\Z)", re.MULTILINE | re.DOTALL)
_REQUESTED = re.compile(
    r"`(?:\[\[ ## )?(\w+)(?: ## \]\])?`"
    r"(?: \(must be formatted as a valid Python (.*?)\)(?=, then `|, and then ending|\.$))?",
    re.DOTALL,
)
_NOTE = r"^\{%s\} +# note: the value you produce (.*)$"
_CHAT_REQUEST = "Respond with the corresponding output fields"
_JSON_REQUEST = "Respond with a JSON object"
_JSON_FIELDS = "Outputs will be a JSON object with the following fields.\n\n"
_PIECES = re.compile(r"\s*\[\[ ## \w+ ## \]\]\n?|\s*\S+|\s+")
_ECHO_LIMIT = 200


class EmbeddedEngine:
    """What DSPy calls for every request to the embedded model."""

    def complete(self, request: Any) -> Any:
        """Answer in one piece."""
        from dspy import lm15

        prompt = _prompt_of(request)
        text = answer(*prompt)
        return lm15.Response(
            id=None,
            model=request.model,
            message=lm15.Message.assistant([lm15.TextPart(text)]),
            finish_reason="stop",
            usage=_usage(prompt, text),
        )

    def stream(self, request: Any) -> Iterator[Any]:
        """Answer word by word."""
        from dspy import lm15

        prompt = _prompt_of(request)
        text = answer(*prompt)
        yield lm15.StreamStartEvent(model=request.model)
        for piece in _PIECES.findall(text):
            yield lm15.StreamDeltaEvent(delta=lm15.TextDelta(text=piece, part_index=0))
        yield lm15.StreamEndEvent(finish_reason="stop", usage=_usage(prompt, text))

    def close(self) -> None:
        """Nothing is held."""


class AsyncEmbeddedEngine:
    """The same for DSPy's asynchronous calls; it never waits for anything."""

    def __init__(self) -> None:
        self._engine = EmbeddedEngine()

    async def complete(self, request: Any) -> Any:
        """Answer in one piece."""
        return self._engine.complete(request)

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        """Answer word by word."""
        for event in self._engine.stream(request):
            yield event

    async def aclose(self) -> None:
        """Nothing is held."""


def answer(system: str, user: str) -> str:
    """Answer a prompt of DSPy's chat or JSON adapter in its format, and any other prompt with one sentence."""
    sample = sample_of(user, said=_echo(user))
    _, chat, request = user.rpartition(_CHAT_REQUEST)
    if chat:
        fields = [(name, type_) for name, type_ in _REQUESTED.findall(request) if name != "completed"]
        parts = [f"[[ ## {name} ## ]]\n{_text(_value(sample, name, type_, system))}" for name, type_ in fields]
        return "\n\n".join([*parts, "[[ ## completed ## ]]"])
    _, wants_json, request = user.rpartition(_JSON_REQUEST)
    if wants_json and _JSON_FIELDS in system:
        notes, _ = json.JSONDecoder().raw_decode(system.partition(_JSON_FIELDS)[2])
        values = {name: _value(sample, name, type_, notes[name]) for name, type_ in _REQUESTED.findall(request)}
        return json.dumps(values, ensure_ascii=False)
    return sample.said


def _value(sample: Sample, name: str, type_: str, text: str) -> Any:
    """Make a value for one field from what the prompt says about its type."""
    if not type_:
        return sample.said
    note = re.search(_NOTE % re.escape(name), text, re.MULTILINE)
    if note is None:
        return sample.said
    return sample.of_literal(type_, note[1]) if type_.startswith("Literal[") else sample.of_note(name, note[1])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _echo(user: str) -> str:
    inputs = _INPUT.findall(user.rpartition("\n\nRespond with")[0]) or [("prompt", user)]
    echoes = []
    for name, value in inputs:
        # On one line and without field markers, so that the adapter cannot mistake the echo for a field.
        words = " ".join(value.replace("[[", "[").split())
        echoes.append(f"{name}: {words if len(words) <= _ECHO_LIMIT else words[:_ECHO_LIMIT] + '…'}")
    return f"The embedded model only echoes {'; '.join(echoes)}"


def _prompt_of(request: Any) -> tuple[str, str]:
    """Return the system text and the last message of a request."""
    system = request.system or ""
    if not isinstance(system, str):
        system = "".join(part.text for part in system if getattr(part, "text", None))
    return system, request.messages[-1].text or ""


def _usage(prompt: tuple[str, str], text: str) -> Any:
    """Count words, which are this model's tokens."""
    from dspy import lm15

    read, written = len(" ".join(prompt).split()), len(text.split())
    return lm15.Usage(input_tokens=read, output_tokens=written, total_tokens=read + written)
