"""Templates and signatures: what is accepted, what the model is told, and where a malformed one is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bridge_core.errors import InvalidArgumentsError
from bridge_langchain._templates import Prompt, TemplateMessage, template_of


def told(prompt: Prompt, **inputs: Any) -> list[tuple[str, Any]]:
    return [(message.type, message.content) for message in prompt.fill(inputs).to_messages()]


def test_text_is_one_message_of_the_users() -> None:
    prompt = Prompt("Tell {who} about {{braces}} and {what}, {who}!")
    assert prompt.variables == ["who", "what"]
    assert told(prompt, who="me", what="{us}") == [("human", "Tell me about {braces} and {us}, me!")]


def test_messages_keep_their_roles() -> None:
    messages = [
        TemplateMessage("system", "Be {how}."),
        TemplateMessage("assistant", "Hi."),
        TemplateMessage("user", "{q}"),
    ]
    prompt = Prompt(messages)
    assert (prompt.variables, prompt.instructions) == (["how", "q"], "Be {how}.")
    assert told(prompt, how="brief", q="?") == [("system", "Be brief."), ("ai", "Hi."), ("human", "?")]


def test_values_that_are_no_text_are_told_as_json() -> None:
    assert told(Prompt("{x}"), x={"é": [True, None, 1.5]}) == [("human", '{"é": [true, null, 1.5]}')]


def test_template_without_variables_takes_no_inputs() -> None:
    assert told(Prompt("Say hello.")) == [("human", "Say hello.")]


@pytest.mark.capability("B09")
@pytest.mark.parametrize(
    "text",
    [
        "{x.__class__}", "{x[0]}", "{x!r}", "{x:>9999999999}", "{x:{y}}", "{}", "{0}", "{a b}", "{ x }", "{x", "x}",
        '{"json": 1}',
    ],
)  # fmt: skip
def test_brace_that_is_none_of_a_plain_variable_is_refused_with_its_path(text: str) -> None:
    for template, path in ((text, "$.template"), ([TemplateMessage("user", text)], "$.template[0].content")):
        with pytest.raises(InvalidArgumentsError) as caught:
            Prompt(template)  # type: ignore[arg-type]
        assert caught.value.details == {"path": path}


@pytest.mark.parametrize(("inputs", "path"), [({}, "$.inputs.x"), ({"x": "1", "y": "2"}, "$.inputs.y")])
def test_missing_and_unknown_inputs_are_refused_with_their_path(inputs: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        Prompt("{x}").fill(inputs)
    assert caught.value.details == {"path": path}


@pytest.mark.parametrize("signature", ["context, question -> answer", " context:str,question : str->answer: str"])
def test_signature_becomes_a_template_that_names_its_output(signature: str) -> None:
    template, output = template_of(signature)
    assert output == "answer"
    assert told(Prompt(template), context="Rome", question="Where?") == [
        ("system", "Given `context`, `question`, write `answer`, and nothing else."),
        ("human", "context: Rome\nquestion: Where?"),
    ]


@pytest.mark.capability("B09")
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "question",
        "-> answer",
        "question ->",
        "q -> a, b",
        "q -> q",
        "q, q -> a",
        "q: int -> a",
        "q -> a -> b",
        "a b -> c",
    ],
)
def test_malformed_signature_is_refused(signature: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        template_of(signature)
    assert caught.value.details == {"path": "$.signature"}
