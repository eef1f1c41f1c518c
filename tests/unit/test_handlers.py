"""A handler's signature is its schema and the strict converter of its arguments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
import pytest

from bridge_core import CallContext, parse_arguments
from bridge_core._handlers import Operation, Signature
from bridge_core.errors import InvalidArgumentsError
from bridge_core.sessions import SessionStore

pytestmark = [pytest.mark.capability("A08")]


class Field(msgspec.Struct, forbid_unknown_fields=True):
    """A field of a signature."""

    name: str
    weight: Annotated[float, msgspec.Meta(ge=0)] = 1.0


class Opaque:
    """Something that has no JSON form."""


def create(ctx: CallContext, *, fields: list[Field], id: str | None = None) -> dict[str, Any]:
    """Create something.

    This line is not for peers.
    """
    return {"names": [field.name for field in fields], "id": id, "operation": ctx.operation}


def tolerant(*, name: str, **extra: object) -> dict[str, object]:
    """Take anything."""
    return {"name": name, **extra}


def nothing() -> Opaque:
    """Take nothing, give something."""
    return Opaque()


def context(operation: Operation) -> CallContext:
    return CallContext(session=SessionStore().get("s"), operation=operation.full_name, request_id=1)


def call(handler: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    operation = Operation.of("probe", "create", handler)
    return operation.call(context(operation), operation.signature.parse(arguments))


def test_arguments_are_converted_and_defaults_filled_in() -> None:
    assert call(create, {"fields": [{"name": "a"}]}) == {"names": ["a"], "id": None, "operation": "probe.create"}


def test_handler_without_a_context_gets_none() -> None:
    assert isinstance(call(nothing, {}), Opaque)


@pytest.mark.sentence("P-59")
@pytest.mark.capability("B09")
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "$.fields"),
        ({"fields": "a"}, "$.fields"),
        ({"fields": [{"name": 1}]}, "$.fields[0].name"),
        ({"fields": [{}]}, "$.fields[0].name"),
        ({"fields": [{"name": "a", "weight": -1}]}, "$.fields[0].weight"),
        ({"fields": [{"name": "a", "more": 1}]}, "$.fields[0].more"),
        ({"fields": [], "feilds": 1}, "$.feilds"),
        ({"fields": [], "id": 7}, "$.id"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_their_path(arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        call(create, arguments)
    assert caught.value.details == {"path": path}
    assert caught.value.message.startswith(f"{path}: ")


def test_text_is_never_taken_for_a_number() -> None:
    with pytest.raises(InvalidArgumentsError):
        call(create, {"fields": [{"name": "a", "weight": "1"}]})


def test_unknown_argument_of_a_handler_without_any_is_refused() -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        call(nothing, {"x": 1})
    assert caught.value.details == {"path": "$.x"}


def test_tolerant_handler_gets_what_it_does_not_know_too() -> None:
    assert call(tolerant, {"name": "a", "more": [1]}) == {"name": "a", "more": [1]}
    assert Signature.of(tolerant).tolerant


def test_mapping_is_converted_by_a_handlers_signature() -> None:
    assert parse_arguments(create, {"fields": [{"name": "a"}]}) == {"fields": [Field("a")], "id": None}
    with pytest.raises(InvalidArgumentsError):
        parse_arguments(create, {"fields": None})


def test_schemas_come_from_the_annotations_and_stand_alone() -> None:
    described = Operation.of("probe", "create", create, idempotent=True).describe()
    arguments = described.pop("arguments")
    assert arguments["required"] == ["fields"]
    field = arguments["properties"]["fields"]["items"]
    assert (field["title"], field["properties"]["weight"]["minimum"]) == ("Field", 0)
    assert not arguments["additionalProperties"]
    assert "$" not in repr(arguments), "such keys mean something else on our wire"
    assert described == {
        "name": "probe.create",
        "summary": "Create something.",
        "streaming": False,
        "idempotent": True,
        "configures": False,
        "stateless": False,
        "runs": "main",
        "result": {"type": "object"},
    }


class Node(msgspec.Struct):
    """Part of a tree."""

    children: list[Node] = []


def tree(*, root: Node) -> Node:
    """Return the tree."""
    return root


def test_type_that_contains_itself_is_described_once() -> None:
    node = Signature.of(tree).schemas["result"]
    assert node["title"] == "Node"
    assert node["properties"]["children"]["items"] == {"title": "Node"}


def test_result_of_a_frameworks_own_class_has_no_schema() -> None:
    assert Signature.of(nothing).schemas["result"] == {}


def test_worker_own_operation_has_no_framework_in_its_name() -> None:
    operation = Operation.of(None, "ping", tolerant, runs="reader", summary="Say that it lives.")
    assert (operation.full_name, operation.summary, operation.cancellable) == (
        "ping",
        "Say that it lives.",
        "cooperative",
    )


async def later(*, seconds: float) -> None:
    """Return later."""


async def ticks() -> AsyncIterator[int]:
    """Tick."""
    yield 1


@pytest.mark.parametrize(
    ("handler", "runs", "cancellable"),
    [(tolerant, "main", "python"), (later, "async", "cooperative"), (ticks, "async", "cooperative")],
)
def test_handler_runs_where_its_kind_says(handler: Callable[..., Any], runs: str, cancellable: str) -> None:
    operation = Operation.of("probe", "name", handler)
    assert (operation.runs, operation.cancellable) == (runs, cancellable)


def positional(ctx: CallContext, name: str) -> None:
    """Take a positional argument."""


def anything(*names: str) -> None:
    """Take any number of arguments."""


def bare(*, name) -> None:  # type: ignore[no-untyped-def]
    """Have no annotation."""


def unknown_type(*, name: NoSuchType) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Have an annotation that does not exist."""


def opaque(*, thing: Opaque) -> None:
    """Take something without a JSON form."""


def undocumented(*, name: str) -> None:
    pass


BAD: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (positional, {}),
    (anything, {}),
    (bare, {}),
    (unknown_type, {}),
    (opaque, {}),
    (undocumented, {}),
    (later, {"runs": "main"}),
    (tolerant, {"runs": "async"}),
    (tolerant, {"runs": "reader"}),
    (tolerant, {"runs": "nowhere"}),
    (tolerant, {"runs": "thread", "cancellable": "python"}),
    (tolerant, {"cancellable": "never"}),
]


@pytest.mark.parametrize(("handler", "options"), BAD)
def test_registration_that_cannot_work_is_refused(handler: Callable[..., Any], options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Operation.of("probe", "name", handler, **options)


@pytest.mark.parametrize("name", ["", "Create", "create-program", "1st", "a.b", "ü"])
def test_name_that_is_no_lower_case_identifier_is_refused(name: str) -> None:
    with pytest.raises(TypeError):
        Operation.of("probe", name, tolerant)
