"""Templates of programs: texts with blanks, which are names and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_core.errors import InvalidArgumentsError
from bridge_transformers._programs import Program, inputs_of
from bridge_transformers._settings import Settings

pytestmark = [pytest.mark.capability("B11")]


def filled(template: str, **inputs: Any) -> str:
    program = Program(model_id="m", template=template, settings=Settings(), inputs=inputs_of(template))
    return program.prompt(inputs)


@pytest.mark.parametrize(
    ("template", "inputs", "prompt"),
    [
        ("plain", {}, "plain"),
        ("Q: {question}\nA:", {"question": "Why?"}, "Q: Why?\nA:"),
        ("{a}{b}{a}", {"a": 1, "b": -2.5}, "1-2.51"),
        ("{{{a}}} {{b}}", {"a": "x"}, "{x} {b}"),
        ("{a}", {"a": "{b} {a.__class__} %s"}, "{b} {a.__class__} %s"),
    ],
)
def test_blanks_are_filled_in_with_inputs_as_they_are(template: str, inputs: dict[str, Any], prompt: str) -> None:
    assert filled(template, **inputs) == prompt


@given(st.text())
def test_input_is_never_read_as_a_template(text: str) -> None:
    assert filled("<{a}>", a=text) == f"<{text}>"


@pytest.mark.parametrize(
    "template",
    ["{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>10}", "{a:{b}}", "{a b}", "{", "}", "{a", "a}", "{a}}", "{a-b}"],
)
def test_blank_that_is_no_name_is_refused(template: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        inputs_of(template)
    assert caught.value.details == {"path": "$.template"}


@pytest.mark.parametrize(("inputs", "name"), [({}, "a"), ({"a": 1, "b": 2}, "b"), ({"b": 2}, "b")])
def test_input_that_is_missing_or_unknown_is_named(inputs: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        filled("{a}", **inputs)
    assert caught.value.details == {"path": f"$.inputs.{name}"}
