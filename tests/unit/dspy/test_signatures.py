"""Signatures: what is accepted, what DSPy makes of it, and where a malformed one is wrong."""

from __future__ import annotations

import sys
from typing import Any

import dspy
import pytest
from unit.dspy.calls import Peer

from bridge_core.errors import InvalidArgumentsError

pytestmark = [pytest.mark.capability("B01")]

STRUCTURED = {
    "instructions": "Answer briefly.",
    "inputs": [{"name": "question", "description": "what is asked"}, {"name": "limit", "type": "int"}],
    "outputs": [{"name": "answer", "desc": "at most `limit` words"}, {"name": "sources", "type": "list[str]"}],
}
TYPES = [
    "str", "float", "bool", "dict[str, int]", "Literal['a', 'b']", "int | None", "tuple[int, ...]", "Any", "set[str]",
    "datetime.date", "list[dict[str, float | None]]", "dspy.History", "Literal[1, True]",
]  # fmt: skip
MALFORMED = [
    "", "question", "-> answer", "question ->", "a -> b -> c", "q q -> a", "q: list[ -> a", "1q -> a", "class -> a",
    "q, q -> a", "q -> q", "q=1 -> a", "q, *rest -> a", "q, /, r -> a", "q, *, r -> a", "q): pass # -> a",
    "q): pass\ndef g(r -> a", "q: unheard_of -> a", "q: 'int' -> a", "q: Literal -> a", "q\0 -> a",
]  # fmt: skip
RESERVED = [
    "config", "signature", "lm", "new_signature", "demos", "self", "model_config", "_x", "fields", "instructions",
    "model_dump_json", "completions", "input_fields", "completed",
]  # fmt: skip
CHANGED_BY_DSPY = [
    "None", "None | None", "Optional[None]", "Union[None, None]", "Union[int]", "list[int, str]", "set[int, str]",
    "dict[int]", "dict[str, int, int]", "Optional", "Optional[int, str]", "Union", "Literal", "tuple[()]", "tuple[...]",
    "tuple[int, str, ...]", "tuple[..., int]", "list[...]", "...", "int[str]", "list[int][str]", "str | list[int, str]",
    "list[dict[str]]", "dict[str, list[int, int]]", "int + str", "int or str", "list[None, None]",
]  # fmt: skip
WITHOUT_ANSWER = [
    "dict[None, int]", "dict[tuple[int, int], int]", "dict[int | None, int]", "dict[Literal[1], int]",
    "dict[list, int]", "set[list[int]]", "set[dict]", "set[tuple[int, list[int]]]", "set[int | list[int]]",
    "set[dspy.History]", "Literal[None]", "Literal[1.5]", r"Literal['a\nb']", "Literal[' a']", "Literal['']",
    "Literal['[[ ## a ## ]]']", "Literal['`']", "Literal[()]",
    "Literal['11'] | bool", "Optional[Literal['a', 'true']]", "Union[int, Optional[Literal['[1]']]]",
]  # fmt: skip
FOREIGN = ["antigravity", "this.s", "os.system", "os.environ['HOME']", "Field(gt=1)", "dspy.LM"]


def refused(signature: Any) -> InvalidArgumentsError:
    with pytest.raises(InvalidArgumentsError) as caught:
        Peer().call("create_program", signature=signature)
    return caught.value


def with_input(**field: Any) -> dict[str, Any]:
    return {"inputs": [field], "outputs": [{"name": "answer"}]}


def test_text_signature_becomes_its_fields_with_types() -> None:
    described = Peer().call("create_program", signature="question, limit: int -> answer: list[str]")["signature"]
    assert [(f["name"], f["type"]) for f in described["inputs"]] == [("question", "str"), ("limit", "int")]
    assert [(f["name"], f["type"]) for f in described["outputs"]] == [("answer", "list[str]")]


def test_structured_signature_reaches_dspy_with_types_descriptions_and_instructions() -> None:
    peer = Peer()
    peer.call("create_program", id="qa", signature=STRUCTURED)
    signature = peer.sessions.get("a").objects.get("qa").signature
    assert signature.instructions == "Answer briefly."
    assert signature.input_fields["limit"].annotation is int
    assert signature.input_fields["question"].json_schema_extra["desc"] == "what is asked"
    assert signature.output_fields["answer"].json_schema_extra["desc"] == "at most `limit` words"


@pytest.mark.parametrize("type_", TYPES)
def test_described_type_can_be_sent_back(type_: str) -> None:
    first = Peer().call("create_program", signature=with_input(name="x", type=type_))["signature"]
    second = Peer().call("create_program", signature=first)["signature"]
    assert first["inputs"][0]["type"] == type_
    assert first == second


@pytest.mark.capability("B09")
@pytest.mark.parametrize("type_", [*CHANGED_BY_DSPY, *WITHOUT_ANSWER])
def test_type_that_dspy_would_change_or_no_answer_can_have_is_refused_with_its_path(type_: str) -> None:
    assert refused(with_input(name="x", type=type_)).details["path"] == "$.signature.inputs[0].type"
    assert refused(f"x: {type_} -> answer").details["path"] == "$.signature"


def test_type_is_as_long_as_its_description_may_be() -> None:
    literal = f"Literal[{','.join(map(str, range(100, 220)))}]"
    assert len(literal) < 500
    assert refused(with_input(name="x", type=literal)).details["path"] == "$.signature.inputs[0].type"


@pytest.mark.parametrize("type_", ["Optional[int]", "Union[int, None]", "None | int"])
def test_spellings_of_an_optional_type_are_one_type(type_: str) -> None:
    signature = Peer().call("create_program", signature=with_input(name="x", type=type_))["signature"]
    assert set(signature["inputs"][0]["type"].split(" | ")) == {"int", "None"}


@pytest.mark.capability("B09")
@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_signature_is_refused(text: str) -> None:
    assert refused(text).details["path"] == "$.signature"


@pytest.mark.capability("B09")
@pytest.mark.parametrize(
    ("signature", "path"),
    [
        (with_input(name="1st"), "$.signature.inputs[0].name"),
        (with_input(name="class"), "$.signature.inputs[0].name"),
        (with_input(name=""), "$.signature.inputs[0].name"),
        (with_input(name="answer"), "$.signature.outputs[0].name"),
        (with_input(name="x", type="integer"), "$.signature.inputs[0].type"),
        (with_input(name="x", type="Literal['->']"), "$.signature.inputs[0].type"),
        (with_input(name="x", type=""), "$.signature.inputs[0].type"),
        (with_input(name="x", type="int" * 500), "$.signature.inputs[0].type"),
        (with_input(name="x", type=3), "$.signature.inputs[0].type"),
        (with_input(name="x", kind="int"), "$.signature.inputs[0].kind"),
        (with_input(), "$.signature.inputs[0].name"),
        ({"inputs": [], "outputs": [{"name": "a"}]}, "$.signature.inputs"),
        ({"inputs": [{"name": "q"}]}, "$.signature.outputs"),
        (7, "$.signature"),
    ],
)
def test_malformed_structured_signature_is_refused_with_its_path(signature: Any, path: str) -> None:
    assert refused(signature).details["path"] == path


@pytest.mark.capability("B09")
@pytest.mark.parametrize("name", RESERVED)
def test_name_that_dspy_needs_for_itself_is_refused(name: str) -> None:
    assert refused(with_input(name=name)).details["path"] == "$.signature.inputs[0].name"


@pytest.mark.parametrize("type_", FOREIGN)
def test_type_that_names_a_module_imports_nothing(type_: str) -> None:
    before = set(sys.modules)
    assert refused(f"question: {type_} -> answer").details["path"] == "$.signature"
    assert set(sys.modules) == before


def test_chain_of_thought_refuses_an_input_named_like_the_field_it_writes() -> None:
    with pytest.raises(InvalidArgumentsError):
        Peer().call("create_program", signature="reasoning -> answer", program_type="chain_of_thought")


def test_program_is_the_dspy_module_itself() -> None:
    peer = Peer()
    peer.call("create_program", id="qa", signature="question -> answer", program_type="chain_of_thought")
    assert isinstance(peer.sessions.get("a").objects.get("qa"), dspy.ChainOfThought)
