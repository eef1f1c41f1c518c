"""The parameters that an old handler has without saying so: what its body takes out of its dict."""

from __future__ import annotations

import ast
import json
import keyword
import math
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from typing import TypeAlias, TypeGuard

__all__ = ["Function", "Parameter", "Parameters", "parameters_of"]

_SIMPLE = frozenset(["bool", "float", "int", "str"])
_CONTAINERS = {ast.Dict: "dict[str, Any]", ast.List: "list[Any]", ast.Tuple: "list[Any]"}
Function: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"


class Parameter(Struct, kw_only=True, frozen=True):
    """One keyword-only parameter."""

    name: str
    annotation: str = "Any"
    default: str | None = None
    """As source text; None for a required one."""

    def written(self) -> str:
        """Return it as it stands in a signature."""
        return f"{self.name}: {self.annotation}" + ("" if self.default is None else f" = {self.default}")


class Parameters(Struct, kw_only=True, frozen=True):
    """What is known of a handler's arguments."""

    named: tuple[Parameter, ...] = ()
    unnamed: tuple[str, ...] = ()
    """Keys that are no identifiers, so no parameters."""
    whole: bool = False
    """Whether the body uses the dict as such too, so that there may be others."""


def parameters_of(function: Function, *, bound: bool = True) -> Parameters:
    """Infer parameters from a handler's signature, if arguments are given by name, or else from its body."""
    signature = function.args
    positional = [*signature.posonlyargs, *signature.args][bound:]
    needed = [one for one in positional[: len(positional) - len(signature.defaults)] if one.arg != "session_id"]
    if len(needed) > 1 or (not positional and not signature.vararg):
        return _declared(signature, positional)
    return _taken(function, positional[0].arg) if positional else Parameters(whole=True)


def _declared(signature: ast.arguments, positional: list[ast.arg]) -> Parameters:
    missing: list[ast.expr | None] = [None] * (len(positional) - len(signature.defaults))
    given = zip(
        [*positional, *signature.kwonlyargs], [*missing, *signature.defaults, *signature.kw_defaults], strict=True
    )
    named = [_parameter(one.arg, default, one.annotation) for one, default in given if one.arg != "session_id"]
    return Parameters(named=tuple(named), whole=signature.kwarg is not None)


def _taken(function: Function, dict_name: str) -> Parameters:
    """Look for `args["x"]`, `args.get("x", default)`, `args.pop(…)` and `"x" in args`."""
    required: dict[str, ast.expr | None] = {}
    optional: dict[str, ast.expr | None] = {}
    seen: list[ast.AST] = []
    for node in ast.walk(function):
        found = _use(node, dict_name)
        if found is not None:
            key, default, is_optional, name = found
            seen.append(name)
            if is_optional:
                optional[key] = optional.get(key) or default
            else:
                required.setdefault(key, None)
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == dict_name]
    keys = [*(key for key in required if key not in optional), *optional]
    named = [_parameter(key, optional.get(key), None, optional=key in optional) for key in keys if _may_be_named(key)]
    unnamed = tuple(key for key in keys if not _may_be_named(key))
    return Parameters(named=tuple(named), unnamed=unnamed, whole=any(node not in seen for node in uses))


def _use(node: ast.AST, dict_name: str) -> tuple[str, ast.expr | None, bool, ast.Name] | None:
    """Return the key that an expression takes out of the dict, its default, whether it may be missing, and the dict."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        if _is(node.value, dict_name) and (key := _text(node.slice)) is not None:
            return key, None, False, node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in {"get", "pop"} and _is(node.func.value, dict_name):
            key = _text(node.args[0])
            if key is not None:
                given = len(node.args) > 1
                optional = given or node.func.attr == "get"
                return key, node.args[1] if given else None, optional, node.func.value
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        right = node.comparators[0]
        if _is(right, dict_name) and (key := _text(node.left)) is not None:
            return key, None, isinstance(node.ops[0], ast.In), right  # `not in` is rather how one complains
    return None


def _is(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _may_be_named(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key) and key.isascii()


def _parameter(name: str, default: ast.expr | None, hint: ast.expr | None, *, optional: bool = False) -> Parameter:
    """Make a parameter of what is evident about it."""
    declared = hint.id if isinstance(hint, ast.Name) and hint.id in _SIMPLE else None
    if default is None:
        annotation = declared or "Any"
        return Parameter(name=name, annotation=annotation, default="None" if optional else None)
    value = _literal(default)
    if isinstance(value, str) and not _is_encodable(value):
        value = None
    if isinstance(value, (bool, int, float, str)) and (not isinstance(value, float) or math.isfinite(value)):
        return Parameter(name=name, annotation=declared or type(value).__name__, default=_written(value))
    container = _CONTAINERS.get(type(default))
    annotation = f"{container} | None" if container else f"{declared} | None" if declared else "Any"
    return Parameter(name=name, annotation=annotation, default="None")


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_encodable(value: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in value)


def _written(value: bool | int | float | str) -> str:
    """Write a default as the formatter would."""
    return json.dumps(value, ensure_ascii=not value.isprintable()) if isinstance(value, str) else repr(value)
