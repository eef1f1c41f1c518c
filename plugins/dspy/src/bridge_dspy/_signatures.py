"""Signatures: from what a peer sends to DSPy's class, and back to a description.

DSPy parses the text form itself, but imports any module that the text names as a type and overlooks much that is
wrong. So names and types are checked here first, against a list, and DSPy gets only what passed.
"""

from __future__ import annotations

import ast
import keyword
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from bridge_core.errors import InvalidArgumentsError

# Names that DSPy or pydantic need for themselves: a field of that name breaks the call or is swallowed.
_RESERVED = {"completions", "config", "demos", "fields", "input_fields", "instructions", "lm", "model_config"}
_RESERVED |= {"new_signature", "output_fields", "self", "signature"}
_RESERVED_PREFIXES = ("_", "model_dump", "model_validate")
_TYPES = {"bool", "dict", "float", "int", "list", "set", "str", "tuple"}
_TYPES |= {"Any", "Dict", "List", "Literal", "Optional", "Set", "Tuple", "Union"}
_TYPES |= {"datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "dspy.History"}
_SPELLINGS: dict[Any, str] = {None: "None", type(None): "None", ...: "...", Any: "Any"}
_MAX_TYPE_LENGTH = 500


class FieldSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One field of a signature."""

    name: str
    type: Annotated[str, Meta(max_length=_MAX_TYPE_LENGTH, description='such as "list[str]"')] | None = None
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
    return {"name": name, "type": _type_name(info.annotation), "description": description if own else ""}


def _type_name(annotation: Any) -> str:
    """Write a type the way `create_program` takes it."""
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is typing.Union:
        return " | ".join(map(_type_name, arguments))
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(_type_name, arguments))}]"
    if annotation in _SPELLINGS:
        return _SPELLINGS[annotation]
    top = annotation.__module__.partition(".")[0]
    return str(annotation.__name__) if top in ("builtins", "typing") else f"{top}.{annotation.__name__}"


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
    """Refuse everything that is not built from the listed types; DSPy's own parser would import what it is told to."""
    if field.type is None:
        return
    path = field.path if field.path == "$.signature" else f"{field.path}.type"
    try:
        expression = ast.parse(field.type.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        expression = None
    if expression is None or "->" in field.type or len(field.type) > _MAX_TYPE_LENGTH or not _is_type(expression):
        allowed = ", ".join(sorted(_TYPES))
        raise _invalid(path, f"{field.type!r} is no type made of {allowed}")


def _is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr) and _is_type(node.left) and _is_type(node.right)
    if isinstance(node, ast.Subscript):
        literal = isinstance(node.value, ast.Name) and node.value.id == "Literal"
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _is_type(node.value) and bool(items) and all(map(_is_constant if literal else _is_part, items))
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, (ast.Name, ast.Attribute)) and ast.unparse(node) in _TYPES


def _is_part(node: ast.expr) -> bool:
    return _is_type(node) or (isinstance(node, ast.Constant) and node.value is ...)


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, int, bool))


def _invalid(path: str, problem: str) -> InvalidArgumentsError:
    return InvalidArgumentsError(f"{path}: {problem}", path=path)
