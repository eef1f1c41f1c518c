"""What a Python program's arguments look like on the wire, and that none is mistaken for what it is not."""

from __future__ import annotations

from typing import Any

import pytest

from bridge_core.client._arguments import dynamic_arguments, literal_arguments, names_objects, plain_arguments
from bridge_core.errors import InvalidArgumentsError, RefLostError


class Thing:
    """Stands for a live object."""


class Foreign:
    """Stands for the object of another session."""


class Lost:
    """Stands for an object that is gone."""


THING, FOREIGN, LOST = Thing(), Foreign(), Lost()
LOOP: list[Any] = []
LOOP.append(LOOP)


def form(value: object) -> Any:
    if value is FOREIGN:
        raise InvalidArgumentsError("of another session", path="$")
    if value is LOST:
        raise RefLostError("lost")
    return {"$ref": "x"} if value is THING else None


def sent(value: Any, *, native: bool = True) -> Any:
    """Return the form of an argument among which objects may be."""
    return dynamic_arguments("call", {"args": [value]}, form, native=native)["args"][0]


def refusal(value: Any) -> tuple[str, Any]:
    with pytest.raises(InvalidArgumentsError) as raised:
        sent(value)
    return raised.value.reason, raised.value.details["path"]


@pytest.mark.parametrize(
    ("value", "path", "named"),
    [
        ({"$ref": "x"}, "$.value", "'$ref'"),
        ([{"a": {"$b": 1}}], "$.value[0].a", "'$b'"),
        ({1: 2}, "$.value", "type int"),
    ],
)
def test_operation_refuses_keys_that_it_cannot_be_sent_and_names_one(value: Any, path: str, named: str) -> None:
    with pytest.raises(InvalidArgumentsError) as raised:
        plain_arguments("echo", {"value": value}, native=True)
    assert raised.value.details["path"] == path
    assert named in raised.value.message


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1, 1),
        ("stored.x", "stored.x"),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        (THING, {"$ref": "x"}),
        ([{"deep": [THING, 1]}], [{"deep": [{"$ref": "x"}, 1]}]),
        ({"$ref": "x"}, {"$value": {"$ref": "x"}}),
        ({"$value": 1}, {"$value": {"$value": 1}}),
        ({"a": 1, "$b": 2}, {"$value": {"a": 1, "$b": 2}}),
        ([{"$a": {"$b": [{"$c": 1}]}}], [{"$value": {"$a": {"$b": [{"$c": 1}]}}}]),
        ([{"$a": 1}, THING, {"$b": 2}], [{"$value": {"$a": 1}}, {"$ref": "x"}, {"$value": {"$b": 2}}]),
        (b"bytes", b"bytes"),
        ({"$a": b"bytes"}, {"$value": {"$a": b"bytes"}}),
        ({"": {}}, {"": {}}),
    ],
)
@pytest.mark.capability("E16")
def test_objects_are_named_and_data_that_looks_like_a_name_is_said_to_be_data(value: Any, form: Any) -> None:
    assert sent(value) == form


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ([1, FOREIGN], "$.args[0][1]"),
        ({"a": FOREIGN}, "$.args[0].a"),
        ({"$a": THING}, "$.args[0].$a"),
        ({"$a": [{"b": THING}]}, "$.args[0].$a[0].b"),
        ((1, 2), "$.args[0]"),
        ({1: 2}, "$.args[0]"),
        ({1: 2, "$a": 3}, "$.args[0]"),
        ([object()], "$.args[0][0]"),
        (LOOP, "$.args[0][0]"),
        ({"$a": LOOP}, "$.args[0].$a[0]"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_path(value: Any, path: str) -> None:
    assert refusal(value) == ("INVALID_ARGUMENTS", path)


def test_object_that_is_lost_says_so() -> None:
    with pytest.raises(RefLostError):
        sent([LOST])


def test_json_carries_no_bytes_among_objects_either() -> None:
    assert sent(memoryview(b"abc")[::2]) == b"ac"
    for value in (b"bytes", memoryview(b"bytes"), float("nan")):
        with pytest.raises(InvalidArgumentsError):
            sent([THING, value], native=False)


def test_arguments_in_their_form_are_sent_as_they_are() -> None:
    arguments = dynamic_arguments("call", {"args": [THING]}, form, native=True)
    assert plain_arguments("call", arguments, native=True) is arguments
    with pytest.raises(InvalidArgumentsError):
        plain_arguments("call", {"args": [{"$ref": "x"}]}, native=True)


def test_who_speaks_as_the_wire_does_names_objects_by_hand() -> None:
    given = {"args": [{"$ref": "x", "path": [0]}, {"$value": {"$ref": "x"}}]}
    assert literal_arguments("call", given, native=False) == given
    with pytest.raises(InvalidArgumentsError):
        literal_arguments("call", {"args": [{"$ref": object()}]}, native=False)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (THING, True),
        ({"a": [THING]}, True),
        ({"$ref": "x"}, False),
        ({"a": [1, {"$step": 0}]}, False),
        ("stored.x", False),
    ],
)
def test_whether_arguments_name_objects_can_be_told(value: Any, named: bool) -> None:
    assert names_objects(sent(value)) is named
