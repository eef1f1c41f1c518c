"""Every type that `create_program` accepts, the embedded model answers, and its description means the same type."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unit.dspy.calls import Peer

from bridge_core.errors import InvalidArgumentsError
from bridge_dspy._types import MAX_TYPE_LENGTH, type_problem

pytestmark = [pytest.mark.capability("B01", "B07")]

PLAIN = st.sampled_from(
    "Any bool float int str None dspy.History datetime.date datetime.datetime datetime.time datetime.timedelta "
    "list List set Set dict Dict tuple Tuple".split()
)
TEXTS = st.text("ab1;,'\"\\()[]{}:. é\n`#", min_size=0, max_size=6)
LITERALS = st.lists(st.one_of(TEXTS, st.integers(0, 20), st.booleans()), min_size=1, max_size=4).map(
    lambda values: f"Literal[{', '.join(map(repr, values))}]"
)


def subscripted(types: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return generics and unions of types, some with a wrong number of them."""
    several = st.lists(types, min_size=1, max_size=3)
    generic = st.tuples(st.sampled_from("list set dict tuple Optional Union List Dict".split()), several)
    return st.one_of(
        generic.map(lambda made: f"{made[0]}[{', '.join(made[1])}]"),
        types.map(lambda one: f"list[{one}]"),
        types.map(lambda one: f"tuple[{one}, ...]"),
        st.tuples(types, types).map(lambda two: f"dict[{two[0]}, {two[1]}]"),
        several.map(" | ".join),
    )


TYPES = st.recursive(st.one_of(PLAIN, LITERALS), subscripted, max_leaves=8)
ACCEPTED = TYPES.filter(lambda type_: type_problem(type_) is None)


def answered(type_: str) -> None:
    """Create a program whose output has this type, and describe and run it in every way."""
    peer = Peer()
    peer.call("configure_lm", model="embedded")
    given_one = {"inputs": [{"name": "q"}], "outputs": [{"name": "x", "type": type_}, {"name": "note"}]}
    first = peer.call("create_program", id="one", signature=given_one)["signature"]
    again = peer.call("create_program", id="two", signature=first)["signature"]
    assert again == first
    plain = peer.call("execute_program", program_id="one", inputs={"q": "Why?"})
    chunks, streamed = peer.streamed("execute_program", program_id="two", inputs={"q": "Why?"})
    assert plain["outputs"].keys() == {"x", "note"}
    assert {**plain, "program_id": ""} == {**streamed, "program_id": ""}
    assert "".join(chunk["text"] for chunk in chunks if chunk["field"] == "note") == plain["outputs"]["note"]
    if isinstance(plain["outputs"]["x"], str):
        assert "".join(chunk["text"] for chunk in chunks if chunk["field"] == "x").strip() == plain["outputs"]["x"]


@settings(max_examples=150)
@given(ACCEPTED)
@example("Literal['a; b', \"it's\", 'c']")
@example("Literal['a\\\\', '\"\\'', 'b; ']".replace("b; ", "b;"))
@example("dict[bool, dict[datetime.timedelta, set[int]]]")
@example("Literal['1', 1, True, 'True']")
@example("list[" * 12 + "int" + "]" * 12)
def test_accepted_type_is_answered_and_described_as_itself(type_: str) -> None:
    answered(type_)


@settings(max_examples=150)
@given(st.one_of(TYPES, st.text(max_size=30), st.text("list[int], |.'()", max_size=20)))
def test_any_other_text_is_refused_with_the_path(text: str) -> None:
    assert len(text) < MAX_TYPE_LENGTH
    if type_problem(text) is None:
        return
    with pytest.raises(InvalidArgumentsError) as caught:
        Peer().call("create_program", signature={"inputs": [{"name": "q", "type": text}], "outputs": [{"name": "a"}]})
    assert caught.value.details["path"] == "$.signature.inputs[0].type"
