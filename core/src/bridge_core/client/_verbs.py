"""The verbs for dynamic calls as requests: what is asked, of which worker, and what the caller gets of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bridge_core.errors import InvalidArgumentsError

from ._given import seconds_of
from ._refs import AnyRef
from ._steps import Step

__all__ = [
    "Verb", "call", "clear_session", "delete_stored", "inspect", "list_stored", "pipeline", "retrieve",
    "set_attribute", "store",
]  # fmt: skip


class Verb(Struct, frozen=True, eq=False, kw_only=True):
    """One use of a verb."""

    operation: str
    arguments: dict[str, Any]
    take: Callable[[Any], Any]
    """Returns what the caller gets, from the operation's result."""
    framework: str | None = None
    """Whose worker is meant, if the caller says so."""
    targets: tuple[str, ...] = ()
    """What else may say it."""
    ref: AnyRef | None = None
    """The object that it is about."""
    stores: tuple[str, ...] = ()
    """The ids under which it stores objects."""
    steps: tuple[Step, ...] = ()


def call(
    target: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    store_as: str | None = None,
    by_value: bool = False,
    attribute: bool = False,
    framework: str | None = None,
    ref: AnyRef | None = None,
) -> Verb:
    """Call a target."""
    asked = _call(target, args, kwargs or {}, store_as, by_value, attribute)
    return Verb(
        operation="call",
        arguments=asked,
        take=lambda answer: answer["result"],
        framework=framework,
        targets=(target,),
        ref=ref,
        stores=() if store_as is None else (store_as,),
    )


def set_attribute(target: str, value: Any, *, framework: str | None = None, ref: AnyRef | None = None) -> Verb:
    """Set an attribute."""
    arguments = {"target": target, "value": value}
    return Verb(
        operation="set_attribute",
        arguments=arguments,
        take=_nothing,
        framework=framework,
        targets=(target,),
        ref=ref,
    )


def inspect(target: str, *, framework: str | None = None, ref: AnyRef | None = None) -> Verb:
    """Describe a target."""
    return Verb(
        operation="inspect",
        arguments={"target": target},
        take=lambda answer: answer["inspection"],
        framework=framework,
        targets=(target,),
        ref=ref,
    )


def store(id: str, value: Any, *, framework: str | None = None) -> Verb:
    """Store a value."""
    _check_id(id, "$.id")
    return Verb(
        operation="store", arguments={"id": id, "value": value}, take=_nothing, framework=framework, stores=(id,)
    )


def retrieve(
    id: str, path: Sequence[int | str] = (), *, framework: str | None = None, ref: AnyRef | None = None
) -> Verb:
    """Fetch a stored object by value."""
    arguments: dict[str, Any] = {"id": id, "path": [*path]} if path else {"id": id}
    return Verb(
        operation="retrieve",
        arguments=arguments,
        take=lambda answer: answer["object"],
        framework=framework,
        targets=(f"stored.{id}",),
        ref=ref,
    )


def delete_stored(id: str, *, framework: str | None = None, ref: AnyRef | None = None) -> Verb:
    """Forget a stored object."""
    return Verb(
        operation="delete_stored",
        arguments={"id": id},
        take=_nothing,
        framework=framework,
        targets=(f"stored.{id}",),
        ref=ref,
    )


def list_stored(framework: str) -> Verb:
    """List what is stored in the worker of a framework."""
    return Verb(
        operation="list_stored", arguments={}, take=lambda answer: answer["stored_objects"], framework=framework
    )


def clear_session(framework: str) -> Verb:
    """Forget what is stored in the worker of a framework."""
    return Verb(operation="clear_session", arguments={}, take=_nothing, framework=framework)


def pipeline(steps: Sequence[Step], *, rollback: bool = False, framework: str | None = None) -> Verb:
    """Make several calls in one request."""
    asked = []
    for index, step in enumerate(steps):
        where = f"$.steps[{index}]"
        if not isinstance(step, Step):
            raise InvalidArgumentsError(f"{where}: expected a Step, got {step!r:.100}", path=where)
        one = _call(step.target, step.args, step.kwargs, step.store_as, step.by_value, step.attribute, where)
        if (seconds := seconds_of(step.timeout, f"{where}.timeout")) is not None:
            one["timeout_ms"] = seconds * 1000
        if step.omit:
            one["omit"] = True
        asked.append(one)
    return Verb(
        operation="pipeline",
        arguments={"steps": asked, "rollback": True} if rollback else {"steps": asked},
        take=lambda answer: [one["result"] for one in answer["pipeline_results"]],
        framework=framework,
        targets=tuple(step.target for step in steps),
        stores=tuple(step.store_as for step in steps if step.store_as is not None),
        steps=tuple(steps),
    )


def _call(
    target: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    store_as: str | None,
    by_value: bool,
    attribute: bool,
    where: str = "$",
) -> dict[str, Any]:
    """Return what `call` is asked with, and each step of a pipeline."""
    names: list[Any] = [*kwargs]
    if nameless := [name for name in names if not isinstance(name, str)]:
        path = f"{where}.kwargs"
        raise InvalidArgumentsError(f"{path}: expected names of keywords, got {nameless[0]!r:.100}", path=path)
    if marked := [name for name in kwargs if name.startswith("$")]:
        path = f"{where}.kwargs"
        raise InvalidArgumentsError(f"{path}: no keyword may begin with `$`, as {marked[0]!r} does", path=path)
    asked: dict[str, Any] = {"target": target, "args": [*args], "kwargs": dict(kwargs)}
    if store_as is not None:
        _check_id(store_as, f"{where}.store_as")
        asked["store_as"] = store_as
    if by_value:
        asked["by_value"] = by_value
    if attribute:
        asked["attribute"] = attribute
    return asked


def _check_id(id: object, path: str) -> None:
    if not isinstance(id, str):
        raise InvalidArgumentsError(f"{path}: expected an id, a string, got {id!r:.100}", path=path)


def _nothing(answer: Any) -> None:
    """Return nothing of an answer that says only that all is well."""
