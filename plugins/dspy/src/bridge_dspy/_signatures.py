"""Signatures: from what a peer sends to DSPy's class, and back to a description.

DSPy parses the text form itself, but imports any module that the text names as a type and overlooks much that is
wrong. So names and types are checked here first, against a list, and DSPy gets only what passed.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterator
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from bridge_core.errors import InvalidArgumentsError

from ._types import MAX_TYPE_LENGTH, type_name, type_problem

# Names that DSPy or pydantic need for themselves: a field of that name breaks the call or is swallowed.
_RESERVED = {
    "completed",
    "completions",
    "config",
    "demos",
    "fields",
    "input_fields",
    "instructions",
    "lm",
    "model_config",
}
_RESERVED |= {"new_signature", "output_fields", "self", "signature"}
_RESERVED_PREFIXES = ("_", "model_dump", "model_validate")


class FieldSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One field of a signature."""

    name: str
    type: Annotated[str, Meta(max_length=MAX_TYPE_LENGTH, description='such as "list[str]"')] | None = None
    description: Annotated[str | None, Meta(description="what the model is told about the field")] = None
    desc: Annotated[str | None, Meta(description="the same as description")] = None


class SignatureSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A signature, field by field."""

    inputs: Annotated[list[FieldSpec], Meta(min_length=1, max_length=100)]
    outputs: Annotated[list[FieldSpec], Meta(min_length=1, max_length=100)]
    instructions: Annotated[str | None, Meta(description="the task; made from the fields' names by default")] = None


@attrs.frozen
class _Field:
    """A field and where the peer wrote it."""

    name: str
    type: str | None
    description: str | None
    path: str


def make_signature(given: str | SignatureSpec) -> Any:
    """Return DSPy's signature class.

    Raises:
        InvalidArgumentsError: The signature is malformed; `details.path` says where.
    """
    import dspy
    from pydantic.errors import PydanticUserError

    instructions = None if isinstance(given, str) else given.instructions or None
    inputs, outputs = _parsed(given) if isinstance(given, str) else _listed(given)
    seen: set[str] = set()
    for field in (*inputs, *outputs):
        _check_name(field, seen)
        _check_type(field)
    text = f"{_text(inputs)} -> {_text(outputs)}"
    try:
        signature = dspy.Signature(text, instructions)
        for field in (*inputs, *outputs):
            if field.description:
                signature = signature.with_updated_fields(field.name, desc=field.description)
    except (ValueError, TypeError, SyntaxError, PydanticUserError) as exc:
        raise _invalid("$.signature", f"DSPy refuses it: {exc}") from exc
    return signature


def describe_signature(signature: Any) -> dict[str, Any]:
    """Return instructions and fields, in the form that `create_program` takes."""
    return {
        "instructions": signature.instructions,
        "inputs": [_describe(name, info) for name, info in signature.input_fields.items()],
        "outputs": [_describe(name, info) for name, info in signature.output_fields.items()],
    }


def _describe(name: str, info: Any) -> dict[str, str]:
    description = info.json_schema_extra["desc"]
    own = description != f"${{{name}}}"  # DSPy's placeholder for a field without a description
    return {"name": name, "type": type_name(info.annotation), "description": description if own else ""}


def _text(fields: list[_Field]) -> str:
    return ", ".join(f"{field.name}: {field.type}" if field.type else field.name for field in fields)


def _listed(spec: SignatureSpec) -> tuple[list[_Field], list[_Field]]:
    def fields(side: str, specs: list[FieldSpec]) -> list[_Field]:
        return [
            _Field(field.name, field.type, field.description or field.desc, f"$.signature.{side}[{index}]")
            for index, field in enumerate(specs)
        ]

    return fields("inputs", spec.inputs), fields("outputs", spec.outputs)


def _parsed(text: str) -> tuple[list[_Field], list[_Field]]:
    """Read the text form, `question, context: list[str] -> answer`."""
    if text.count("->") != 1:
        raise _invalid("$.signature", f'expected one "->" between inputs and outputs, got {text!r}')
    before, after = text.split("->")
    return list(_parsed_side("inputs", before)), list(_parsed_side("outputs", after))


def _parsed_side(side: str, text: str) -> Iterator[_Field]:
    try:
        body = ast.parse(f"def f({text}\n): pass").body
    except (SyntaxError, ValueError):
        body = []
    function = body[0] if len(body) == 1 else None
    if not isinstance(function, ast.FunctionDef) or not isinstance(function.body[0], ast.Pass) or function.returns:
        raise _invalid("$.signature", f"the {side} {text.strip()!r} are no fields such as `question, limit: int`")
    arguments = function.args
    others = (arguments.posonlyargs, arguments.kwonlyargs, arguments.defaults, arguments.vararg, arguments.kwarg)
    if any(others):
        raise _invalid("$.signature", f"the {side} {text.strip()!r} have more than names and types")
    if not arguments.args:
        raise _invalid("$.signature", f"it has no {side}")
    for argument in arguments.args:
        type_ = ast.unparse(argument.annotation) if argument.annotation else None
        yield _Field(argument.arg, type_, None, "$.signature")


def _check_name(field: _Field, seen: set[str]) -> None:
    name, path = field.name, field.path if field.path == "$.signature" else f"{field.path}.name"
    if not name.isidentifier() or keyword.iskeyword(name):
        raise _invalid(path, f"{name!r} is no field name: letters, digits and underscores, not beginning with a digit")
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise _invalid(path, f"{name!r} is reserved by DSPy; choose another name")
    if name in seen:
        raise _invalid(path, f"{name!r} is there twice; inputs and outputs share one set of names")
    seen.add(name)


def _check_type(field: _Field) -> None:
    problem = type_problem(field.type) if field.type is not None else None
    if problem:
        raise _invalid(field.path if field.path == "$.signature" else f"{field.path}.type", problem)


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
