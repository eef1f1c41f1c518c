"""DSPy's values on the wire."""

from __future__ import annotations

import sys
from typing import Any

import dspy
import pytest
from unit.dspy.calls import Peer

pytestmark = [pytest.mark.capability("B08")]


class Graded(dspy.Prediction):
    """A prediction class that is not DSPy's own."""


def encoded(value: Any) -> Any:
    """Encode as the worker does, with a stand-in for the parts that are no DSPy values."""
    host = Peer().host

    def encode(part: Any) -> Any:
        if type(part) is dict:
            return {key: encode(value) for key, value in part.items()}
        form = host.serialize(part, encode, first="dspy")
        return part if form is None else form

    return host.serialize(value, encode, first="dspy")


def test_prediction_becomes_its_fields() -> None:
    assert encoded(dspy.Prediction(answer="4", score=0.5)) == {
        "$type": "model",
        "class": "dspy.Prediction",
        "fields": {"answer": "4", "score": 0.5},
    }


def test_nested_example_becomes_a_tag_of_its_own() -> None:
    example = dspy.Example(question="?").with_inputs("question")
    assert encoded(dspy.Prediction(best=example))["fields"] == {
        "best": {"$type": "model", "class": "dspy.Example", "fields": {"question": "?"}}
    }


def test_history_becomes_its_messages() -> None:
    assert encoded(dspy.History(messages=[{"question": "?"}])) == {
        "$type": "model",
        "class": "dspy.History",
        "fields": {"messages": [{"question": "?"}]},
    }


def test_class_that_is_not_dspys_own_is_named_in_full() -> None:
    assert encoded(Graded(answer=1))["class"].endswith("test_values.Graded")


@pytest.mark.parametrize("value", [3, "text", object(), [dspy.Prediction(a=1)]])
def test_value_of_others_is_left_to_them(value: Any) -> None:
    assert encoded(value) is None


def test_without_dspy_nothing_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dspy")
    assert encoded(object()) is None


def test_language_model_is_never_described() -> None:
    assert encoded(dspy.LM("openai/x", api_key="sk-SECRET")) is None
